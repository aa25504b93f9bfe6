use nephoscope_gnocchi::{
    ArchivePolicyRule, Comparison, Error, Filter, Gnocchi, Measure, MetricChoice, MetricStatus, NewMetric,
    NewResource, Page, ResourceMeasures, Value,
};
use uuid::Uuid;

use crate::{creator, fresh, low, mean, new_metric, seconds, with_policy};

fn measures(values: &[(i64, f64)]) -> Vec<Measure> {
    values.iter().map(|(at, value)| Measure { timestamp: seconds(*at), value: *value }).collect()
}

fn named(name: &str) -> NewMetric {
    NewMetric { name: Some(name.into()), ..NewMetric::default() }
}

#[tokio::test]
async fn a_policy_in_use_cannot_be_deleted() {
    let fresh = fresh();
    let user = &fresh.user;
    user.create_archive_policy(low()).await.unwrap();
    assert!(matches!(
        user.create_archive_policy(low()).await,
        Err(Error::ArchivePolicyAlreadyExists(name)) if name == "low"
    ));
    let metric = NewMetric { archive_policy_name: Some("low".into()), ..NewMetric::default() };
    user.create_metric(metric).await.unwrap();
    let error = user.delete_archive_policy("low").await.unwrap_err();
    assert_eq!(error.to_string(), "Archive policy low is still in use");
    assert!(matches!(user.delete_archive_policy("high").await, Err(Error::NoSuchArchivePolicy(_))));
}

#[tokio::test]
async fn rules_are_tried_in_descending_order_of_their_patterns() {
    let fresh = fresh();
    let user = &fresh.user;
    for name in ["low", "high", "disk"] {
        let mut policy = low();
        policy.name = name.into();
        user.create_archive_policy(policy).await.unwrap();
    }
    for (name, metric_pattern, policy) in
        [("z", "*", "low"), ("b", "disk.io.*", "high"), ("a", "disk.*", "disk")]
    {
        let (metric_pattern, archive_policy_name) = (metric_pattern.into(), policy.into());
        let rule = ArchivePolicyRule { name: name.into(), metric_pattern, archive_policy_name };
        user.create_archive_policy_rule(rule).await.unwrap();
    }
    let order: Vec<_> =
        user.archive_policy_rules().await.unwrap().into_iter().map(|rule| rule.name).collect();
    assert_eq!(order, ["b", "a", "z"]);
    for (metric, policy) in [("disk.io.read", "high"), ("disk.size", "disk"), ("cpu", "low")] {
        let made = user.create_metric(named(metric)).await.unwrap();
        assert_eq!(made.archive_policy.name, policy);
    }
    user.rename_archive_policy_rule("b", "c").await.unwrap();
    assert!(matches!(
        user.rename_archive_policy_rule("c", "a").await,
        Err(Error::UnsupportedArchivePolicyRuleChange(..))
    ));
}

#[tokio::test]
async fn measures_of_unknown_metrics_and_resources_are_told_apart() {
    let fresh = with_policy().await;
    let user = &fresh.user;
    let unknown = Uuid::from_u128(7);
    let error = user.add_measures(vec![(unknown, measures(&[(0, 1.0)]))]).await.unwrap_err();
    assert_eq!(error.to_string(), format!("Unknown metrics: {unknown}"));

    user.create_resource("generic", NewResource { id: "vm".into(), ..NewResource::default() }).await.unwrap();
    let batch = |resources: &[&str]| -> Vec<ResourceMeasures> {
        let metrics = [("cpu".to_owned(), (new_metric(), measures(&[(0, 1.0), (60, 3.0)])))];
        let batch = resources.iter().map(|id| ResourceMeasures {
            resource_id: (*id).into(),
            metrics: metrics.clone().into_iter().collect(),
        });
        batch.collect()
    };
    let error = user.add_resource_measures(batch(&["vm"]), false).await.unwrap_err();
    assert!(matches!(&error, Error::UnknownMetrics(names) if names[0].ends_with("/cpu")), "{error}");
    let error = user.add_resource_measures(batch(&["away", "vm"]), true).await.unwrap_err();
    assert!(
        matches!(&error, Error::UnknownResources(unknown) if unknown[0].original_resource_id == "away"),
        "{error}"
    );
    // The metric that was made stays; its measures did not.
    let cpu = user.resource("generic", "vm").await.unwrap().metrics["cpu"];
    assert_eq!(user.measures(cpu, &mean()).await.unwrap(), []);
    user.add_resource_measures(batch(&["vm"]), true).await.unwrap();
    let points = user.measures(cpu, &mean()).await.unwrap();
    assert_eq!(points.len(), 1);
    assert_eq!((points[0].timestamp, points[0].value), (seconds(0), 2.0));
}

#[tokio::test]
async fn metrics_are_listed_in_pages_by_id_and_by_what_they_are() {
    let fresh = with_policy().await;
    let user = &fresh.user;
    for name in ["a", "b", "c", "d", "e"] {
        user.create_metric(named(name)).await.unwrap();
    }
    fresh.store.as_user(creator("other")).create_metric(named("a")).await.unwrap();
    let all = user.metrics(&MetricChoice::default()).await.unwrap();
    assert_eq!(all.len(), 6);
    assert!(all.is_sorted_by_key(|metric| metric.id));
    let page = Page { limit: Some(2), marker: Some(all[2].id.to_string()), sort: Vec::new() };
    let next = user.metrics(&MetricChoice { page, ..MetricChoice::default() }).await.unwrap();
    assert_eq!(next, all[3..5]);
    let by = |field: &str, value: &str| {
        Filter::Compare(Comparison::Equal, field.into(), Value::String(value.into()))
    };
    let filter = Some(Filter::And(vec![by("name", "a"), by("creator", "other:p")]));
    let found = user.metrics(&MetricChoice { filter, ..MetricChoice::default() }).await.unwrap();
    assert_eq!(found.len(), 1);
    let page = Page { marker: Some(Uuid::nil().to_string()), ..Page::default() };
    let error = user.metrics(&MetricChoice { page, ..MetricChoice::default() }).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Invalid pagination: `Invalid marker: `00000000-0000-0000-0000-000000000000''"
    );
}

#[tokio::test]
async fn a_deleted_metric_is_listed_as_deleted_alone() {
    let fresh = with_policy().await;
    let user = &fresh.user;
    let metric = user.create_metric(named("a")).await.unwrap();
    user.delete_metric(metric.id).await.unwrap();
    assert!(matches!(user.metric(metric.id).await, Err(Error::NoSuchMetric(_))));
    assert!(matches!(user.delete_metric(metric.id).await, Err(Error::NoSuchMetric(_))));
    assert_eq!(user.metrics(&MetricChoice::default()).await.unwrap(), []);
    let choice = MetricChoice { status: MetricStatus::Delete, ..MetricChoice::default() };
    assert_eq!(user.metrics(&choice).await.unwrap()[0].id, metric.id);
}
