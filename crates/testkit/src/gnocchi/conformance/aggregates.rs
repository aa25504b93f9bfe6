//! Calculations across metrics.

use nephoscope_gnocchi::{
    AggregatesAnswer, AggregatesQuery, AttributeKind, AttributeValue, BinaryFunction, CrossAggregation,
    CrossFunction, Error, Fill, Filter, Group, NamedMetric, Operation, Overlap, Point, Reference, Resolution,
    ResourceChange, Result, SeriesOf, Subject, UnaryFunction,
};
use uuid::Uuid;

use super::Case;
use super::bench::{Bench, TEXT, assert_refused, definition, is, map, methods, plain, seconds, span, text};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        series_of_metrics_are_given_as_they_are,
        series_are_aggregated_across_metrics,
        series_are_counted_across_metrics,
        every_operation_gives_its_value,
        gaps_are_filled,
        a_range_and_a_granularity_are_kept_to,
        metrics_are_found_by_their_resources,
        resources_are_grouped,
        revisions_are_told_apart,
        what_it_was_calculated_from_is_told,
        a_calculation_of_what_is_not_there_is_refused,
        a_calculation_that_cannot_be_is_refused,
    ]
}

fn query(operation: Operation) -> AggregatesQuery {
    AggregatesQuery {
        operation,
        subject: Subject::Metrics,
        start: None,
        stop: None,
        granularity: Some(span(60)),
        fill: Fill::DropNa,
        details: false,
    }
}

fn metrics(ids: &[Uuid]) -> Operation {
    Operation::Metrics(ids.iter().map(|id| (id.to_string(), "mean".into())).collect())
}

fn named(name: &str) -> Operation {
    Operation::Metrics(vec![(name.into(), "mean".into())])
}

fn across(function: CrossFunction, of: Operation) -> Operation {
    Operation::Aggregate(CrossAggregation { rate: false, function }, Box::new(of))
}

fn binary(function: BinaryFunction, one: Operation, other: f64) -> Operation {
    Operation::Binary(function, Box::new(one), Box::new(Operation::Number(other)))
}

fn unary(function: UnaryFunction, of: Operation) -> Operation {
    Operation::Unary(function, Box::new(of))
}

/// Those of resources of that type.
fn of_type(resource_type: &str, filter: Option<Filter>, groupby: &[&str]) -> Subject {
    Subject::Resources {
        resource_type: resource_type.into(),
        filter,
        groupby: groupby.iter().map(ToString::to_string).collect(),
        use_history: false,
    }
}

fn whole(answer: Result<AggregatesAnswer>) -> Group {
    match answer.expect("it is calculated") {
        AggregatesAnswer::Whole(group) => group,
        grouped => panic!("{grouped:?} has groups"),
    }
}

/// The only series, of all metrics together.
fn aggregated(answer: Result<AggregatesAnswer>) -> Vec<(i64, f64)> {
    let Group { measures, .. } = whole(answer);
    match measures.as_slice() {
        [(SeriesOf::Aggregated, points)] => plain(points),
        other => panic!("{other:?} is not one series"),
    }
}

impl Bench {
    /// Two metrics of 1, 2, 4 and of 10, 30, 40 at 0, 60 and 120 s, and at 60, 120 and 180 s.
    async fn two(&self) -> [Uuid; 2] {
        let policy = self.policy().await;
        let ids = [self.metric(&policy).await, self.metric(&policy).await];
        self.store(ids[0], &[(0, 1.0), (60, 2.0), (120, 4.0)]).await;
        self.store(ids[1], &[(60, 10.0), (120, 30.0), (180, 40.0)]).await;
        self.settle(&ids).await;
        ids
    }

    async fn calculate(&self, query: AggregatesQuery) -> Result<AggregatesAnswer> {
        self.gnocchi.aggregates(&query).await
    }
}

async fn series_of_metrics_are_given_as_they_are(bench: Bench) {
    let [one, other] = bench.two().await;
    let ask = AggregatesQuery { granularity: None, ..query(metrics(&[one])) };
    let Group { mut measures, references } = whole(bench.calculate(ask).await);
    assert_eq!(references, None);
    let (of, points) = measures.pop().expect("there is one");
    assert_eq!(of, SeriesOf::Metric(one, "mean".into()));
    let point = |at, granularity, value| Point {
        timestamp: seconds(at),
        granularity: Resolution::Span(span(granularity)),
        value,
    };
    let wanted = [point(0, 3600, 7.0 / 3.0), point(0, 60, 1.0), point(60, 60, 2.0), point(120, 60, 4.0)];
    assert_eq!(points, wanted);
    // Periods that one of them lacks are left out of neither.
    let ask = AggregatesQuery { fill: Fill::Null, ..query(metrics(&[one, other])) };
    let Group { measures, .. } = whole(bench.calculate(ask).await);
    let mut counts: Vec<_> = measures.iter().map(|(of, points)| (of.clone(), points.len())).collect();
    counts.sort_by_key(|(of, _)| *of != SeriesOf::Metric(one, "mean".into()));
    let series = |id| SeriesOf::Metric(id, "mean".into());
    assert_eq!(counts, [(series(one), 4), (series(other), 4)]);
}

async fn series_are_aggregated_across_metrics(bench: Bench) {
    let ids = bench.two().await;
    use CrossFunction::{Max, Mean, Median, Min, Std, Sum, Var};
    for (function, wanted) in [
        (Mean, [1.0, 6.0, 17.0, 40.0]),
        (Sum, [1.0, 12.0, 34.0, 40.0]),
        (Min, [1.0, 2.0, 4.0, 40.0]),
        (Max, [1.0, 10.0, 30.0, 40.0]),
        (Median, [1.0, 6.0, 17.0, 40.0]),
        (Std, [0.0, 4.0, 13.0, 0.0]),
        (Var, [0.0, 16.0, 169.0, 0.0]),
    ] {
        let answer = bench.calculate(query(across(function, metrics(&ids)))).await;
        assert!(answer.is_ok(), "{function:?}: {answer:?}");
        let wanted: Vec<_> = [0, 60, 120, 180].into_iter().zip(wanted).collect();
        assert_eq!(aggregated(answer), wanted, "{function:?}");
    }
}

async fn series_are_counted_across_metrics(bench: Bench) {
    let ids = bench.two().await;
    let count = query(across(CrossFunction::Count, metrics(&ids)));
    assert_eq!(aggregated(bench.calculate(count).await), [(0, 1.0), (60, 2.0), (120, 2.0), (180, 1.0)]);
}

async fn every_operation_gives_its_value(bench: Bench) {
    use BinaryFunction::{
        Add, ClipMax, ClipMin, Divide, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Modulo, Multiply,
        NotEqual, Power, Subtract,
    };
    use UnaryFunction::{
        Absolute, Ceiling, Cosine, Floor, Negative, RateOfChange, RateOfChangePerSecond, Sine, Tangent,
    };
    let [one, _] = bench.two().await;
    let sum = || across(CrossFunction::Sum, metrics(&[one]));
    let halves = || binary(Divide, sum(), 2.0);
    for (operation, wanted) in [
        (binary(Add, sum(), 0.5), vec![1.5, 2.5, 4.5]),
        (binary(Subtract, sum(), 0.5), vec![0.5, 1.5, 3.5]),
        (binary(Multiply, sum(), 3.0), vec![3.0, 6.0, 12.0]),
        (halves(), vec![0.5, 1.0, 2.0]),
        (binary(Modulo, sum(), 3.0), vec![1.0, 2.0, 1.0]),
        (binary(Power, sum(), 2.0), vec![1.0, 4.0, 16.0]),
        (binary(Equal, sum(), 2.0), vec![0.0, 1.0, 0.0]),
        (binary(NotEqual, sum(), 2.0), vec![1.0, 0.0, 1.0]),
        (binary(Less, sum(), 2.0), vec![1.0, 0.0, 0.0]),
        (binary(LessOrEqual, sum(), 2.0), vec![1.0, 1.0, 0.0]),
        (binary(Greater, sum(), 2.0), vec![0.0, 0.0, 1.0]),
        (binary(GreaterOrEqual, sum(), 2.0), vec![0.0, 1.0, 1.0]),
        (binary(ClipMin, sum(), 2.0), vec![2.0, 2.0, 4.0]),
        (binary(ClipMax, sum(), 2.0), vec![1.0, 2.0, 2.0]),
        (unary(Negative, sum()), vec![-1.0, -2.0, -4.0]),
        (unary(Absolute, unary(Negative, sum())), vec![1.0, 2.0, 4.0]),
        (unary(Floor, halves()), vec![0.0, 1.0, 2.0]),
        (unary(Ceiling, halves()), vec![1.0, 1.0, 2.0]),
        (unary(Cosine, binary(Multiply, sum(), 0.0)), vec![1.0, 1.0, 1.0]),
        (unary(Sine, binary(Multiply, sum(), 0.0)), vec![0.0, 0.0, 0.0]),
        (unary(Tangent, binary(Multiply, sum(), 0.0)), vec![0.0, 0.0, 0.0]),
        (unary(RateOfChange, sum()), vec![1.0, 2.0]),
        (
            Operation::Clip(
                Box::new(sum()),
                Box::new(Operation::Number(1.5)),
                Some(Box::new(Operation::Number(3.0))),
            ),
            vec![1.5, 2.0, 3.0],
        ),
        (
            Operation::Rolling(
                CrossAggregation { rate: false, function: CrossFunction::Mean },
                2,
                Box::new(sum()),
            ),
            vec![1.5, 3.0],
        ),
    ] {
        let found = aggregated(bench.calculate(query(operation.clone())).await);
        assert_eq!(found.iter().map(|(_, value)| *value).collect::<Vec<_>>(), wanted, "{operation:?}");
    }
    let rate = aggregated(bench.calculate(query(unary(RateOfChangePerSecond, sum()))).await);
    let last: Vec<_> = rate.iter().filter(|(_, value)| !value.is_nan()).copied().collect();
    assert_eq!(last, [(60, 1.0 / 60.0), (120, 2.0 / 60.0)]);
    let resampled = Operation::Resample(methods(&["sum"])[0], Resolution::Span(span(120)), Box::new(sum()));
    assert_eq!(aggregated(bench.calculate(query(resampled)).await), [(0, 3.0), (120, 4.0)]);
}

async fn gaps_are_filled(bench: Bench) {
    let ids = bench.two().await;
    for (fill, wanted) in [
        (Fill::Overlap(Overlap(50.0)), vec![(60, 12.0), (120, 34.0)]),
        (Fill::DropNa, vec![(0, 1.0), (60, 12.0), (120, 34.0), (180, 40.0)]),
        (Fill::Null, vec![(0, 1.0), (60, 12.0), (120, 34.0), (180, 40.0)]),
        (Fill::Number(-0.5), vec![(0, 0.5), (60, 12.0), (120, 34.0), (180, 39.5)]),
        (Fill::Forward, vec![(0, 1.0), (60, 12.0), (120, 34.0), (180, 44.0)]),
        (Fill::Backward, vec![(0, 11.0), (60, 12.0), (120, 34.0), (180, 40.0)]),
        (Fill::FullForward, vec![(0, 11.0), (60, 12.0), (120, 34.0), (180, 44.0)]),
        (Fill::FullBackward, vec![(0, 11.0), (60, 12.0), (120, 34.0), (180, 44.0)]),
    ] {
        let ask = AggregatesQuery { fill, ..query(across(CrossFunction::Sum, metrics(&ids))) };
        assert_eq!(aggregated(bench.calculate(ask).await), wanted, "{fill:?}");
    }
    // Numbers that are none are given as what they are.
    let ask = AggregatesQuery { fill: Fill::Null, ..query(binary(BinaryFunction::Add, metrics(&ids), 0.0)) };
    let Group { measures, .. } = whole(bench.calculate(ask).await);
    let missing = measures.iter().flat_map(|(_, points)| points).filter(|point| point.value.is_nan()).count();
    assert_eq!(missing, 2, "{measures:?}");
    // Of the three periods from the first to the last that both have, the other lacks one.
    let gap =
        bench.metric(&bench.gnocchi.archive_policy(&bench.own("policy")).await.expect("it is there")).await;
    bench.store(gap, &[(0, 1.0), (120, 1.0)]).await;
    bench.settle(&[gap]).await;
    let ask = |needed| AggregatesQuery {
        fill: Fill::Overlap(Overlap(needed)),
        ..query(across(CrossFunction::Sum, metrics(&[ids[0], gap])))
    };
    assert_eq!(aggregated(bench.calculate(ask(60.0)).await), [(0, 2.0), (60, 2.0), (120, 5.0)]);
    assert_refused!(bench.calculate(ask(100.0)).await, Error::CannotBeAggregated { .. });
}

async fn a_range_and_a_granularity_are_kept_to(bench: Bench) {
    let ids = bench.two().await;
    let sum = query(across(CrossFunction::Sum, metrics(&ids)));
    let ask = AggregatesQuery { start: Some(seconds(61)), stop: Some(seconds(180)), ..sum.clone() };
    assert_eq!(aggregated(bench.calculate(ask).await), [(60, 12.0), (120, 34.0)]);
    let ask = AggregatesQuery { granularity: Some(span(3600)), ..sum.clone() };
    assert_eq!(aggregated(bench.calculate(ask).await), [(0, 7.0 / 3.0 + 80.0 / 3.0)]);
    let ask = AggregatesQuery { granularity: None, ..sum };
    let all = aggregated(bench.calculate(ask).await);
    assert_eq!(all.len(), 5, "{all:?}");
    assert_eq!(all[0], (0, 7.0 / 3.0 + 80.0 / 3.0));
}

impl Bench {
    /// The type of three instances in two racks, each with the metrics `cpu` and `cpu.util` of 1, 2 and 4 at 60 s.
    async fn instances(&self) -> String {
        let kinds = [
            ("rack", TEXT),
            ("owner", AttributeKind::Uuid),
            ("size", AttributeKind::Number { min: None, max: None }),
        ];
        let of_type = self.resource_type("type", &kinds).await.name;
        let policy =
            self.policy_of("instances", vec![definition(60, None)], methods(&["mean", "max"])).await.name;
        let mut ids = Vec::new();
        for (name, rack, value) in [("a", "1", 1.0), ("b", "2", 2.0), ("c", "1", 4.0)] {
            let attributes = [
                ("rack", text(rack)),
                ("owner", AttributeValue::Uuid(Uuid::from_u128(5))),
                ("size", AttributeValue::Number(value)),
            ];
            self.resource(&of_type, name, &attributes).await;
            let new = || NamedMetric::New { archive_policy_name: Some(policy.clone()), unit: None };
            let both = vec![("cpu".to_owned(), new()), ("cpu.util".to_owned(), new())];
            let resource =
                self.gnocchi.add_metrics(&of_type, &self.own(name), both).await.expect("it gets them");
            for id in resource.metrics.values() {
                self.store(*id, &[(60, value)]).await;
                ids.push(*id);
            }
        }
        self.settle(&ids).await;
        of_type
    }
}

async fn metrics_are_found_by_their_resources(bench: Bench) {
    let resource_type = bench.instances().await;
    let sum = across(CrossFunction::Sum, named("cpu"));
    let ask = AggregatesQuery { subject: of_type(&resource_type, None, &[]), ..query(sum.clone()) };
    assert_eq!(aggregated(bench.calculate(ask).await), [(60, 7.0)]);
    let rack = Some(is("rack", "1"));
    let ask = AggregatesQuery { subject: of_type(&resource_type, rack.clone(), &[]), ..query(sum) };
    assert_eq!(aggregated(bench.calculate(ask).await), [(60, 5.0)]);
    let by_pattern = across(CrossFunction::Sum, named("cpu*"));
    let ask = AggregatesQuery { subject: of_type(&resource_type, rack.clone(), &[]), ..query(by_pattern) };
    assert_eq!(aggregated(bench.calculate(ask).await), [(60, 10.0)]);
    let ask = AggregatesQuery { subject: of_type(&resource_type, rack, &[]), ..query(named("cpu")) };
    let Group { measures, .. } = whole(bench.calculate(ask).await);
    let mut wanted = Vec::new();
    for (name, value) in [("a", 1.0), ("c", 4.0)] {
        let id = bench.gnocchi.resource(&resource_type, &bench.own(name)).await.expect("it is there").id;
        wanted.push((SeriesOf::Resource(id, "cpu".into(), "mean".into()), vec![(60, value)]));
    }
    let found: Vec<_> = measures.into_iter().map(|(of, points)| (of, plain(&points))).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(wanted.iter().all(|wanted| found.contains(wanted)), "{found:?} is not {wanted:?}");
}

async fn resources_are_grouped(bench: Bench) {
    let resource_type = bench.instances().await;
    let ask = async |groupby: &[&str]| {
        let subject = of_type(&resource_type, None, groupby);
        let sum = across(CrossFunction::Sum, named("cpu"));
        let answer = bench.calculate(AggregatesQuery { subject, ..query(sum) }).await;
        let AggregatesAnswer::Grouped(groups) = answer.expect("it is calculated") else {
            panic!("no groups")
        };
        let read = |(key, group): (indexmap::IndexMap<String, AttributeValue>, Group)| {
            (map_of(key), aggregated(Ok(AggregatesAnswer::Whole(group))))
        };
        groups.into_iter().map(read).collect::<Vec<_>>()
    };
    assert_eq!(
        ask(&["rack"]).await,
        [(map(&[("rack", text("1"))]), vec![(60, 5.0)]), (map(&[("rack", text("2"))]), vec![(60, 2.0)])]
    );
    let owner = || ("owner", AttributeValue::Uuid(Uuid::from_u128(5)));
    assert_eq!(ask(&["owner"]).await, [(map(&[owner()]), vec![(60, 7.0)])]);
    let size = |size| ("size", AttributeValue::Number(size));
    let rack = |rack| ("rack", text(rack));
    assert_eq!(
        ask(&["size", "rack", "owner"]).await,
        [
            (map(&[rack("1"), owner(), size(1.0)]), vec![(60, 1.0)]),
            (map(&[rack("1"), owner(), size(4.0)]), vec![(60, 4.0)]),
            (map(&[rack("2"), owner(), size(2.0)]), vec![(60, 2.0)]),
        ]
    );
}

fn map_of(
    key: indexmap::IndexMap<String, AttributeValue>,
) -> std::collections::BTreeMap<String, AttributeValue> {
    key.into_iter().collect()
}

async fn revisions_are_told_apart(bench: Bench) {
    let resource_type = bench.instances().await;
    let change = ResourceChange { attributes: map(&[("rack", text("3"))]), ..ResourceChange::default() };
    bench.gnocchi.update_resource(&resource_type, &bench.own("a"), change).await.expect("it changes");
    let subject = Subject::Resources {
        resource_type: resource_type.clone(),
        filter: Some(is("id", &bench.own("a"))),
        groupby: vec!["rack".into()],
        use_history: true,
    };
    let ask = AggregatesQuery { subject, ..query(across(CrossFunction::Sum, named("cpu"))) };
    let AggregatesAnswer::Grouped(groups) = bench.calculate(ask).await.expect("it is calculated") else {
        panic!("no groups")
    };
    let racks: Vec<_> = groups.iter().map(|(key, _)| key["rack"].clone()).collect();
    // It was in the other rack when that was measured, long before.
    assert_eq!(racks, [text("1")]);
}

async fn what_it_was_calculated_from_is_told(bench: Bench) {
    let [one, other] = bench.two().await;
    let ask = AggregatesQuery { details: true, ..query(across(CrossFunction::Sum, metrics(&[one, other]))) };
    let Group { references, .. } = whole(bench.calculate(ask).await);
    let mut ids: Vec<_> = references.expect("they are asked for").iter().map(id_of).collect();
    let mut wanted = vec![one, other];
    ids.sort();
    wanted.sort();
    assert_eq!(ids, wanted);
    let resource_type = bench.instances().await;
    let subject = of_type(&resource_type, Some(is("rack", "2")), &[]);
    let ask = AggregatesQuery { details: true, subject, ..query(across(CrossFunction::Sum, named("cpu"))) };
    let Group { references, .. } = whole(bench.calculate(ask).await);
    let resource = bench.gnocchi.resource(&resource_type, &bench.own("b")).await.expect("it is there");
    assert_eq!(references, Some(vec![Reference::Resource(Box::new(resource))]));
}

fn id_of(reference: &Reference) -> Uuid {
    match reference {
        Reference::Metric(metric) => metric.id,
        Reference::Resource(resource) => resource.id,
    }
}

async fn a_calculation_of_what_is_not_there_is_refused(bench: Bench) {
    let [one, _] = bench.two().await;
    let nowhere = Uuid::from_u128(79);
    let unknown = bench.calculate(query(metrics(&[one, nowhere]))).await;
    assert_refused!(unknown, Error::UnknownMetrics(ids) if *ids == [nowhere.to_string()]);
    let method = Operation::Metrics(vec![(one.to_string(), "median".into())]);
    assert_refused!(
        bench.calculate(query(method)).await,
        Error::NoSuchAggregation { metric, method, .. } if *metric == one.to_string() && method == "median"
    );
    let resource_type = bench.own("nowhere");
    let ask = AggregatesQuery { subject: of_type(&resource_type, None, &[]), ..query(named("cpu")) };
    assert_refused!(bench.calculate(ask).await, Error::NoSuchResourceType(it) if *it == resource_type);
    let resource_type = bench.resource_type("type", &[("rack", TEXT)]).await.name;
    bench.resource(&resource_type, "a", &[]).await;
    let ask = AggregatesQuery { subject: of_type(&resource_type, None, &["rack"]), ..query(named("cpu")) };
    assert_refused!(bench.calculate(ask).await, Error::NoSuchMetric(_));
    let ask = AggregatesQuery { subject: of_type(&resource_type, None, &["nothing"]), ..query(named("cpu")) };
    assert_refused!(bench.calculate(ask).await, Error::InvalidPagination(_));
    let ask = AggregatesQuery {
        subject: of_type(&resource_type, Some(is("nothing", "x")), &[]),
        ..query(named("cpu"))
    };
    assert_refused!(bench.calculate(ask).await, Error::NoSuchAttribute { .. });
}

async fn a_calculation_that_cannot_be_is_refused(bench: Bench) {
    let [one, _] = bench.two().await;
    let coarse = bench.policy_of("coarse", vec![definition(7200, None)], methods(&["mean"])).await;
    let other = bench.metric(&coarse).await;
    bench.store(other, &[(0, 1.0)]).await;
    bench.settle(&[other]).await;
    let ask =
        AggregatesQuery { granularity: None, ..query(across(CrossFunction::Sum, metrics(&[one, other]))) };
    assert_refused!(bench.calculate(ask).await, Error::CannotBeAggregated { .. });
    let ask = AggregatesQuery { granularity: Some(span(61)), ..query(metrics(&[one])) };
    assert_refused!(
        bench.calculate(ask).await,
        Error::NoSuchAggregation { .. } | Error::CannotBeAggregated { .. }
    );
    let long = Operation::Rolling(
        CrossAggregation { rate: false, function: CrossFunction::Mean },
        1000,
        Box::new(metrics(&[one])),
    );
    assert_refused!(bench.calculate(query(long)).await, Error::CannotBeAggregated { .. });
}
