use std::collections::{BTreeMap, BTreeSet};

use nephoscope_gnocchi::{Attribute, AttributeKind, AttributeValue, ResourceType as Existing, Timespan};
use nephoscope_resource_types::{Change, Definitions, TypeDefinition, openstack};
use nephoscope_telemetry::Event;
use serde_json::{Value, json};

use super::{attributes, compare};

/// Facts of the real Ceilometer's own definitions.
const METERS: &str = include_str!("../golden/meters.json");
/// Samples, and what the real code makes of them with those.
const SAMPLES: &str = include_str!("../golden/samples.jsonl");
/// Events, likewise.
const EVENTS: &str = include_str!("../golden/events.jsonl");
/// The types that two runs of the real `ceilometer-upgrade` left behind.
const TYPES: &str = include_str!("../golden/types.json");

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_built_in_definitions_have_no_mistakes() {
    let (definitions, mistakes) = Definitions::read(openstack::DEFINITIONS, "openstack.yaml", None);
    assert_eq!(mistakes, []);
    assert_eq!(definitions, openstack::definitions());
}

#[test]
fn every_meter_of_ceilometer_has_its_type_and_policy() {
    let types = openstack::resource_types();
    let owned = |owner: nephoscope_resource_types::Owner<'_>| {
        let policy = owner.meter.archive_policy.clone().unwrap();
        (owner.meter.name.to_string(), (owner.resource_type.name().to_owned(), policy.to_string()))
    };
    let ours: BTreeMap<_, _> = types.owners().map(owned).collect();
    let facts = read(METERS);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let theirs = facts["meters"].as_array().unwrap().iter();
    let theirs: BTreeMap<_, _> =
        theirs.map(|meter| (text(&meter[0]), (text(&meter[1]), text(&meter[2])))).collect();
    assert_eq!(ours.len(), 136);
    assert_eq!(ours, theirs);
}

#[test]
fn the_archive_policies_are_those_of_ceilometer() {
    let ours = openstack::definitions();
    let facts = read(METERS);
    assert_eq!(ours.default_policy, facts["default"]);
    let theirs = facts["archive_policies"].as_array().unwrap();
    assert_eq!(ours.archive_policies.len(), theirs.len());
    for (ours, theirs) in ours.archive_policies.iter().zip(theirs) {
        assert_eq!(ours.name, theirs["name"]);
        assert_eq!(u64::from(ours.back_window), theirs["back_window"].as_u64().unwrap());
        let methods: Vec<_> = ours.aggregation_methods.iter().map(ToString::to_string).collect();
        assert_eq!(json!(methods), theirs["aggregation_methods"]);
        let span = |value: &Value| Timespan::parse(value.as_str().unwrap()).unwrap();
        let theirs = theirs["definition"].as_array().unwrap();
        assert_eq!(ours.definition.len(), theirs.len());
        for (ours, theirs) in ours.definition.iter().zip(theirs) {
            assert_eq!(ours.granularity, span(&theirs["granularity"]));
            assert_eq!(ours.timespan(), Some(span(&theirs["timespan"])));
        }
    }
}

#[test]
fn samples_say_of_their_resources_what_they_say_to_ceilometer() {
    let types = openstack::resource_types();
    let wrong: Vec<_> = SAMPLES.lines().filter_map(|line| compare(&types, &read(line))).collect();
    assert!(SAMPLES.lines().count() > 60);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn events_mean_what_they_mean_to_ceilometer() {
    let types = openstack::resource_types();
    let mut meaningful = 0;
    for line in EVENTS.lines() {
        let line = read(line);
        let event = json!({"message_id": "m", "generated": "2026-01-02T03:04:05", "event_type": line[0]["event_type"],
                           "traits": line[0]["traits"]});
        let event = Event::from_json(&event.to_string()).unwrap();
        let expected = &line[1];
        let ours = match types.lifecycle(&event) {
            Err(problem) => json!({"missing": problem.field_name()}),
            Ok(None) => Value::Null,
            Ok(Some(lifecycle)) => {
                let texts: BTreeMap<_, _> =
                    lifecycle.attributes.iter().map(|(name, value)| (name, value.to_owned())).collect();
                assert_eq!(texts.len(), attributes(&lifecycle.attributes).len());
                let query = |associated: &nephoscope_resource_types::Associated<'_>| {
                    json!([associated.resource_type, read(associated.query.as_str())])
                };
                let mut associated: Vec<_> = lifecycle.associated.iter().map(query).collect();
                associated.sort_by_key(ToString::to_string);
                json!({
                    "type": lifecycle.resource_type,
                    "change": match lifecycle.change {
                        Change::Create => "create",
                        Change::Update => "update",
                        Change::End => "delete",
                    },
                    "id": lifecycle.id,
                    "attributes": texts,
                    "associated": associated,
                })
            }
        };
        meaningful += usize::from(!ours.is_null());
        let mut expected = expected.clone();
        if let Some(associated) = expected.get_mut("associated").and_then(Value::as_array_mut) {
            associated.sort_by_key(ToString::to_string);
        }
        assert_eq!(ours, expected, "{}", line[0]);
    }
    assert!(meaningful > 10, "{meaningful}");
}

fn kind(json: &Value) -> AttributeKind {
    let length = |key: &str| u32::try_from(json[key].as_u64().unwrap()).unwrap();
    match json["type"].as_str().unwrap() {
        "string" => {
            AttributeKind::String { min_length: length("min_length"), max_length: length("max_length") }
        }
        "uuid" => AttributeKind::Uuid,
        "datetime" => AttributeKind::Datetime,
        other => panic!("{other}"),
    }
}

#[test]
fn types_are_as_ceilometer_upgrade_leaves_them() {
    let ours: BTreeMap<String, TypeDefinition> =
        openstack::type_definitions().into_iter().map(|known| (known.name.clone(), known)).collect();
    let theirs = read(TYPES);
    assert_eq!(ours.len(), 22);
    let names = |keys: Vec<&String>| keys.into_iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(ours.keys().collect()), names(theirs.as_object().unwrap().keys().collect()));
    for (name, attributes) in theirs.as_object().unwrap() {
        let made = ours[name].to_resource_type();
        assert_eq!(made.attributes.len(), ours[name].attributes.len(), "{name}");
        let expected: BTreeMap<_, _> = attributes
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, json)| {
                let required = json["required"].as_bool().unwrap();
                (name.clone(), Attribute { kind: kind(json), required })
            })
            .collect();
        let made: BTreeMap<_, _> = made.attributes.into_iter().collect();
        assert_eq!(made, expected, "{name}");
        for wanted in &ours[name].attributes {
            let fill = attributes[&wanted.name]["options"].get("fill");
            let expected = match fill {
                Some(fill) => AttributeValue::String(fill.as_str().unwrap().into()),
                None => AttributeValue::Null,
            };
            assert_eq!(wanted.fill, expected, "{name}.{}", wanted.name);
        }
    }
}

#[test]
fn a_type_that_exists_is_brought_up_to_date_and_no_further() {
    let instance = openstack::type_definitions().into_iter().find(|known| known.name == "instance").unwrap();
    let made = instance.to_resource_type();
    assert_eq!(instance.change_of(&made), None);

    let mut old: Existing = made.clone();
    old.attributes.shift_remove("flavor_name");
    old.attributes.get_mut("host").unwrap().required = true;
    // An operator's own: longer names, and an attribute.
    let longer = AttributeKind::String { min_length: 1, max_length: 1000 };
    old.attributes.insert("display_name".into(), Attribute { kind: longer, required: true });
    old.attributes.insert("rack".into(), Attribute { kind: longer, required: false });
    let change = instance.change_of(&old).unwrap();
    assert_eq!(change.add.keys().collect::<Vec<_>>(), ["flavor_name", "host"]);
    assert_eq!(change.add["flavor_name"].1, AttributeValue::String(String::new()));
    assert!(!change.add["host"].0.required);
    assert!(change.remove.is_empty());
}

#[test]
fn every_attribute_that_is_set_is_one_of_its_type_in_gnocchi() {
    let types = openstack::type_definitions();
    let facts = read(METERS);
    for (name, attributes) in facts["attributes"].as_object().unwrap() {
        let known = types.iter().find(|known| known.name == *name).unwrap();
        for attribute in attributes.as_object().unwrap().keys() {
            assert!(known.attributes.iter().any(|known| known.name == *attribute), "{name}.{attribute}");
        }
    }
}
