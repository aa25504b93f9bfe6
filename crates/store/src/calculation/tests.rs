use std::collections::HashMap;

use nephoscope_gnocchi::{
    AggregatesAnswer, AggregatesQuery, ArchivePolicy, AttributeValue, Definition, Error, Fill, Operation,
    Overlap, Resolution, SeriesOf, Subject,
};
use serde_json::Value as Json;

use super::*;

/// Metrics and their series, in memory.
#[derive(Default)]
struct Memory {
    metrics: Vec<Metric>,
    series: HashMap<(Uuid, Timespan), Series>,
    resources: Vec<Resource>,
}

impl Source for Memory {
    fn resources(&self, _: &str, selection: &ResourceSelection) -> Result<Vec<Resource>> {
        let resources = self.resources.iter();
        Ok(resources.filter(|resource| selection.history || resource.revision == -1).cloned().collect())
    }

    fn metrics(&self, ids: &[Uuid], _: bool) -> Result<Vec<Metric>> {
        Ok(self.metrics.iter().filter(|metric| ids.contains(&metric.id)).cloned().collect())
    }

    fn series(
        &self,
        metric: &Metric,
        _: AggregationMethod,
        granularity: Timespan,
        start: Option<Timestamp>,
        stop: Option<Timestamp>,
    ) -> Result<Series> {
        let Some(series) = self.series.get(&(metric.id, granularity)) else { return Ok(Series::default()) };
        let points = series.times.iter().copied().zip(series.values.iter().copied());
        let is_in = |time: i64| {
            start.is_none_or(|start| start.as_nanos() <= time)
                && stop.is_none_or(|stop| time < stop.as_nanos())
        };
        Ok(points.filter(|(time, _)| is_in(*time)).collect())
    }
}

fn seconds(seconds: i64) -> Timespan {
    Timespan::from_seconds(seconds).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000)
}

fn metric(number: usize, granularities: &[i64]) -> Metric {
    let definition = granularities.iter().rev();
    let definition =
        definition.map(|granularity| Definition { granularity: seconds(*granularity), points: None });
    Metric {
        id: Uuid::from_u128(number as u128),
        creator: None,
        archive_policy: ArchivePolicy {
            name: "golden".into(),
            back_window: 0,
            definition: definition.collect(),
            aggregation_methods: vec![AggregationMethod::MEAN],
        },
        name: Some(format!("m{number}")),
        unit: None,
        resource_id: None,
        resource: None,
    }
}

fn number(value: &Json) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

fn fill(case: &Json) -> Fill {
    match &case["fill"] {
        Json::Null => Fill::Overlap(Overlap(number(&case["overlap"]))),
        Json::String(fill) => match fill.as_str() {
            "null" => Fill::Null,
            "dropna" => Fill::DropNa,
            "ffill" => Fill::Forward,
            "bfill" => Fill::Backward,
            "full_ffill" => Fill::FullForward,
            "full_bfill" => Fill::FullBackward,
            other => panic!("{other}"),
        },
        value => Fill::Number(number(value)),
    }
}

/// `m3` as an id.
fn named(operation: &Json) -> Json {
    match operation {
        Json::Array(list) => list.iter().map(named).collect(),
        Json::String(name) => match name.strip_prefix('m').and_then(|number| number.parse().ok()) {
            Some(number) => Uuid::from_u128(number).to_string().into(),
            None => operation.clone(),
        },
        other => other.clone(),
    }
}

fn golden_case(case: &Json) -> (Memory, AggregatesQuery) {
    let granularities: Vec<i64> = case["granularities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|granularity| granularity.as_i64().unwrap())
        .collect();
    let mut memory = Memory::default();
    for (granularity, row) in granularities.iter().zip(case["series"].as_array().unwrap()) {
        for (at, points) in row.as_array().unwrap().iter().enumerate() {
            if memory.metrics.len() == at {
                memory.metrics.push(metric(at, &granularities));
            }
            let points = points.as_array().unwrap().iter();
            let points = points.map(|point| (point[0].as_i64().unwrap() * 1_000_000_000, number(&point[1])));
            memory.series.insert((Uuid::from_u128(at as u128), seconds(*granularity)), points.collect());
        }
    }
    let query = AggregatesQuery {
        operation: Operation::from_json(&named(&case["operation"])).unwrap(),
        subject: Subject::Metrics,
        start: case["start"].as_i64().map(at),
        stop: case["stop"].as_i64().map(at),
        granularity: None,
        fill: fill(case),
        details: false,
    };
    (memory, query)
}

/// To the last digit; where functions are in it that every library rounds its own way, to the twelfth.
fn same(one: f64, other: f64, is_rounded: bool) -> bool {
    let near = is_rounded && (one - other).abs() <= other.abs() * 1e-12;
    near || one == other || one.is_nan() && other.is_nan()
}

/// What Gnocchi's own code gave for random operations on random series in memory: a JSON object a line. Left out is what
/// it fails at, and trigonometry of yes and no, which numpy does with three digits.
const GOLDEN: &str = include_str!("../../tests/golden/calculations.jsonl");

#[test]
fn calculations_are_gnocchis_to_the_last_digit() {
    let (mut answers, mut refusals) = (0, 0);
    for line in GOLDEN.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let (memory, query) = golden_case(&case);
        let answer = evaluate(&memory, &query);
        if let Some(expected) = case["error"].as_str() {
            let Err(Error::CannotBeAggregated { reason, detail }) = answer else {
                panic!("{line}: {answer:?}")
            };
            // Operations are shown in that text as Python shows them.
            let text = |text: &str| {
                text.split_once(" granularity ").map_or(text.to_owned(), |(text, _)| text.into())
            };
            assert_eq!(text(&reason), text(expected), "{line}");
            assert_eq!(Some(detail.len() as u64), case["detail"].as_u64(), "{line}");
            refusals += 1;
            continue;
        }
        let Ok(AggregatesAnswer::Whole(group)) = answer else { panic!("{line}: {answer:?}") };
        let expected = case["measures"].as_object().unwrap();
        assert_eq!(group.measures.len(), expected.len(), "{line}");
        let is_rounded =
            ["sin", "cos", "tan", "**"].iter().any(|name| line.contains(&format!("[\"{name}\"")));
        for (of, points) in &group.measures {
            let name = match of {
                SeriesOf::Aggregated => "aggregated".to_owned(),
                SeriesOf::Metric(id, _) => format!("m{}", id.as_u128()),
                SeriesOf::Resource(..) => panic!("{line}"),
            };
            let expected = expected[&name].as_array().unwrap();
            assert_eq!(points.len(), expected.len(), "{line}");
            for (point, expected) in points.iter().zip(expected) {
                assert_eq!(Some(point.timestamp.seconds()), expected[0].as_i64(), "{line}");
                assert_eq!(
                    point.granularity,
                    Resolution::Span(seconds(expected[1].as_i64().unwrap())),
                    "{line}"
                );
                assert!(
                    same(point.value, number(&expected[2]), is_rounded),
                    "{point:?} for {expected}: {line}"
                );
            }
        }
        answers += 1;
    }
    assert!(answers > 250 && refusals > 25, "{answers} {refusals}");
}

fn resource(id: u128, revision: i64, from: i64, to: Option<i64>, flavor: &str) -> Resource {
    Resource {
        id: Uuid::from_u128(id),
        original_resource_id: Uuid::from_u128(id).to_string(),
        resource_type: "instance".into(),
        creator: Some("user:project".into()),
        user_id: None,
        project_id: None,
        started_at: at(0),
        ended_at: None,
        revision_start: at(from),
        revision_end: to.map(at),
        revision,
        attributes: [("flavor".to_owned(), AttributeValue::String(flavor.into()))].into(),
        metrics: [("cpu".to_owned(), Uuid::from_u128(id))].into(),
    }
}

fn points(answer: AggregatesAnswer) -> Vec<(String, Vec<(i64, f64)>)> {
    let AggregatesAnswer::Grouped(groups) = answer else { panic!("{answer:?}") };
    let group = |(key, group): (indexmap::IndexMap<String, AttributeValue>, nephoscope_gnocchi::Group)| {
        let AttributeValue::String(flavor) = &key["flavor"] else { panic!("{key:?}") };
        let [(SeriesOf::Aggregated, points)] = group.measures.as_slice() else { panic!("{group:?}") };
        (flavor.clone(), points.iter().map(|point| (point.timestamp.seconds(), point.value)).collect())
    };
    groups.into_iter().map(group).collect()
}

fn by_flavor(
    resources: Vec<Resource>,
    use_history: bool,
    during: (Option<i64>, Option<i64>),
) -> Result<AggregatesAnswer> {
    let mut memory = Memory { resources, ..Memory::default() };
    for number in 1..=3 {
        memory.metrics.push(metric(number, &[60]));
        let series = (0..6).map(|minute| (minute * 60_000_000_000, number as f64 * 10.0)).collect();
        memory.series.insert((Uuid::from_u128(number as u128), seconds(60)), series);
    }
    let query = AggregatesQuery {
        operation: Operation::from_json(&Json::from("(aggregate sum (metric cp* mean))")).unwrap(),
        subject: Subject::Resources {
            resource_type: "instance".into(),
            filter: None,
            groupby: vec!["flavor".into()],
            use_history,
        },
        start: during.0.map(at),
        stop: during.1.map(at),
        granularity: None,
        fill: Fill::DropNa,
        details: false,
    };
    evaluate(&memory, &query)
}

#[test]
fn groups_are_of_neighbours_and_those_without_the_metric_are_left_out() {
    let mut bare = resource(3, -1, 0, None, "tiny");
    bare.metrics.clear();
    let resources = vec![resource(1, -1, 0, None, "big"), resource(2, -1, 0, None, "big"), bare.clone()];
    let groups = points(by_flavor(resources, false, (None, Some(120))).unwrap());
    assert_eq!(groups, [("big".to_owned(), vec![(0, 30.0), (60, 30.0)])]);
    let error = by_flavor(vec![bare], false, (None, None)).unwrap_err();
    assert_eq!(error.to_string(), "Metric ['cp*'] does not exist");
}

#[test]
fn a_period_is_split_by_the_revisions_that_cover_it() {
    // It changes at 150 s, three quarters through nothing: half of the period from 120 s is before.
    let resources = || vec![resource(1, 1, 0, Some(150), "small"), resource(1, -1, 150, None, "large")];
    let groups = points(by_flavor(resources(), true, (Some(0), Some(240))).unwrap());
    let large = vec![(120, 5.0), (180, 10.0)];
    let small = vec![(0, 10.0), (60, 10.0), (120, 5.0)];
    assert_eq!(groups, [("large".to_owned(), large), ("small".to_owned(), small)]);
    // Without boundaries the first has all that is before, the last all that is behind.
    let groups = points(by_flavor(resources(), true, (None, None)).unwrap());
    assert_eq!(groups[0].1, [(120, 5.0), (180, 10.0), (240, 10.0), (300, 10.0)]);
    // Back and forth within one period: what the group has of it is added up.
    let mut resources = resources();
    resources[1].revision_end = Some(at(165));
    resources.push(resource(1, -1, 165, None, "small"));
    let groups = points(by_flavor(resources, true, (Some(120), Some(180))).unwrap());
    assert_eq!(groups, [("large".to_owned(), vec![(120, 2.5)]), ("small".to_owned(), vec![(120, 7.5)])]);
}

#[test]
fn what_a_metric_does_not_keep_is_said() {
    let (memory, mut query) = golden_case(&serde_json::json!({
        "granularities": [60], "series": [[[[0, 1.0]]]], "fill": "dropna", "operation": ["metric", "m0", "mean"],
    }));
    query.granularity = Some(seconds(123));
    let id = Uuid::from_u128(0).to_string();
    let Err(Error::CannotBeAggregated { reason, detail }) = evaluate(&memory, &query) else { panic!() };
    assert_eq!(reason, "Granularities are missing");
    assert_eq!((detail[0].metric.as_str(), detail[0].granularity), (id.as_str(), Some(123.0)));
    query.granularity = None;
    query.operation = Operation::Metrics(vec![(id.clone(), "what?".into())]);
    let error = evaluate(&memory, &query).unwrap_err();
    assert!(matches!(error, Error::NoSuchAggregation { method, .. } if method == "what?"));
    let unknown = Uuid::from_u128(7).to_string();
    query.operation = Operation::Metrics(vec![(id, "mean".into()), (unknown.clone(), "mean".into())]);
    let error = evaluate(&memory, &query).unwrap_err();
    assert!(matches!(error, Error::UnknownMetrics(metrics) if metrics == [unknown]));
}

#[test]
fn a_metric_is_read_coarse_first_and_resampled_whole() {
    let mut memory = Memory { metrics: vec![metric(0, &[300, 60])], ..Memory::default() };
    for granularity in [60, 300] {
        let points = (0..1200 / granularity).map(|at| (at * granularity * 1_000_000_000, at as f64));
        memory.series.insert((Uuid::from_u128(0), seconds(granularity)), points.collect());
    }
    let read = |range: &nephoscope_gnocchi::Range| {
        let points = measures(&memory, &memory.metrics[0], range).unwrap();
        points.iter().map(|point| (point.timestamp.seconds(), point.value)).collect::<Vec<_>>()
    };
    let mut range = nephoscope_gnocchi::Range {
        start: Some(at(630)),
        stop: Some(at(720)),
        aggregation: AggregationMethod::MEAN,
        granularity: None,
        resample: None,
    };
    assert_eq!(read(&range), [(600, 2.0), (600, 10.0), (660, 11.0)]);
    range.granularity = Some(seconds(60));
    range.resample = Some(Resolution::Span(seconds(600)));
    // The period from 600 s has minutes behind the stop in it, as all of them lie in one object of Gnocchi's.
    assert_eq!(read(&range), [(600, 14.5)]);
    range.resample = Some(Resolution::Year);
    assert_eq!(read(&range), [(0, 9.5)]);
    range.aggregation = "max".parse().unwrap();
    assert!(matches!(
        measures(&memory, &memory.metrics[0], &range),
        Err(Error::NoSuchAggregation { granularity: 60.0, .. })
    ));
}
