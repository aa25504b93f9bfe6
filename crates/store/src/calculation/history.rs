//! Resources by their revisions.
//!
//! A group takes the values that were measured while its attributes held: each revision is calculated apart, over its own
//! time, and what straddles two of them is split by the time that each covers.

use indexmap::IndexMap;
use nephoscope_gnocchi::{AttributeValue, Comparison, Filter, Point, Resolution, Resource, Timestamp, Value};

use super::query::During;

/// The revisions of a group, each with its time.
pub(super) struct Revisions {
    /// The attributes that make the group.
    pub(super) group: IndexMap<String, AttributeValue>,
    pub(super) revisions: Vec<(Resource, During)>,
}

/// Takes only revisions that held during that time, where it has both ends.
pub(super) fn filter(filter: Option<Filter>, during: During) -> Option<Filter> {
    let (Some(start), Some(stop)) = (during.start, during.stop) else { return filter };
    let compare = |comparison, name: &str, value| Filter::Compare(comparison, name.into(), value);
    let text = |time: Timestamp| Value::String(time.to_string());
    let held = Filter::And(vec![
        compare(Comparison::Less, "revision_start", text(stop)),
        Filter::Or(vec![
            compare(Comparison::GreaterOrEqual, "revision_end", text(start)),
            compare(Comparison::Equal, "revision_end", Value::Null),
        ]),
    ]);
    Some(match filter {
        Some(filter) => Filter::And(vec![held, filter]),
        None => held,
    })
}

/// Groups revisions by these attributes. The first revision of a resource reaches back to the start of the time.
///
/// Of revisions in a group that begin at the same moment, the first alone counts, and ends where the last of them does: so
/// Gnocchi has it, for whom these are one.
pub(super) fn group(mut resources: Vec<Resource>, groupby: &[String], during: During) -> Vec<Revisions> {
    resources.sort_by(|one, other| {
        let key = |resource: &Resource| resource.revision_start;
        one.original_resource_id.cmp(&other.original_resource_id).then(key(one).cmp(&key(other)))
    });
    let mut last: Option<String> = None;
    let mut revisions: Vec<(Vec<String>, Resource, During)> = Vec::with_capacity(resources.len());
    for resource in resources {
        let is_first = last.as_ref() != Some(&resource.original_resource_id);
        let start = match (is_first, during.start) {
            (true, start) => start,
            (false, Some(start)) => Some(resource.revision_start.max(start)),
            (false, None) => Some(resource.revision_start),
        };
        let stop = match (resource.revision_end, during.stop) {
            (Some(end), Some(stop)) => Some(end.min(stop)),
            (end, stop) => end.or(stop),
        };
        last = Some(resource.original_resource_id.clone());
        let key = groupby.iter().map(|name| text(&resource.attribute(name))).collect();
        revisions.push((key, resource, During { start, stop }));
    }
    revisions.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let mut groups: Vec<Revisions> = Vec::new();
    for (_, resource, during) in revisions {
        let group: IndexMap<_, _> =
            groupby.iter().map(|name| (name.clone(), resource.attribute(name))).collect();
        match groups.last_mut() {
            Some(last) if last.group == group => last.revisions.push((resource, during)),
            _ => groups.push(Revisions { group, revisions: vec![(resource, during)] }),
        }
    }
    for group in &mut groups {
        group.revisions.sort_by_key(|(_, during)| during.start);
        group.revisions.dedup_by(|(_, later), (_, first)| {
            let is_one = later.start == first.start;
            if is_one {
                first.stop = later.stop;
            }
            is_one
        });
    }
    groups
}

/// The value times the part of its period that lies within that time.
pub(super) fn scaled(point: Point, during: During) -> Point {
    let Resolution::Span(span) = point.granularity else { return point };
    let date = point.timestamp.as_nanos();
    let next = date.saturating_add(span.as_nanos());
    let begin = during.start.map_or(date, |start| start.as_nanos().max(date));
    let end = during.stop.map_or(next, |stop| stop.as_nanos().min(next));
    #[expect(clippy::cast_precision_loss, reason = "as numpy divides lengths of time")]
    let part = end.saturating_sub(begin) as f64 / span.as_nanos() as f64;
    Point { value: point.value * part, ..point }
}

/// Neighbours of the same moment are one, with the sum of their values.
pub(super) fn summed(points: Vec<Point>) -> Vec<Point> {
    let mut summed: Vec<Point> = Vec::with_capacity(points.len());
    for point in points {
        match summed.last_mut() {
            Some(last) if last.timestamp == point.timestamp => {
                *last = Point { value: point.value + last.value, ..point };
            }
            _ => summed.push(point),
        }
    }
    summed
}

/// What groups are in the order of.
fn text(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Null | AttributeValue::Bool(false) => String::new(),
        AttributeValue::Bool(true) => "True".into(),
        AttributeValue::String(text) => text.clone(),
        AttributeValue::Uuid(id) => id.to_string(),
        AttributeValue::Number(number) if *number == 0.0 => String::new(),
        AttributeValue::Number(number) => format!("{number:?}"),
        AttributeValue::Datetime(time) => time.to_string(),
    }
}
