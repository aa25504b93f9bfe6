//! Answers as Gnocchi writes them.

use std::fmt::{self, Write};

use nephoscope_gnocchi::{
    ArchivePolicy, ArchivePolicyRule, Attribute, AttributeKind, AttributeValue, Metric, Point, Resolution,
    Resource, ResourceType, Timespan, TypeState,
};
use serde_json::{Map, Value, json};

pub(super) fn archive_policy(policy: &ArchivePolicy) -> Value {
    let definition: Vec<_> = policy
        .definition
        .iter()
        .map(|definition| {
            json!({
                "granularity": definition.granularity.to_string(),
                "points": definition.points,
                "timespan": definition.timespan().map(|timespan| timespan.to_string()),
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
        "metric_pattern": rule.metric_pattern,
        "archive_policy_name": rule.archive_policy_name,
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
            written["min_length"] = min_length.into();
            written["max_length"] = max_length.into();
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

pub(super) fn resource(resource: &Resource) -> Value {
    let metrics: Map<_, _> =
        resource.metrics.iter().map(|(name, id)| (name.clone(), id.to_string().into())).collect();
    let mut written = json!({
        "id": resource.id.to_string(),
        "original_resource_id": resource.original_resource_id,
        "type": resource.resource_type,
        "user_id": resource.user_id,
        "project_id": resource.project_id,
        "started_at": resource.started_at.to_string(),
        "ended_at": resource.ended_at.map(|time| time.to_string()),
        "revision_start": resource.revision_start.to_string(),
        "revision_end": resource.revision_end.map(|time| time.to_string()),
        "metrics": metrics,
    });
    if let Some(fields) = written.as_object_mut() {
        creator(resource.creator.as_deref(), fields);
        let own = resource.attributes.iter().map(|(name, value)| (name.clone(), attribute_value(value)));
        fields.extend(own);
    }
    written
}

/// A resource, but only these of its keys; all of them, where none is named.
pub(super) fn resource_with(whole: &Resource, keys: &[&str]) -> Value {
    let mut written = resource(whole);
    if let (Some(fields), false) = (written.as_object_mut(), keys.is_empty()) {
        fields.retain(|key, _| keys.contains(&key.as_str()));
    }
    written
}

fn creator(creator: Option<&str>, fields: &mut Map<String, Value>) {
    let parts = creator.map(|creator| creator.split_once(':').unwrap_or((creator, "")));
    fields.insert("creator".into(), creator.into());
    fields.insert("created_by_user_id".into(), parts.map(|(user, _)| user).into());
    fields.insert("created_by_project_id".into(), parts.map(|(_, project)| project).into());
}

fn metric_itself(metric: &Metric) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("id".into(), metric.id.to_string().into());
    fields.insert("name".into(), metric.name.as_deref().into());
    fields.insert("unit".into(), metric.unit.as_deref().into());
    creator(metric.creator.as_deref(), &mut fields);
    fields
}

/// A metric as it is answered to whoever made it: with the name of its policy and the id of its resource.
pub(super) fn new_metric(metric: &Metric) -> Value {
    let mut fields = metric_itself(metric);
    fields.insert("archive_policy_name".into(), metric.archive_policy.name.as_str().into());
    fields.insert("resource_id".into(), metric.resource_id.map(|id| id.to_string()).into());
    fields.into()
}

/// A metric in a list: with its policy and the id of its resource.
pub(super) fn listed_metric(metric: &Metric) -> Value {
    let mut fields = metric_itself(metric);
    fields.insert("archive_policy".into(), archive_policy(&metric.archive_policy));
    fields.insert("resource_id".into(), metric.resource_id.map(|id| id.to_string()).into());
    fields.into()
}

/// A metric with its policy and its resource.
pub(super) fn metric(metric: &Metric) -> Value {
    let mut fields = metric_itself(metric);
    fields.insert("archive_policy".into(), archive_policy(&metric.archive_policy));
    fields.insert("resource".into(), metric.resource.as_deref().map_or(Value::Null, resource));
    fields.into()
}

/// Points: of each when, to whole seconds, its granularity in seconds or the letter of its calendar period, and its value.
pub(super) fn points(points: &[Point]) -> String {
    let mut written = String::with_capacity(2 + points.len() * POINT_BYTES);
    written.push('[');
    for (number, point) in points.iter().enumerate() {
        written.push_str(if number == 0 { "[\"" } else { ", [\"" });
        let second = point.timestamp.floor(SECOND);
        let granularity: &dyn fmt::Display = match &point.granularity {
            Resolution::Span(span) => &Number(span.as_seconds()),
            calendar => &Quoted(calendar.letter()),
        };
        let value = Number(point.value);
        write!(written, "{second}\", {granularity}, {value}]").expect("a String takes all");
    }
    written.push(']');
    written
}

/// About how long a point is.
const POINT_BYTES: usize = 52;
const SECOND: Timespan = Timespan::from_seconds(1).expect("it is longer than nothing");

/// A number as Python writes it, to whose parser `NaN` is JSON.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            number if number.is_nan() => f.write_str("NaN"),
            number if number.is_infinite() => {
                f.write_str(if number > 0.0 { "Infinity" } else { "-Infinity" })
            }
            number => write!(f, "{number:?}"),
        }
    }
}

/// A text that needs no escapes.
struct Quoted(&'static str);

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}
