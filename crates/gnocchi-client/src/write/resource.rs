//! Resources, changes of them, and metrics.

use nephoscope_gnocchi::{AttributeValue, NamedMetric, NewMetric, NewResource, ResourceChange};
use serde_json::{Map, Number, Value as Json};

use super::{moment, object};

pub(super) fn attribute_value(value: &AttributeValue) -> Json {
    match value {
        AttributeValue::Null => Json::Null,
        AttributeValue::String(text) => text.as_str().into(),
        AttributeValue::Uuid(uuid) => uuid.to_string().into(),
        AttributeValue::Number(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
        AttributeValue::Bool(is) => (*is).into(),
        AttributeValue::Datetime(time) => moment(*time),
    }
}

pub(crate) fn new_resource(resource: &NewResource) -> Json {
    let text = |text: &Option<String>| text.as_deref().map(Into::into);
    let own = resource.attributes.iter().filter(|(_, value)| **value != AttributeValue::Null);
    let metrics = (!resource.metrics.is_empty()).then(|| named_metrics(&resource.metrics));
    let base = object([
        ("id", Some(resource.id.as_str().into())),
        ("user_id", text(&resource.user_id)),
        ("project_id", text(&resource.project_id)),
        ("started_at", resource.started_at.map(moment)),
        ("ended_at", resource.ended_at.map(moment)),
        ("metrics", metrics),
    ]);
    with_attributes(base, own)
}

/// Nothing, where it takes an end away: the API has no word for that.
pub(crate) fn change(change: &ResourceChange) -> Option<Json> {
    if change.ended_at == Some(None) {
        return None;
    }
    let text = |text: &Option<Option<String>>| text.as_ref().map(|text| text.as_deref().into());
    let base = object([
        ("user_id", text(&change.user_id)),
        ("project_id", text(&change.project_id)),
        ("started_at", change.started_at.map(moment)),
        ("ended_at", change.ended_at.flatten().map(moment)),
        ("metrics", change.metrics.as_ref().map(named_metrics)),
    ]);
    Some(with_attributes(base, &change.attributes))
}

/// What all resources have is called as it is: an attribute of a type cannot have such a name.
fn with_attributes<'a>(
    mut base: Json,
    attributes: impl IntoIterator<Item = (&'a String, &'a AttributeValue)>,
) -> Json {
    if let Some(fields) = base.as_object_mut() {
        fields.extend(attributes.into_iter().map(|(name, value)| (name.clone(), attribute_value(value))));
    }
    base
}

pub(crate) fn named_metrics<'a>(metrics: impl IntoIterator<Item = (&'a String, &'a NamedMetric)>) -> Json {
    let written = metrics.into_iter().map(|(name, metric)| {
        let written = match metric {
            NamedMetric::Existing(id) => id.to_string().into(),
            NamedMetric::New { archive_policy_name, unit } => object([
                ("archive_policy_name", archive_policy_name.as_deref().map(Into::into)),
                ("unit", unit.as_deref().map(Into::into)),
            ]),
        };
        (name.clone(), written)
    });
    Json::Object(written.collect::<Map<_, _>>())
}

pub(crate) fn new_metric(metric: &NewMetric) -> Json {
    let text = |text: &Option<String>| text.as_deref().map(Into::into);
    object([
        ("archive_policy_name", text(&metric.archive_policy_name)),
        ("name", text(&metric.name)),
        ("unit", text(&metric.unit)),
        ("resource_id", text(&metric.resource_id)),
    ])
}
