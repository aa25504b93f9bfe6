//! Measures of the metrics of resources.

use indexmap::IndexMap;
use nephoscope_gnocchi::{Error, Measure, NamedMetric, Resource, ResourceMeasures, Result};

use super::Case;
use super::bench::{Bench, assert_refused, seconds};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        measures_go_to_the_metrics_of_resources,
        metrics_that_are_not_there_are_told,
        metrics_are_made_where_it_is_said_so,
        resources_that_are_not_there_are_told_and_made_metrics_stay,
        a_metric_for_which_there_is_no_policy_is_refused,
        an_empty_batch_is_stored,
    ]
}

fn new(policy: Option<&str>, unit: Option<&str>) -> NamedMetric {
    NamedMetric::New { archive_policy_name: policy.map(Into::into), unit: unit.map(Into::into) }
}

impl Bench {
    fn measures(&self, resource: &str, metrics: &[(&str, NamedMetric, f64)]) -> ResourceMeasures {
        let metrics = metrics.iter().map(|(name, metric, value)| {
            ((*name).to_owned(), (metric.clone(), vec![Measure { timestamp: seconds(60), value: *value }]))
        });
        ResourceMeasures { resource_id: self.own(resource), metrics: metrics.collect() }
    }

    async fn batch(&self, measures: Vec<ResourceMeasures>, create_metrics: bool) -> Result<()> {
        self.gnocchi.add_resource_measures(measures, create_metrics).await
    }

    /// What the metrics of a resource hold, by their names.
    async fn held(&self, resource: &str) -> Vec<(String, Vec<(i64, f64)>)> {
        let resource = self.gnocchi.resource("generic", &self.own(resource)).await.expect("it is there");
        let mut held = Vec::new();
        for (name, id) in resource.metrics {
            held.push((name, self.minutes(id).await));
        }
        held
    }

    /// A resource with a metric `cpu`.
    async fn with_cpu(&self, name: &str) -> Resource {
        let policy = self.own("policy");
        self.resource("generic", name, &[]).await;
        let metrics = vec![("cpu".to_owned(), new(Some(&policy), None))];
        self.gnocchi.add_metrics("generic", &self.own(name), metrics).await.expect("it gets one")
    }
}

fn point(name: &str, value: f64) -> (String, Vec<(i64, f64)>) {
    (name.into(), vec![(60, value)])
}

async fn measures_go_to_the_metrics_of_resources(bench: Bench) {
    bench.policy().await;
    let a = bench.with_cpu("a").await;
    bench.with_cpu("b").await;
    let mut by_id = bench.measures("a", &[("cpu", new(None, None), 1.0)]);
    by_id.resource_id = a.id.to_string();
    let measures = vec![by_id, bench.measures("b", &[("cpu", new(None, None), 2.0)])];
    bench.batch(measures, false).await.expect("they are stored");
    assert_eq!(bench.held("a").await, [point("cpu", 1.0)]);
    assert_eq!(bench.held("b").await, [point("cpu", 2.0)]);
    // To others the same name is another resource.
    let measures = vec![bench.measures("b", &[("cpu", new(None, None), 3.0)])];
    let refused = bench.other.add_resource_measures(measures, false).await;
    assert_refused!(refused, Error::UnknownMetrics(_));
}

async fn metrics_that_are_not_there_are_told(bench: Bench) {
    bench.policy().await;
    let a = bench.with_cpu("a").await;
    let none = new(None, None);
    let measures = vec![
        bench.measures(
            "a",
            &[("cpu", none.clone(), 1.0), ("mem", none.clone(), 1.0), ("disk", none.clone(), 1.0)],
        ),
        bench.measures("nowhere", &[("cpu", none, 1.0)]),
    ];
    let refused = bench.batch(measures, false).await;
    let Err(Error::UnknownMetrics(unknown)) = refused else { panic!("{refused:?}") };
    assert_eq!(unknown.len(), 3);
    for name in ["mem", "disk"] {
        assert!(unknown.contains(&format!("{}/{name}", a.id)), "{unknown:?}");
    }
    assert!(unknown.is_sorted(), "{unknown:?}");
    assert_eq!(bench.held("a").await, [("cpu".to_owned(), vec![])]);
}

async fn metrics_are_made_where_it_is_said_so(bench: Bench) {
    let policy = bench.policy().await.name;
    let a = bench.with_cpu("a").await;
    let made = new(Some(&policy), Some("MB"));
    let measures = bench.measures("a", &[("cpu", made.clone(), 1.0), ("mem é", made, 2.0)]);
    for _ in 0..2 {
        bench.batch(vec![measures.clone()], true).await.expect("they are stored");
    }
    assert_eq!(bench.held("a").await, [point("cpu", 1.0), point("mem é", 2.0)]);
    let now = bench.gnocchi.resource("generic", &bench.own("a")).await.expect("it is there");
    assert_eq!((now.metrics["cpu"], now.revision_start), (a.metrics["cpu"], a.revision_start));
    let made = bench.gnocchi.metric(now.metrics["mem é"]).await.expect("it is there");
    assert_eq!((made.archive_policy.name, made.unit.as_deref()), (policy, Some("MB")));
    assert_eq!((made.creator.as_deref(), made.resource_id), (Some("admin"), Some(a.id)));
}

async fn resources_that_are_not_there_are_told_and_made_metrics_stay(bench: Bench) {
    let policy = bench.policy().await.name;
    bench.with_cpu("a").await;
    let made = new(Some(&policy), None);
    let some = |name: &str, value| {
        bench.measures(name, &[("cpu", made.clone(), value), ("mem", made.clone(), value)])
    };
    let measures = vec![some("x", 1.0), some("a", 2.0), some("y", 3.0)];
    let refused = bench.batch(measures.clone(), true).await;
    let Err(Error::UnknownResources(unknown)) = refused else { panic!("{refused:?}") };
    let named: Vec<_> = unknown.iter().map(|it| it.original_resource_id.clone()).collect();
    assert_eq!(named, [bench.own("x"), bench.own("y")]);
    assert_eq!(bench.held("a").await, [("cpu".to_owned(), vec![]), ("mem".to_owned(), vec![])]);
    // As Ceilometer does: make them, and send it all again.
    for (unknown, name) in unknown.iter().zip(["x", "y"]) {
        assert_eq!(bench.resource("generic", name, &[]).await.id, unknown.resource_id);
    }
    bench.batch(measures, true).await.expect("they are stored");
    for (name, value) in [("x", 1.0), ("a", 2.0), ("y", 3.0)] {
        assert_eq!(bench.held(name).await, [point("cpu", value), point("mem", value)]);
    }
}

async fn a_metric_for_which_there_is_no_policy_is_refused(bench: Bench) {
    bench.policy().await;
    bench.with_cpu("a").await;
    let name = bench.own("mem");
    let measures = bench.measures("a", &[(&name, new(None, None), 1.0)]);
    let refused = bench.batch(vec![measures], true).await;
    assert_refused!(refused, Error::NoArchivePolicyRuleMatch(it) if *it == name);
    let nowhere = bench.own("nowhere");
    let measures = bench.measures("a", &[(&name, new(Some(&nowhere), None), 1.0)]);
    let refused = bench.batch(vec![measures], true).await;
    assert_refused!(refused, Error::NoSuchArchivePolicy(it) if *it == nowhere);
    let measures = bench.measures("a", &[("a/b", new(Some(&bench.own("policy")), None), 1.0)]);
    assert_refused!(bench.batch(vec![measures], true).await, Error::Invalid(_));
}

async fn an_empty_batch_is_stored(bench: Bench) {
    bench.batch(vec![], true).await.expect("nothing is easily stored");
    let nothing = ResourceMeasures { resource_id: bench.own("nowhere"), metrics: IndexMap::new() };
    bench.batch(vec![nothing], true).await.expect("nothing is easily stored");
}
