mod early;
mod published;

use nephoscope_gnocchi::{
    AggregationMethod, AttributeValue, Creator, Function, MetricChoice, Range, ResourceSelection,
};
use nephoscope_resource_types::openstack;
use nephoscope_store::{Options, Store};
use nephoscope_telemetry::ErrorKind;
use nephoscope_testkit::http::{HttpDouble, Reply};

use super::*;

/// A dispatcher into a store of its own.
struct Rig {
    directory: tempfile::TempDir,
    store: Store,
}

impl Rig {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("store"), Options::default()).unwrap();
        Self { directory, store }
    }

    fn user(&self) -> Arc<dyn Gnocchi> {
        Arc::new(self.store.as_user(Creator { user_id: "admin".into(), project_id: None }))
    }

    fn around(&self) -> Around {
        Around { directory: self.directory.path().to_owned(), embedded: Some(self.user()) }
    }

    fn dispatcher(&self, options: &str) -> Arc<dyn Dispatcher> {
        let to = ConnectionString::parse(&format!("embedded://{options}")).unwrap();
        embedded(&to, &self.around()).unwrap()
    }
}

const VM: &str = "2f1e0d3c-4b5a-4697-8877-a1b2c3d4e5f6";

fn sample(meter: &str, resource: &str, volume: &str, second: u32, metadata: &str) -> Sample {
    let text = format!(
        r#"{{"name": "{meter}", "type": "gauge", "unit": "x", "volume": {volume}, "user_id": "u", "project_id": "p", "resource_id": "{resource}", "timestamp": "2026-01-02T03:04:{second:02}+00:00", "resource_metadata": {metadata}}}"#
    );
    Sample::from_json(&text).unwrap()
}

/// Of an instance.
fn of_vm(meter: &str, volume: &str, second: u32) -> Sample {
    sample(meter, VM, volume, second, VM_METADATA)
}

const VM_METADATA: &str = r#"{"display_name": "web-1", "host": "h1", "flavor": {"id": "f", "name": "m1"}}"#;

async fn mean(user: &dyn Gnocchi, resource_type: &str, id: &str, metric: &str) -> Vec<f64> {
    let resource = user.resource(resource_type, id).await.unwrap();
    let range = Range {
        start: None,
        stop: None,
        aggregation: AggregationMethod { rate: false, function: Function::Mean },
        granularity: None,
        resample: None,
    };
    let points = user.measures(resource.metrics[metric], &range).await.unwrap();
    points.into_iter().map(|point| point.value).collect()
}

#[tokio::test]
async fn samples_become_measures_of_resources_with_their_attributes() {
    let rig = Rig::new();
    let (dispatcher, user) = (rig.dispatcher(""), rig.user());
    let samples = [
        of_vm("memory.usage", "1", 1),
        of_vm("cpu", "10", 2),
        sample(
            "disk.device.read.bytes",
            "vm/vda",
            "5",
            3,
            &format!(r#"{{"disk_name": "vda", "instance_id": "{VM}"}}"#),
        ),
        of_vm("memory.usage", "3", 4),
        sample("no.such.meter", "thing #1?", "7", 5, "{}"),
        of_vm("vcpus", "null", 5),
    ];
    assert_eq!(dispatcher.samples(&samples).await.unwrap(), []);
    assert_eq!(mean(&*user, "instance", VM, "memory.usage").await, [2.0]);
    assert_eq!(mean(&*user, "instance", VM, "cpu").await, [10.0]);
    let instance = user.resource("instance", VM).await.unwrap();
    assert_eq!(instance.attributes["display_name"], AttributeValue::String("web-1".into()));
    assert_eq!(instance.attributes["flavor_name"], AttributeValue::String("m1".into()));
    assert_eq!((instance.user_id.as_deref(), instance.project_id.as_deref()), (Some("u"), Some("p")));
    assert!(!instance.metrics.contains_key("vcpus"));
    let disk = user.resource("instance_disk", "vm_vda").await.unwrap();
    assert_eq!(disk.attributes["name"], AttributeValue::String("vda".into()));
    assert_eq!(mean(&*user, "generic", "thing #1?", "no.such.meter").await, [7.0]);
    let metrics = user.metrics(&MetricChoice::default()).await.unwrap();
    let cpu = metrics.iter().find(|metric| metric.name.as_deref() == Some("cpu")).unwrap();
    assert_eq!(cpu.archive_policy.name, "ceilometer-low-rate");
    assert_eq!(cpu.unit.as_deref(), Some("x"));
}

#[tokio::test]
async fn attributes_are_changed_once_and_remembered_over_restarts() {
    let rig = Rig::new();
    let user = rig.user();
    let revisions =
        async || user.history("instance", VM, &nephoscope_gnocchi::Page::default()).await.unwrap().len();
    let dispatcher = rig.dispatcher("");
    for second in 0..3 {
        dispatcher.samples(&[of_vm("memory.usage", "1", second)]).await.unwrap();
    }
    assert_eq!(revisions().await, 1);
    let moved = VM_METADATA.replace("h1", "h2");
    dispatcher.samples(&[sample("memory.usage", VM, "1", 4, &moved)]).await.unwrap();
    assert_eq!(revisions().await, 2);
    drop(dispatcher);
    // Somebody changes it: a dispatcher that remembers does not change it back.
    let mut change = ResourceChange::default();
    change.attributes.insert("host".into(), AttributeValue::String("h3".into()));
    user.update_resource("instance", VM, change).await.unwrap();
    let dispatcher = rig.dispatcher("");
    dispatcher.samples(&[sample("memory.usage", VM, "1", 5, &moved)]).await.unwrap();
    assert_eq!(revisions().await, 3);
    assert_eq!(
        user.resource("instance", VM).await.unwrap().attributes["host"],
        AttributeValue::String("h3".into())
    );
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused_and_holds_up_nothing() {
    let rig = Rig::new();
    let (dispatcher, user) = (rig.dispatcher(""), rig.user());
    let mut late = of_vm("memory.usage", "1", 1);
    late.timestamp = "when it rained".into();
    let samples = [
        of_vm("memory.usage", "\"many\"", 1),
        late,
        of_vm("memory.usage", "4", 1),
        // An instance needs a name.
        sample("vcpus", "nameless", "1", 1, "{}"),
        of_vm("vcpus", "2", 1),
        sample("vcpus", &"x".repeat(300), "1", 1, VM_METADATA),
    ];
    let refused = dispatcher.samples(&samples).await.unwrap();
    let told: Vec<_> = refused.iter().map(|refused| (refused.at, refused.reason.as_str())).collect();
    assert_eq!(told.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 1, 3, 5], "{told:?}");
    assert!(told[0].1.contains("\"many\" is no number") && told[1].1.contains("when it rained"), "{told:?}");
    assert!(told[2].1.contains("cannot be made"), "{told:?}");
    assert_eq!(mean(&*user, "instance", VM, "memory.usage").await, [4.0]);
    assert_eq!(mean(&*user, "instance", VM, "vcpus").await, [2.0]);
}

#[tokio::test]
async fn a_resource_that_was_deleted_is_made_again() {
    let rig = Rig::new();
    let (dispatcher, user) = (rig.dispatcher(""), rig.user());
    dispatcher.samples(&[of_vm("vcpus", "1", 1)]).await.unwrap();
    user.delete_resource("instance", VM).await.unwrap();
    dispatcher.samples(&[of_vm("vcpus", "2", 2)]).await.unwrap();
    assert_eq!(mean(&*user, "instance", VM, "vcpus").await, [2.0]);
    let instance = user.resource("instance", VM).await.unwrap();
    assert_eq!(instance.attributes["display_name"], AttributeValue::String("web-1".into()));
}

#[tokio::test]
async fn samples_can_be_left_out() {
    let rig = Rig::new();
    let user = rig.user();
    let some = [of_vm("vcpus", "1", 1), sample("no.such.meter", "thing", "7", 5, "{}")];
    rig.dispatcher("?filter_project=p").samples(&some).await.unwrap();
    let mut swift = sample("storage.objects", "p", "1", 1, "{}");
    swift.project_id = None;
    rig.dispatcher("?filter_project=p").samples(&[swift]).await.unwrap();
    let all = async || user.resources("generic", &ResourceSelection::default()).await.unwrap().len();
    assert_eq!(all().await, 0);
    rig.dispatcher("?unowned=drop&archive_policy=ceilometer-high").samples(&some).await.unwrap();
    assert_eq!(all().await, 1);
    let metrics = user.metrics(&MetricChoice::default()).await.unwrap();
    assert_eq!(metrics[0].archive_policy.name, "ceilometer-high");
}

#[tokio::test]
async fn policies_and_types_are_made_and_brought_up_to_date() {
    let rig = Rig::new();
    let user = rig.user();
    let mut early = openstack::type_definitions().swap_remove(0);
    assert_eq!(early.name, "instance");
    early.attributes.truncate(4);
    user.create_resource_type(early.to_resource_type()).await.unwrap();
    rig.dispatcher("").samples(&[of_vm("vcpus", "1", 1)]).await.unwrap();
    let instance = user.resource_type("instance").await.unwrap();
    assert_eq!(instance.attributes.len(), openstack::type_definitions()[0].attributes.len());
    assert!(
        user.archive_policies().await.unwrap().iter().any(|policy| policy.name == "ceilometer-high-rate")
    );
    // A second time there is nothing to do.
    rig.dispatcher("").samples(&[of_vm("vcpus", "1", 2)]).await.unwrap();
}

#[tokio::test]
async fn events_make_change_and_end_resources() {
    let rig = Rig::new();
    let (dispatcher, user) = (rig.dispatcher(""), rig.user());
    let event = |event_type: &str, traits: &str| {
        Event::from_json(&format!(
            r#"{{"message_id": "m", "event_type": "{event_type}", "generated": "2026-01-02T03:04:05", "traits": {traits}, "raw": {{}}}}"#
        ))
        .unwrap()
    };
    let created = event(
        "compute.instance.create.end",
        &format!(
            r#"[["instance_id", 1, "{VM}"], ["display_name", 1, "web-1"], ["host", 1, "h1"], ["instance_flavor_id", 1, "f"], ["instance_type", 1, "m1"], ["user_id", 1, "u"], ["project_id", 1, "p"]]"#
        ),
    );
    let other = event("image.update", "[]");
    assert_eq!(dispatcher.events(&[created.clone(), other, created]).await.unwrap(), []);
    let disk = sample(
        "disk.device.read.bytes",
        "vm-vda",
        "5",
        3,
        &format!(r#"{{"disk_name": "vda", "instance_id": "{VM}"}}"#),
    );
    dispatcher.samples(&[disk]).await.unwrap();
    let instance = user.resource("instance", VM).await.unwrap();
    assert_eq!((instance.project_id.as_deref(), instance.ended_at), (Some("p"), None));
    let deleted = event("compute.instance.delete.start", &format!(r#"[["instance_id", 1, "{VM}"]]"#));
    let nameless = event("compute.instance.delete.start", "[]");
    let refused = dispatcher.events(&[deleted, nameless]).await.unwrap();
    assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [1]);
    for (resource_type, id) in [("instance", VM), ("instance_disk", "vm-vda")] {
        assert!(user.resource(resource_type, id).await.unwrap().ended_at.is_some(), "{id}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let rig = Rig::new();
    let around = rig.around();
    for url in [
        "embedded://?unowned=maybe",
        "embedded:///elsewhere",
        "embedded://?other=1",
        "embedded://?resources_definition_file=/missing",
    ] {
        let error = embedded(&ConnectionString::parse(url).unwrap(), &around).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{url}");
    }
    let around = Around { embedded: None, ..around };
    let error = embedded(&ConnectionString::parse("embedded://").unwrap(), &around).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn answers_that_make_no_sense_hold_up_no_measures() {
    let double = HttpDouble::start(|_| Reply::json(200, "{}"));
    let to = ConnectionString::parse(&format!("gnocchi://127.0.0.1:{}", double.port())).unwrap();
    let dispatcher = remote(&to, &Rig::new().around()).unwrap();
    assert_eq!(dispatcher.samples(&[of_vm("cpu", "1", 1)]).await.unwrap(), []);
    let sent = double.received();
    assert!(sent.iter().any(|request| request.target.starts_with("/v1/batch/resources")), "{sent:?}");
}
