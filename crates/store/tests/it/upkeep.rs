use std::time::Duration;

use nephoscope_gnocchi::{
    Error, Gnocchi, MetricChoice, NewMetric, NewResource, Page, ResourceChange, ResourceSelection,
};
use nephoscope_store::{Options, Store};

use crate::{creator, new_metric, seconds, with_policy};

#[tokio::test]
async fn what_is_deleted_is_expunged_and_lets_its_policy_go() {
    let fresh = with_policy().await;
    let user = &fresh.user;
    let new = NewMetric { name: Some("a".into()), ..NewMetric::default() };
    let metric = user.create_metric(new).await.unwrap();
    user.delete_metric(metric.id).await.unwrap();
    user.delete_archive_policy_rule("default").await.unwrap();
    assert!(matches!(user.delete_archive_policy("low").await, Err(Error::ArchivePolicyInUse(_))));
    fresh.store.compact().await.unwrap();
    user.delete_archive_policy("low").await.unwrap();
    let stats = fresh.store.stats().await.unwrap();
    assert_eq!((stats.metrics, stats.deleted_metrics, stats.archive_policies), (0, 0, 0));
}

#[tokio::test]
async fn what_is_older_than_it_shall_be_goes() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Options::default()).unwrap();
    let user = store.as_user(creator("jd"));
    let started_at = Some(seconds(0));
    for (id, ended_at) in
        [("old", Some(seconds(1))), ("ended", Some(seconds(9_000_000_000))), ("lives", None)]
    {
        let new = NewResource { id: id.into(), started_at, ended_at, ..NewResource::default() };
        user.create_resource("generic", new).await.unwrap();
        let change = ResourceChange { user_id: Some(Some("u".into())), ..ResourceChange::default() };
        user.update_resource("generic", id, change).await.unwrap();
    }
    assert_eq!(user.history("generic", "lives", &Page::default()).await.unwrap().len(), 2);
    drop((user, store));

    // Only now, since the upkeep of a store that is open begins at once.
    let mut options = Options::default();
    options.purge_ended_resources = Some(Duration::from_secs(3600));
    options.purge_revisions = Some(Duration::ZERO);
    let store = Store::open(directory.path(), options).unwrap();
    let user = store.as_user(creator("jd"));
    store.compact().await.unwrap();
    let left = user.resources("generic", &ResourceSelection::default()).await.unwrap();
    let left: Vec<_> = left.iter().map(|left| left.original_resource_id.as_str()).collect();
    assert_eq!(left, ["ended", "lives"]);
    assert_eq!(user.history("generic", "lives", &Page::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_backup_is_a_store_with_the_same_in_it() {
    let fresh = with_policy().await;
    let user = &fresh.user;
    let metrics = [("cpu".to_owned(), new_metric())].into_iter().collect();
    let new = NewResource { id: "vm".into(), metrics, ..NewResource::default() };
    user.create_resource("generic", new).await.unwrap();
    let change = ResourceChange { user_id: Some(Some("u".into())), ..ResourceChange::default() };
    user.update_resource("generic", "vm", change).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("backup");
    fresh.store.backup(&to).await.unwrap();
    let error = fresh.store.backup(&to).await.unwrap_err();
    assert!(error.to_string().contains("holds a store already"), "{error}");

    let copy = Store::open(&to, Options::default()).unwrap();
    let other = copy.as_user(creator("jd"));
    let page = Page::default();
    assert_eq!(
        other.history("generic", "vm", &page).await.unwrap(),
        user.history("generic", "vm", &page).await.unwrap()
    );
    let choice = MetricChoice::default();
    assert_eq!(other.metrics(&choice).await.unwrap(), user.metrics(&choice).await.unwrap());
    assert_eq!(copy.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_backup_that_was_cut_short_is_no_store() {
    let fresh = with_policy().await;
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("backup");
    fresh.store.backup(&to).await.unwrap();
    assert!(Store::is_in(&to));
    // It is written last.
    std::fs::remove_file(to.join("format")).unwrap();
    assert!(!Store::is_in(&to));
    let error = Store::open(&to, Options::default()).unwrap_err();
    assert!(error.to_string().contains("not a metric store, and not empty"), "{error}");
    assert!(fresh.store.backup(&to).await.is_err());
}
