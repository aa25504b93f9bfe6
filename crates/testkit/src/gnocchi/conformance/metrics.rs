//! Metrics.

use indexmap::IndexMap;
use nephoscope_gnocchi::{
    Comparison, Direction, Error, Filter, Metric, MetricChoice, MetricStatus, NamedMetric, NewMetric,
    NewResource, Page, Resource, Sort, Value,
};
use uuid::Uuid;

use super::Case;
use super::bench::{Bench, assert_refused, definition, is, methods};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_metric_is_there_as_it_was_made,
        a_metric_of_a_resource_has_a_name_of_its_own,
        a_metric_of_a_resource_that_is_not_there_is_refused,
        metrics_are_chosen_by_what_they_are,
        metrics_are_chosen_by_their_resources,
        metrics_are_listed_in_order_and_in_parts,
        a_deleted_metric_is_gone,
        a_choice_by_what_metrics_do_not_have_is_refused,
    ]
}

async fn a_metric_is_there_as_it_was_made(bench: Bench) {
    let policy = bench.policy().await;
    let resource = bench.resource("generic", "a", &[]).await;
    let metric = NewMetric {
        archive_policy_name: Some(policy.name.clone()),
        name: Some("cpu é?".into()),
        unit: Some("x".repeat(31)),
        resource_id: Some(bench.own("a")),
    };
    let made = bench.gnocchi.create_metric(metric).await.expect("it is made");
    assert_eq!((made.name.as_deref(), made.unit.as_ref().map(String::len)), (Some("cpu é?"), Some(31)));
    assert_eq!((made.creator.as_deref(), made.resource_id), (Some("admin"), Some(resource.id)));
    assert_eq!(made.archive_policy.name, policy.name);
    assert_eq!(made.archive_policy.definition, policy.definition);
    let read = bench.gnocchi.metric(made.id).await.expect("it is there");
    assert_eq!(read.resource.as_ref().map(|resource| resource.id), Some(resource.id));
    assert_eq!(without_resource(read), without_resource(made));
    let alone = bench.gnocchi.metric(bench.metric(&policy).await).await.expect("it is there");
    assert_eq!((alone.name, alone.unit, alone.resource_id, alone.resource), (None, None, None, None));
}

async fn a_metric_of_a_resource_that_is_not_there_is_refused(bench: Bench) {
    let metric = NewMetric {
        archive_policy_name: Some(bench.policy().await.name),
        name: Some("cpu".into()),
        unit: None,
        resource_id: Some(bench.own("nowhere")),
    };
    assert_refused!(bench.gnocchi.create_metric(metric).await, Error::NoSuchResource(_));
}

/// Methods have no order.
fn without_resource(metric: Metric) -> Metric {
    let mut metric = Metric { resource: None, ..metric };
    metric.archive_policy.aggregation_methods.sort();
    metric
}

async fn a_metric_of_a_resource_has_a_name_of_its_own(bench: Bench) {
    let policy = bench.policy().await;
    bench.resource("generic", "a", &[]).await;
    let make = async |name: Option<&str>, resource: Option<String>| {
        let (archive_policy_name, name) = (Some(policy.name.clone()), name.map(str::to_owned));
        bench
            .gnocchi
            .create_metric(NewMetric { archive_policy_name, name, unit: None, resource_id: resource })
            .await
    };
    make(Some("cpu"), Some(bench.own("a"))).await.expect("it is made");
    let again = make(Some("cpu"), Some(bench.own("a"))).await;
    assert_refused!(again, Error::NamedMetricAlreadyExists(name) if name == "cpu");
    assert_refused!(make(None, Some(bench.own("a"))).await, Error::Invalid(_));
    assert_refused!(make(Some("a/b"), None).await, Error::Invalid(_));
    // Without a resource, names need not differ.
    assert_ne!(
        make(Some("x"), None).await.expect("it is made").id,
        make(Some("x"), None).await.expect("it is").id
    );
}

impl Bench {
    /// Metrics `cpu` and `mem` of the resources `a` and `b`, and two of none. All have names of this case.
    async fn with_metrics(&self) -> (Resource, Resource) {
        let fine = self.policy_of("fine", vec![definition(1, None)], methods(&["mean"])).await.name;
        let coarse = self.policy_of("coarse", vec![definition(60, None)], methods(&["mean"])).await.name;
        let new = |policy: &str, unit: Option<&str>| NamedMetric::New {
            archive_policy_name: Some(policy.to_owned()),
            unit: unit.map(str::to_owned),
        };
        let mut made = Vec::new();
        for (name, project) in [("a", "red"), ("b", "blue")] {
            let metrics = IndexMap::from([
                (self.own(&format!("cpu-{name}")), new(&fine, Some("%"))),
                (self.own(&format!("mem-{name}")), new(&coarse, None)),
            ]);
            let project_id = Some(self.own(project));
            let resource = NewResource { id: self.own(name), project_id, metrics, ..NewResource::default() };
            made.push(self.gnocchi.create_resource("generic", resource).await.expect("it is made"));
        }
        for (name, gnocchi) in [("one", &self.gnocchi), ("other", &self.other)] {
            let metric = NewMetric {
                archive_policy_name: Some(coarse.clone()),
                name: Some(self.own(name)),
                unit: None,
                resource_id: None,
            };
            gnocchi.create_metric(metric).await.expect("it is made");
        }
        let mut made = made.into_iter();
        (made.next().expect("two are made"), made.next().expect("two are made"))
    }

    /// The names of those that are chosen and of this case, in alphabetical order.
    async fn chosen(&self, choice: MetricChoice) -> String {
        let found = self.gnocchi.metrics(&choice).await.expect("it is a list");
        let mut names: Vec<_> = found.iter().filter_map(|it| self.given(it.name.as_deref()?)).collect();
        names.sort();
        names.join(" ")
    }
}

fn by(filter: Filter) -> MetricChoice {
    MetricChoice { filter: Some(filter), ..MetricChoice::default() }
}

fn compare(comparison: Comparison, attribute: &str, value: Value) -> Filter {
    Filter::Compare(comparison, attribute.into(), value)
}

async fn metrics_are_chosen_by_what_they_are(bench: Bench) {
    let (a, _) = bench.with_metrics().await;
    let own = || Filter::Like("name".into(), bench.own("%"));
    let and = |filter| Filter::And(vec![own(), filter]);
    let not = |filter| Filter::Not(Box::new(filter));
    let cpu = a.metrics[&bench.own("cpu-a")].to_string();
    let text = |text: &str| Value::String(text.into());
    for (filter, wanted) in [
        (own(), "cpu-a cpu-b mem-a mem-b one other"),
        (is("name", &bench.own("cpu-a")), "cpu-a"),
        (is("id", &cpu), "cpu-a"),
        (and(is("id", &cpu)), "cpu-a"),
        (Filter::In("id".into(), vec![text(&cpu), text(&Uuid::from_u128(3).to_string())]), "cpu-a"),
        (is("archive_policy_name", &bench.own("fine")), "cpu-a cpu-b"),
        (and(is("unit", "%")), "cpu-a cpu-b"),
        (and(compare(Comparison::Equal, "unit", Value::Null)), "mem-a mem-b one other"),
        (and(compare(Comparison::NotEqual, "unit", text("%"))), "mem-a mem-b one other"),
        (and(not(is("unit", "%"))), ""),
        (and(is("creator", "other")), "other"),
        (and(not(is("creator", "other"))), "cpu-a cpu-b mem-a mem-b one"),
        (and(compare(Comparison::Greater, "name", text(&bench.own("mem-a")))), "mem-b one other"),
        (and(compare(Comparison::LessOrEqual, "name", text(&bench.own("cpu-b")))), "cpu-a cpu-b"),
        (Filter::In("name".into(), vec![text(&bench.own("one")), text(&bench.own("mem-b"))]), "mem-b one"),
        (and(Filter::Or(vec![is("name", &bench.own("one")), is("unit", "%")])), "cpu-a cpu-b one"),
        (Filter::And(vec![is("name", &bench.own("one")), is("name", &bench.own("other"))]), ""),
        (Filter::And(vec![is("name", &bench.own("cpu-a")), is("unit", "%")]), "cpu-a"),
        (Filter::And(vec![is("name", &bench.own("cpu-a")), is("creator", "other")]), ""),
    ] {
        assert_eq!(bench.chosen(by(filter.clone())).await, wanted, "{filter:?}");
    }
}

async fn metrics_are_chosen_by_their_resources(bench: Bench) {
    let (a, b) = bench.with_metrics().await;
    let text = |text: &str| Value::String(text.into());
    let both = vec![text(&a.id.to_string()), text(&bench.own("b")), text(&bench.own("nowhere"))];
    for (filter, wanted) in [
        (is("resource_id", &a.id.to_string()), "cpu-a mem-a"),
        (is("resource_id", &bench.own("b")), "cpu-b mem-b"),
        (is("resource_id", &bench.own("nowhere")), ""),
        (Filter::In("resource_id".into(), both), "cpu-a cpu-b mem-a mem-b"),
        (Filter::And(vec![is("resource_id", &bench.own("a")), is("unit", "%")]), "cpu-a"),
        (
            Filter::And(vec![
                Filter::Like("name".into(), bench.own("%")),
                compare(Comparison::Equal, "resource_id", Value::Null),
            ]),
            "one other",
        ),
        (
            Filter::And(vec![
                Filter::Like("name".into(), bench.own("%")),
                Filter::Not(Box::new(is("resource_id", &bench.own("a")))),
            ]),
            "cpu-b mem-b",
        ),
    ] {
        assert_eq!(bench.chosen(by(filter.clone())).await, wanted, "{filter:?}");
    }
    let of_blue = MetricChoice {
        resource_filter: Some(is("project_id", &bench.own("blue"))),
        ..by(Filter::And(vec![]))
    };
    assert_eq!(bench.chosen(of_blue.clone()).await, "cpu-b mem-b");
    let detailed = bench.gnocchi.metrics(&MetricChoice { details: true, ..of_blue.clone() }).await;
    for metric in detailed.expect("it is a list") {
        assert_eq!(metric.resource.map(|resource| resource.id), Some(b.id));
    }
    let plain = bench.gnocchi.metrics(&of_blue).await.expect("it is a list");
    assert!(plain.iter().all(|metric| metric.resource.is_none() && metric.resource_id == Some(b.id)));
}

async fn metrics_are_listed_in_order_and_in_parts(bench: Bench) {
    let policy = bench.policy().await.name;
    let count = super::MAX_LIMIT * 2;
    for number in 0..count {
        let metric = NewMetric {
            archive_policy_name: Some(policy.clone()),
            name: Some(format!("{:02}", count - number)),
            unit: None,
            resource_id: None,
        };
        bench.gnocchi.create_metric(metric).await.expect("it is made");
    }
    let list = async |page: Page| {
        let choice = MetricChoice { page, ..by(is("archive_policy_name", &policy)) };
        bench.gnocchi.metrics(&choice).await
    };
    let ids = |metrics: &[Metric]| metrics.iter().map(|metric| metric.id).collect::<Vec<_>>();
    let all = list(Page::default()).await.expect("it is a list");
    let mut sorted = ids(&all);
    sorted.sort();
    assert_eq!((ids(&all), all.len()), (sorted, count));
    let behind =
        Page { limit: Some(super::MAX_LIMIT + 1), marker: Some(all[1].id.to_string()), ..Page::default() };
    assert_eq!(ids(&list(behind).await.expect("it is a list")), ids(&all[2..super::MAX_LIMIT + 3]));
    let sort = Sort { key: "name".into(), direction: Direction::Descending, nulls: None };
    let by_name =
        list(Page { sort: vec![sort], limit: Some(9), ..Page::default() }).await.expect("it is a list");
    let names: Vec<_> = by_name.iter().filter_map(|metric| metric.name.clone()).collect();
    assert_eq!(names, (0..9).map(|number| format!("{:02}", count - number)).collect::<Vec<_>>());
    let nowhere = Page { marker: Some(Uuid::from_u128(9).to_string()), ..Page::default() };
    assert_refused!(list(nowhere).await, Error::InvalidPagination(_));
}

async fn a_deleted_metric_is_gone(bench: Bench) {
    let policy = bench.policy().await;
    let id = bench.metric(&policy).await;
    bench.store(id, &[(0, 1.0)]).await;
    bench.gnocchi.delete_metric(id).await.expect("it is deleted");
    assert_refused!(bench.gnocchi.metric(id).await, Error::NoSuchMetric(it) if *it == id.to_string());
    assert_refused!(bench.gnocchi.delete_metric(id).await, Error::NoSuchMetric(_));
    assert_refused!(bench.gnocchi.measures(id, &super::bench::all()).await, Error::NoSuchMetric(_));
    let added = bench.gnocchi.add_measures(vec![(id, vec![])]).await;
    assert_refused!(added, Error::UnknownMetrics(ids) if *ids == [id.to_string()]);
    let choice = by(is("archive_policy_name", &policy.name));
    assert!(bench.gnocchi.metrics(&choice).await.expect("it is a list").is_empty());
    // They are expunged by and by, so it is there or not, but never anything else.
    let deleted = MetricChoice { status: MetricStatus::Delete, ..choice };
    let deleted = bench.gnocchi.metrics(&deleted).await.expect("it is a list");
    assert!(deleted.iter().all(|metric| metric.id == id));
}

async fn a_choice_by_what_metrics_do_not_have_is_refused(bench: Bench) {
    let choose = async |filter| bench.gnocchi.metrics(&by(filter)).await;
    assert_refused!(choose(is("nothing", "x")).await, Error::NoSuchAttribute { attribute, .. } if attribute == "nothing");
    assert_refused!(choose(is("id", "no id")).await, Error::InvalidFilterValue { .. });
    assert_refused!(choose(Filter::Like("id".into(), "%".into())).await, Error::InvalidFilterValue { .. });
    assert_refused!(choose(is("resource_id", "a/b")).await, Error::InvalidFilterValue { .. });
}
