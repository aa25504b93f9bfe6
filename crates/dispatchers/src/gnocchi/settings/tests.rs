use std::path::Path;
use std::sync::Arc;

use nephoscope_gnocchi::{Creator, Gnocchi};
use nephoscope_store::{Options, Store};
use nephoscope_telemetry::{Dispatcher, ErrorKind, Sample};

use super::*;
use crate::Around;
use crate::gnocchi::embedded;

fn user(store: &Store) -> Arc<dyn Gnocchi> {
    Arc::new(store.as_user(Creator { user_id: "admin".into(), project_id: None }))
}

fn dispatcher(directory: &Path, store: &Store, options: &str) -> Result<Arc<dyn Dispatcher>> {
    let around = Around { directory: directory.to_owned(), embedded: Some(user(store)) };
    embedded(&ConnectionString::parse(&format!("embedded://{options}")).unwrap(), &around)
}

fn sample(meter: &str, resource: &str) -> Sample {
    let text = format!(
        r#"{{"name": "{meter}", "type": "gauge", "unit": "x", "volume": 7, "resource_id": "{resource}", "timestamp": "2026-01-02T03:04:05", "resource_metadata": {{}}}}"#
    );
    Sample::from_json(&text).unwrap()
}

#[tokio::test]
async fn archive_policies_that_nobody_defines_are_made_of_granularity_and_ttl() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store"), Options::default()).unwrap();
    let user = user(&store);
    let path = directory.path().join("resources.yaml");
    let definitions =
        "archive_policy_default: mine\nresources:\n  - resource_type: volume\n    metrics: [volume.size]\n";
    fs::write(&path, definitions).unwrap();
    let kept = async |name: &str| {
        let policy = user.archive_policy(name).await.unwrap();
        let kept = policy.definition[0];
        assert_eq!(policy.aggregation_methods, [AggregationMethod::MEAN]);
        (kept.granularity.as_seconds(), kept.timespan().map(Timespan::as_seconds))
    };
    let some = [sample("volume.size", "v"), sample("no.such.meter", "thing")];
    let send = async |options: &str| {
        let dispatcher = dispatcher(directory.path(), &store, options).unwrap();
        assert_eq!(dispatcher.samples(&some).await.unwrap(), []);
    };
    let file = path.display();
    send(&format!("?resources_definition_file={file}&granularity=300&ttl=30d")).await;
    assert_eq!(kept("mine").await, (300.0, Some(2_592_000.0)));
    assert!(user.resource("generic", "thing").await.unwrap().metrics.contains_key("no.such.meter"));
    // What is there stays as it is, and without a granularity nothing is merged.
    send(&format!("?resources_definition_file={file}&archive_policy=other&ttl=1h")).await;
    assert_eq!(kept("mine").await, (300.0, Some(2_592_000.0)));
    assert_eq!(kept("other").await, (1.0, Some(3_600.0)));
    send(&format!("?resources_definition_file={file}&archive_policy=third&granularity=60")).await;
    assert_eq!(kept("third").await, (60.0, None));
}

#[tokio::test]
async fn a_misspelt_archive_policy_holds_samples_up_until_it_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store"), Options::default()).unwrap();
    let some = [sample("volume.size", "v"), sample("no.such.meter", "thing")];
    let defined = dispatcher(directory.path(), &store, "?archive_policy=ceilometer-high").unwrap();
    assert_eq!(defined.samples(&some).await.unwrap(), []);
    let misspelt = dispatcher(directory.path(), &store, "?archive_policy=hihg").unwrap();
    let error = misspelt.samples(&some).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let told = "`hihg` of option `archive_policy`; mend the names";
    assert!(error.to_string().contains(told), "{error}");
    let user = user(&store);
    assert!(user.archive_policy("hihg").await.is_err());
    let made = ArchivePolicy { name: "hihg".into(), ..user.archive_policy("ceilometer-high").await.unwrap() };
    user.create_archive_policy(made).await.unwrap();
    assert_eq!(misspelt.samples(&some).await.unwrap(), []);
}

#[tokio::test]
async fn archive_policies_misspelt_in_a_file_hold_samples_up_until_they_are_there() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store"), Options::default()).unwrap();
    let user = user(&store);
    let path = directory.path().join("resources.yaml");
    let definitions = "archive_policies:\n  - {name: mine, definition: [{granularity: 60}]}\narchive_policy_default: mien\n\
        resources:\n  - resource_type: volume\n    metrics:\n      volume.size: {archive_policy_name: gold}\n      a:\n      b:\n";
    fs::write(&path, definitions).unwrap();
    let options = format!("?resources_definition_file={}", path.display());
    let some = [sample("volume.size", "v"), sample("a", "v")];
    let misspelt = dispatcher(directory.path(), &store, &options).unwrap();
    let error = misspelt.samples(&some).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let file = path.display();
    let told = format!("`gold` of {file}:7:42, `mien` of {file}:3:25 (perhaps `mine`); mend the names");
    assert!(error.to_string().contains(&told), "{error}");
    assert_eq!(user.archive_policies().await.unwrap(), []);
    let policy = openstack::definitions().archive_policies.remove(0);
    for name in ["gold", "mien"] {
        user.create_archive_policy(ArchivePolicy { name: name.into(), ..policy.clone() }).await.unwrap();
    }
    assert_eq!(misspelt.samples(&some).await.unwrap(), []);
    assert!(user.resource("volume", "v").await.unwrap().metrics.contains_key("volume.size"));
}

#[tokio::test]
async fn a_policy_that_only_the_built_in_definitions_have_is_made_as_they_say() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store"), Options::default()).unwrap();
    let path = directory.path().join("resources.yaml");
    fs::write(&path, "resources:\n  - resource_type: volume\n    metrics: [volume.size]\n").unwrap();
    let options = format!("?resources_definition_file={}", path.display());
    let dispatcher = dispatcher(directory.path(), &store, &options).unwrap();
    assert_eq!(dispatcher.samples(&[sample("volume.size", "v")]).await.unwrap(), []);
    let made = user(&store).archive_policies().await.unwrap();
    let built_in = openstack::definitions().archive_policies;
    assert_eq!(made, [built_in.into_iter().find(|policy| policy.name == "ceilometer-low").unwrap()]);
}

#[test]
fn lengths_of_time_that_cannot_be_meant_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store"), Options::default()).unwrap();
    for options in ["?granularity=often", "?ttl=-1", "?granularity=5m&ttl=60"] {
        let error = dispatcher(directory.path(), &store, options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{options}");
    }
}
