//! Answers as Gnocchi writes them.

use nephoscope_gnocchi::{
    ArchivePolicy, ArchivePolicyRule, Attribute, AttributeKind, AttributeValue, Metric, Point, Resolution,
    Resource, ResourceType, Timestamp, TypeState,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

pub(super) fn archive_policy(policy: &ArchivePolicy) -> Value {
    let definition: Vec<_> = policy
        .definition
        .iter()
        .map(|definition| {
            json!({
                "timespan": definition.timespan().map(|timespan| timespan.to_string()),
                "granularity": definition.granularity.to_string(),
                "points": definition.points,
            })
        })
        .collect();
    let methods: Vec<_> = policy.aggregation_methods.iter().map(ToString::to_string).collect();
    json!({
        "name": policy.name,
        "back_window": policy.back_window,
        "definition": definition,
        "aggregation_methods": methods,
    })
}

pub(super) fn archive_policy_rule(rule: &ArchivePolicyRule) -> Value {
    json!({
        "name": rule.name,
        "archive_policy_name": rule.archive_policy_name,
        "metric_pattern": rule.metric_pattern,
    })
}

pub(super) fn resource_type(resource_type: &ResourceType) -> Value {
    let attributes: Map<_, _> =
        resource_type.attributes.iter().map(|(name, it)| (name.clone(), attribute(it))).collect();
    let state = match resource_type.state {
        TypeState::Active => "active",
        TypeState::Creating => "creating",
        TypeState::CreationError => "creation_error",
        TypeState::Deleting => "deleting",
        TypeState::DeletionError => "deletion_error",
        TypeState::Updating => "updating",
        TypeState::UpdatingError => "updating_error",
    };
    json!({ "name": resource_type.name, "attributes": attributes, "state": state })
}

fn attribute(attribute: &Attribute) -> Value {
    let mut written = json!({ "type": kind(attribute.kind), "required": attribute.required });
    match attribute.kind {
        AttributeKind::String { min_length, max_length } => {
            written["max_length"] = max_length.into();
            written["min_length"] = min_length.into();
        }
        AttributeKind::Number { min, max } => {
            written["min"] = min.map_or(Value::Null, number);
            written["max"] = max.map_or(Value::Null, number);
        }
        AttributeKind::Uuid | AttributeKind::Bool | AttributeKind::Datetime => {}
    }
    written
}

/// A number without a fraction is written as it was sent: without one.
fn number(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and fits")]
    if number.fract() == 0.0 && number.abs() < 1e15 { json!(number as i64) } else { json!(number) }
}

/// The name of a kind.
pub(super) fn kind(kind: AttributeKind) -> &'static str {
    match kind {
        AttributeKind::String { .. } => "string",
        AttributeKind::Uuid => "uuid",
        AttributeKind::Number { .. } => "number",
        AttributeKind::Bool => "bool",
        AttributeKind::Datetime => "datetime",
    }
}

pub(super) fn attribute_value(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::Null => Value::Null,
        AttributeValue::String(text) => text.as_str().into(),
        AttributeValue::Uuid(uuid) => uuid.to_string().into(),
        AttributeValue::Number(value) => json!(value),
        AttributeValue::Bool(is) => (*is).into(),
        AttributeValue::Datetime(time) => time.to_string().into(),
    }
}

/// A resource with its metrics.
pub(super) fn resource(resource: &Resource) -> Value {
    let metrics: Map<_, _> =
        resource.metrics.iter().map(|(name, id)| (name.clone(), id.to_string().into())).collect();
    let mut fields = resource_itself(resource);
    fields.insert("metrics".into(), metrics.into());
    created_by(resource.creator.as_deref(), &mut fields);
    fields.into()
}

/// A resource, but only these of its keys; all of them, where none is named.
pub(super) fn resource_with(whole: &Resource, keys: &[&str]) -> Value {
    let mut written = resource(whole);
    if let (Some(fields), false) = (written.as_object_mut(), keys.is_empty()) {
        fields.retain(|key, _| keys.contains(&key.as_str()));
    }
    written
}

/// A resource that was just written to. A number that came with it is answered as it was sent, `5` or `5.0`; from then on
/// it has a fraction.
pub(super) fn written_resource(whole: &Resource, sent: &Value) -> Value {
    let mut written = resource(whole);
    for (name, value) in &whole.attributes {
        if let (AttributeValue::Number(_), Some(sent)) = (value, sent.get(name)) {
            written[name] = sent.clone();
        }
    }
    written
}

/// All but its metrics and the two parts of its creator.
fn resource_itself(resource: &Resource) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.into(), value);
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).into();
    put("id", resource.id.to_string().into());
    // What has ended is of another table, which begins with its end.
    if resource.revision_end.is_some() {
        put("revision_end", time(resource.revision_end));
    }
    put("creator", resource.creator.as_deref().into());
    put("started_at", time(Some(resource.started_at)));
    put("revision_start", time(Some(resource.revision_start)));
    put("ended_at", time(resource.ended_at));
    put("user_id", resource.user_id.as_deref().into());
    put("project_id", resource.project_id.as_deref().into());
    put("original_resource_id", resource.original_resource_id.as_str().into());
    put("type", resource.resource_type.as_str().into());
    for (name, value) in &resource.attributes {
        put(name, attribute_value(value));
    }
    if resource.revision_end.is_none() {
        put("revision_end", Value::Null);
    }
    fields
}

/// The parts of a creator, where those are told who ask after them as Gnocchi once had them.
fn created_by(creator: Option<&str>, fields: &mut Map<String, Value>) {
    let parts = creator.map(|creator| creator.split_once(':').unwrap_or((creator, "")));
    fields.insert("created_by_user_id".into(), parts.map(|(user, _)| user).into());
    fields.insert("created_by_project_id".into(), parts.map(|(_, project)| project).into());
}

/// A metric, and of which resource it is and how it is kept, under the names that these have in the answer.
fn metric_of(metric: &Metric, (resource, of): (&str, Value), (policy, kept): (&str, Value)) -> Value {
    let mut fields = Map::new();
    fields.insert("id".into(), metric.id.to_string().into());
    fields.insert("creator".into(), metric.creator.as_deref().into());
    fields.insert("name".into(), metric.name.as_deref().into());
    fields.insert("unit".into(), metric.unit.as_deref().into());
    fields.insert(resource.into(), of);
    fields.insert(policy.into(), kept);
    created_by(metric.creator.as_deref(), &mut fields);
    fields.into()
}

fn id_of_resource(metric: &Metric) -> (&'static str, Value) {
    ("resource_id", metric.resource_id.map(|id| id.to_string()).into())
}

/// A metric as it is answered to whoever made it: with the name of its policy and the id of its resource.
pub(super) fn new_metric(metric: &Metric) -> Value {
    let policy = metric.archive_policy.name.as_str().into();
    metric_of(metric, id_of_resource(metric), ("archive_policy_name", policy))
}

/// A metric in a list: with its policy and the id of its resource.
pub(super) fn listed_metric(metric: &Metric) -> Value {
    let policy = archive_policy(&metric.archive_policy);
    metric_of(metric, id_of_resource(metric), ("archive_policy", policy))
}

/// A metric with its policy and its resource, of which the metrics are not told.
pub(super) fn metric(metric: &Metric) -> Value {
    let resource = metric.resource.as_deref().map_or(Value::Null, |resource| {
        let mut fields = resource_itself(resource);
        created_by(resource.creator.as_deref(), &mut fields);
        fields.into()
    });
    metric_of(metric, ("resource", resource), ("archive_policy", archive_policy(&metric.archive_policy)))
}

/// Points: of each when, to whole seconds, its granularity in seconds or the letter of its calendar period, and its value.
///
/// By hand: that is most of what an answer with many points takes.
pub(super) fn points(points: &[Point]) -> String {
    let mut written = Vec::with_capacity(2 + points.len() * POINT_BYTES);
    let mut seconds = Seconds::default();
    let (mut granularity, mut granularity_text) = (None, Vec::new());
    written.push(b'[');
    for (number, point) in points.iter().enumerate() {
        if granularity != Some(point.granularity) {
            granularity = Some(point.granularity);
            granularity_text.clear();
            match point.granularity {
                Resolution::Span(span) => put_number(&mut granularity_text, span.as_seconds()),
                calendar => put(&mut granularity_text, &calendar.letter()),
            }
        }
        written.extend(if number == 0 { &b"[\""[..] } else { b", [\"" });
        seconds.put(&mut written, point.timestamp);
        written.extend(b"\", ");
        written.extend(&granularity_text);
        written.extend(b", ");
        put_number(&mut written, point.value);
        written.push(b']');
    }
    written.push(b']');
    String::from_utf8(written).expect("JSON is text")
}

/// About how long a point is.
const POINT_BYTES: usize = 52;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// Writes moments to whole seconds, of which most are on the day of the one before.
#[derive(Default)]
struct Seconds {
    day: i64,
    /// `2026-01-31T`; empty at first.
    date: String,
}

impl Seconds {
    fn put(&mut self, out: &mut Vec<u8>, moment: Timestamp) {
        let second = moment.seconds();
        let day = second.div_euclid(DAY);
        if day != self.day || self.date.is_empty() {
            self.day = day;
            self.date = moment.to_string();
            self.date.truncate(self.date.find('T').map_or(0, |end| end + 1));
        }
        let second = second.rem_euclid(DAY);
        out.extend(self.date.as_bytes());
        put_two_digits(out, second / 3600);
        out.push(b':');
        put_two_digits(out, second / 60 % 60);
        out.push(b':');
        put_two_digits(out, second % 60);
        out.extend(b"+00:00");
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a digit")]
fn put_two_digits(out: &mut Vec<u8>, number: i64) {
    out.extend([b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
}

/// A number as Python writes it, to whose parser `NaN` is JSON.
fn put_number(out: &mut Vec<u8>, number: f64) {
    match number {
        number if number.is_nan() => out.extend(b"NaN"),
        f64::INFINITY => out.extend(b"Infinity"),
        f64::NEG_INFINITY => out.extend(b"-Infinity"),
        number => put(out, &number),
    }
}

fn put(out: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(out, value).expect("memory takes all, and numbers and text are JSON");
}

#[cfg(test)]
mod tests {
    use nephoscope_gnocchi::Timespan;

    use super::*;

    fn written(nanos: i64, granularity: Resolution, value: f64) -> String {
        let timestamp = Timestamp::from_nanos(nanos);
        points(&[Point { timestamp, granularity, value }])
    }

    #[test]
    fn a_point_is_written_as_gnocchi_writes_it() {
        let span = |nanos| Resolution::Span(Timespan::from_nanos(nanos).unwrap());
        for (nanos, granularity, value, expected) in [
            (0, span(300_000_000_000), 1.0, "1970-01-01T00:00:00+00:00\", 300.0, 1.0"),
            (951_868_799_999_999_999, span(500_000_000), -0.1, "2000-02-29T23:59:59+00:00\", 0.5, -0.1"),
            (-1, Resolution::Month, f64::NAN, "1969-12-31T23:59:59+00:00\", \"M\", NaN"),
            (
                86_400_000_000_000,
                Resolution::Year,
                f64::INFINITY,
                "1970-01-02T00:00:00+00:00\", \"Y\", Infinity",
            ),
        ] {
            assert_eq!(written(nanos, granularity, value), format!("[[\"{expected}]]"));
        }
    }

    #[test]
    fn moments_and_granularities_change_from_point_to_point() {
        let point = |day: i64, granularity| Point {
            timestamp: Timestamp::from_nanos(day * DAY * 1_000_000_000 + 3_661_000_000_000),
            granularity,
            value: 1e300,
        };
        let minute = Resolution::Span(Timespan::from_seconds(60).unwrap());
        assert_eq!(
            points(&[point(30, minute), point(31, Resolution::Week), point(31, minute)]),
            "[[\"1970-01-31T01:01:01+00:00\", 60.0, 1e+300], [\"1970-02-01T01:01:01+00:00\", \"W\", 1e+300], \
             [\"1970-02-01T01:01:01+00:00\", 60.0, 1e+300]]"
        );
    }
}
