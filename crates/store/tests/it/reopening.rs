use std::fs;

use nephoscope_gnocchi::{
    Error, Gnocchi, Measure, MetricChoice, NewResource, Page, ResourceChange, ResourceSelection,
};
use nephoscope_store::{Options, Store};

use crate::{creator, low, mean, new_metric, seconds};

#[tokio::test]
async fn everything_is_there_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Options::default()).unwrap();
    let user = store.as_user(creator("jd"));
    let mut policy = low();
    policy.name = "kept".into();
    user.create_archive_policy(policy).await.unwrap();
    let cpu = nephoscope_gnocchi::NamedMetric::New {
        archive_policy_name: Some("kept".into()),
        unit: Some("ns".into()),
    };
    let metrics = [("cpu".to_owned(), cpu.clone()), ("gone".to_owned(), cpu)].into_iter().collect();
    let new = NewResource { id: "vm".into(), metrics, ..NewResource::default() };
    let made = user.create_resource("generic", new).await.unwrap();
    user.delete_metric(made.metrics["gone"]).await.unwrap();
    let change = ResourceChange { user_id: Some(Some("u".into())), ..ResourceChange::default() };
    user.update_resource("generic", "vm", change).await.unwrap();
    let measures = vec![Measure { timestamp: seconds(600), value: 4.0 }];
    user.add_measures(vec![(made.metrics["cpu"], measures)]).await.unwrap();
    let points = user.measures(made.metrics["cpu"], &mean()).await.unwrap();
    assert_eq!(points.len(), 1);
    let history = user.history("generic", "vm", &Page::default()).await.unwrap();
    let metrics = user.metrics(&MetricChoice::default()).await.unwrap();
    drop((user, store));

    let store = Store::open(directory.path(), Options::default()).unwrap();
    let user = store.as_user(creator("jd"));
    assert_eq!(user.archive_policies().await.unwrap()[0].name, "kept");
    assert_eq!(user.history("generic", "vm", &Page::default()).await.unwrap(), history);
    assert_eq!(user.metrics(&MetricChoice::default()).await.unwrap(), metrics);
    assert!(matches!(user.metric(made.metrics["gone"]).await, Err(Error::NoSuchMetric(_))));
    assert_eq!(user.measures(made.metrics["cpu"], &mean()).await.unwrap(), points);
    // A new metric gets a key of its own, and the next revision the next number.
    user.add_metrics("generic", "vm", vec![("mem".into(), new_metric())]).await.unwrap_err();
    let change = ResourceChange { user_id: Some(None), ..ResourceChange::default() };
    user.update_resource("generic", "vm", change).await.unwrap();
    let numbers: Vec<_> = user.history("generic", "vm", &Page::default()).await.unwrap();
    assert_eq!(numbers.iter().map(|revision| revision.revision).collect::<Vec<_>>(), [1, 2, -1]);
    user.delete_resource("generic", "vm").await.unwrap();
    let history = ResourceSelection { history: true, ..ResourceSelection::default() };
    assert_eq!(user.resources("generic", &history).await.unwrap(), []);
}

#[test]
fn a_directory_that_is_not_ours_or_that_another_has_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("notes"), "mine").unwrap();
    let error = Store::open(directory.path(), Options::default()).unwrap_err();
    assert!(error.to_string().contains("it holds notes"), "{error}");
    let path = directory.path().join("store");
    let store = Store::open(&path, Options::default()).unwrap();
    let error = Store::open(&path, Options::default()).unwrap_err();
    assert!(error.to_string().contains("this process has it open already"), "{error}");
    drop(store);
    fs::write(path.join("format"), "nephoscope metric store 9\n").unwrap();
    let error = Store::open(&path, Options::default()).unwrap_err();
    assert!(error.to_string().contains("has format 9"), "{error}");
}

#[test]
fn damage_is_told_and_is_no_panic() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path(), Options::default()).unwrap());
    let marker = directory.path().join("index/keyspaces/3/current");
    fs::remove_file(&marker).unwrap();
    let error = Store::open(directory.path(), Options::default()).unwrap_err();
    assert!(error.to_string().contains("restore the directory from a backup"), "{error}");
    // Nothing else was taken away.
    assert!(directory.path().join("index/keyspaces/4/current").exists());
}
