//! A type as another crate would write it: with the public API, and nothing else.

use std::borrow::Cow;

use nephoscope_gnocchi::{AttributeKind, AttributeValue};
use nephoscope_resource_types::{
    Associated, Attributes, Change, Lifecycle, Meter, ResourceType, ResourceTypes, TypeDefinition, openstack,
    trait_value,
};
use nephoscope_telemetry::{BadRecord, Event, Json, Sample, json};

/// Graphics cards, one by one. Their meters tell the card in the metadata's `pci_address`; what model it is stands in
/// a text with the vendor before it, which no path could take apart well.
#[derive(Debug)]
struct GraphicsCard {
    meters: Vec<Meter>,
    definition: TypeDefinition,
}

impl GraphicsCard {
    fn new() -> Self {
        Self {
            meters: vec![
                Meter::new("gpu.utilisation").archived("ceilometer-high").measured_in("%"),
                Meter::new("gpu.memory.usage").measured_in("MiB"),
                // In OpenStack's own types an instance has this; here a card uses the power.
                Meter::new("power.state"),
            ],
            definition: TypeDefinition::new("graphics_card")
                .with_text("pci_address")
                .required(AttributeValue::String(String::new()))
                .with_text("model")
                .with("instance_id", AttributeKind::Uuid),
        }
    }
}

impl ResourceType for GraphicsCard {
    fn name(&self) -> &str {
        "graphics_card"
    }

    fn meters(&self) -> &[Meter] {
        &self.meters
    }

    fn definition(&self) -> Option<&TypeDefinition> {
        Some(&self.definition)
    }

    fn attributes<'a>(&'a self, sample: &'a Sample, attributes: &mut Attributes<'a>) {
        attributes.set_from("pci_address", &sample.metadata, "pci_address");
        attributes.set_from("instance_id", &sample.metadata, "instance_id");
        if let Some(product) = sample.metadata.get_str("product") {
            let model = product.split_once(' ').map_or(&*product, |(_vendor, model)| model);
            attributes.set_text("model", model);
        }
    }

    fn lifecycle<'a>(&'a self, event: &'a Event) -> Result<Option<Lifecycle<'a>>, BadRecord> {
        if event.event_type != "gpu.detached" {
            return Ok(None);
        }
        let id =
            trait_value(event, "card").and_then(json::decode).ok_or_else(|| BadRecord::missing("card"))?;
        let mut attributes = Attributes::new();
        if let Some(host) = trait_value(event, "host") {
            attributes.set("host", host);
        }
        let query = Json::written(&format!("{{\"=\": {{\"card\": {}}}}}", Json::string(&id)));
        Ok(Some(Lifecycle {
            change: Change::End,
            resource_type: "graphics_card",
            id: Cow::Owned(id.into_owned()),
            attributes,
            associated: vec![Associated { resource_type: "gpu_process", query }],
        }))
    }
}

fn types() -> ResourceTypes {
    let mut types = openstack::resource_types();
    types.add(GraphicsCard::new());
    types
}

#[test]
fn it_stands_beside_those_of_openstack() {
    let types = types();
    let sample = Sample::from_json(
        r#"{"name": "gpu.utilisation", "volume": 7, "resource_id": "c1", "timestamp": "2026-01-02T03:04:05",
            "resource_metadata": {"pci_address": "0000:3b:00.0", "product": "Acme X \u00fc", "instance_id": null}}"#,
    )
    .unwrap();
    let owner = types.owner(&sample.name).unwrap();
    assert_eq!(owner.resource_type.name(), "graphics_card");
    assert_eq!(owner.meter.archive_policy.as_deref(), Some("ceilometer-high"));
    assert_eq!(owner.meter.unit.as_deref(), Some("%"));
    let attributes = owner.attributes(&sample);
    assert_eq!(
        attributes.iter().collect::<Vec<_>>(),
        [("pci_address", r#""0000:3b:00.0""#), ("model", r#""X \u00fc""#)]
    );
    assert_eq!(types.owner("cpu").unwrap().resource_type.name(), "instance");
    assert!(types.owner("gpu.temperature").is_none());
}

#[test]
fn the_type_that_was_added_last_gets_a_meter_of_two() {
    let types = types();
    assert_eq!(types.owner("power.state").unwrap().resource_type.name(), "graphics_card");
    assert_eq!(openstack::resource_types().owner("power.state").unwrap().resource_type.name(), "instance");
}

#[test]
fn its_events_are_asked_for_like_those_of_others() {
    let types = types();
    let event = |traits: &str| {
        let text = format!(
            r#"{{"message_id": "", "event_type": "gpu.detached", "generated": "", "traits": [{traits}]}}"#
        );
        Event::from_json(&text).unwrap()
    };
    let whole = event(r#"["card", 1, "c\u00e9"], ["host", 1, "h"]"#);
    let lifecycle = types.lifecycle(&whole).unwrap().unwrap();
    assert_eq!((lifecycle.change, &*lifecycle.id), (Change::End, "cé"));
    assert_eq!(lifecycle.attributes.get("host"), Some("\"h\""));
    assert_eq!(lifecycle.associated[0].query.as_str(), r#"{"=": {"card": "c\u00e9"}}"#);
    assert_eq!(types.lifecycle(&event("")).unwrap_err(), BadRecord::missing("card"));
}

#[test]
fn what_gnocchi_has_to_know_is_found_from_the_type() {
    let types = types();
    let told: Vec<_> = types.iter().filter_map(ResourceType::definition).collect();
    assert_eq!(told.len(), 1);
    let made = told[0].to_resource_type();
    assert_eq!(made.attributes.len(), 3);
    assert!(made.attributes["pci_address"].required);
}
