//! Gnocchi's refusals in the words of the trait.
//!
//! A body is `{"code", "title", "description"}`, where the description is a sentence or an object with `cause`, `reason`
//! and `detail`. Gnocchi's own client, too, knows most errors by their sentences alone.

use nephoscope_gnocchi::{Error, Unaggregated, UnknownResource};
use nephoscope_http::StatusCode;
use serde::Deserialize;
use serde_json::Value as Json;

#[derive(Deserialize)]
struct Body {
    description: Json,
}

/// What a refusal of Gnocchi means; nothing, where it is somebody else's. `mask` takes secrets out of a text that means
/// nothing to us.
pub(crate) fn understand(status: StatusCode, body: &[u8], mask: impl Fn(&str) -> String) -> Option<Error> {
    let Body { description } = serde_json::from_slice(body).ok()?;
    match &description {
        Json::String(text) => sentence(text).or_else(|| by_status(status, text, &mask)),
        Json::Object(_) => {
            let part = |name: &str| description.get(name).unwrap_or(&Json::Null);
            let known = described(part("cause").as_str()?, part("reason"), part("detail"));
            known.or_else(|| {
                let texts =
                    ["cause", "reason", "detail"].map(part).into_iter().filter(|part| !is_empty(part));
                let text = texts.map(shown).collect::<Vec<_>>().join(": ");
                by_status(status, &text, &mask)
            })
        }
        _ => None,
    }
}

/// What the status says of a text that is unknown.
fn by_status(status: StatusCode, text: &str, mask: &impl Fn(&str) -> String) -> Option<Error> {
    let text = excerpt(&mask(text));
    match status {
        StatusCode::PRECONDITION_FAILED => Some(Error::RevisionChanged),
        StatusCode::FORBIDDEN if text.is_empty() => {
            Some(Error::Forbidden("Gnocchi does not allow it to this user".into()))
        }
        StatusCode::FORBIDDEN => Some(Error::Forbidden(text)),
        StatusCode::BAD_REQUEST | StatusCode::CONFLICT | StatusCode::NOT_FOUND if !text.is_empty() => {
            Some(Error::Invalid(text))
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            Some(Error::Invalid("Gnocchi takes no body as large as this one".into()))
        }
        _ => None,
    }
}

/// So much of a text is passed on.
const LONGEST_TEXT: usize = 2000;

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// A sentence that begins and ends so, and makes an error of what stands between.
type Sentence = (&'static str, &'static str, fn(&str) -> Error);

/// Those with longer beginnings come first.
const SENTENCES: [Sentence; 20] = [
    ("Archive policy rule ", " does not exist", |it| Error::NoSuchArchivePolicyRule(it.into())),
    ("Archive policy rule ", " already exists", |it| Error::ArchivePolicyRuleAlreadyExists(it.into())),
    ("Archive policy ", " does not exist", |it| Error::NoSuchArchivePolicy(it.into())),
    ("Archive policy ", " already exists", |it| Error::ArchivePolicyAlreadyExists(it.into())),
    ("Archive policy ", " is still in use", |it| Error::ArchivePolicyInUse(it.into())),
    ("No Archive policy rule found for metric ", "", |it| Error::NoArchivePolicyRuleMatch(it.into())),
    (
        "No archive policy name specified and no archive policy rule found matching the metric name ",
        "",
        |it| Error::NoArchivePolicyRuleMatch(it.into()),
    ),
    ("Resource type ", " does not exist", |it| Error::NoSuchResourceType(it.into())),
    ("Resource type ", " already exists", |it| Error::ResourceTypeAlreadyExists(it.into())),
    ("Resource type ", " is still in use", |it| Error::ResourceTypeInUse(it.into())),
    ("Resource type ", " attribute", attribute),
    ("Resource ", " does not exist", |it| Error::NoSuchResource(it.into())),
    ("Resource ", " already exists", |it| Error::ResourceAlreadyExists(it.into())),
    ("Metric ", " does not exist", |it| Error::NoSuchMetric(it.into())),
    ("Named metric ", " already exists", |it| Error::NamedMetricAlreadyExists(it.into())),
    ("Unknown metrics: ", "", unknown_metrics),
    ("Invalid pagination: `", "'", |it| Error::InvalidPagination(it.into())),
    ("Invalid value: `", "'", filter_value),
    ("Invalid filter: ", "", invalid_filter),
    ("Value ", " is invalid", attribute_value),
];

fn sentence(text: &str) -> Option<Error> {
    change("Archive policy rule ", text, Error::UnsupportedArchivePolicyRuleChange)
        .or_else(|| change("Archive policy ", text, Error::UnsupportedArchivePolicyChange))
        .or_else(|| aggregation(text))
        .or_else(|| {
            SENTENCES.iter().find_map(|(beginning, end, error)| {
                let name = text.strip_prefix(beginning)?.strip_suffix(end)?;
                Some(error(name))
            })
        })
}

fn change(beginning: &str, text: &str, error: fn(String, String) -> Error) -> Option<Error> {
    let (name, reason) = text.strip_prefix(beginning)?.split_once(" does not support change: ")?;
    Some(error(name.into(), reason.into()))
}

fn unknown_metrics(names: &str) -> Error {
    Error::UnknownMetrics(names.split(", ").map(str::to_owned).collect())
}

fn invalid_filter(reason: &str) -> Error {
    Error::InvalidFilter(format!("Invalid filter: {reason}"))
}

fn attribute(text: &str) -> Error {
    match text.split_once(" has no ") {
        Some((resource_type, attribute)) => {
            Error::NoSuchAttribute { resource_type: resource_type.into(), attribute: attribute.into() }
        }
        None => Error::Invalid(format!("Resource type {text} attribute")),
    }
}

fn filter_value(text: &str) -> Error {
    match text.rsplit_once("' for field `") {
        Some((value, field)) => Error::InvalidFilterValue { field: field.into(), value: value.into() },
        None => Error::Invalid(format!("Invalid value: `{text}'")),
    }
}

fn attribute_value(text: &str) -> Error {
    let parts = text.rsplit_once(" on resource type ");
    let parts =
        parts.and_then(|(rest, resource_type)| Some((rest.rsplit_once(" for attribute ")?, resource_type)));
    match parts {
        Some(((value, attribute), resource_type)) => Error::InvalidAttributeValue {
            resource_type: resource_type.into(),
            attribute: attribute.into(),
            value: value.into(),
        },
        None => Error::Invalid(format!("Value {text} is invalid")),
    }
}

fn aggregation(text: &str) -> Option<Error> {
    let rest = text.strip_prefix("Aggregation method '")?.strip_suffix(" does not exist")?;
    let (method, rest) = rest.split_once("' at granularity '")?;
    let (granularity, metric) = rest.split_once("' for metric ")?;
    Some(Error::NoSuchGranularity {
        metric: metric.into(),
        method: method.into(),
        granularity: granularity.parse().ok()?,
    })
}

/// An error that comes as an object.
fn described(cause: &str, reason: &Json, detail: &Json) -> Option<Error> {
    let text = || detail.as_str().map(str::to_owned);
    match cause {
        "Unknown resources" => list(detail, unknown_resource).map(Error::UnknownResources),
        "Unknown metrics" => list(detail, |name| name.as_str().map(str::to_owned)).map(Error::UnknownMetrics),
        "Archive policy does not exist" => text().map(Error::NoSuchArchivePolicy),
        "Resource type does not exist" => text().map(Error::NoSuchResourceType),
        "Resource already exists" => text().map(Error::ResourceAlreadyExists),
        "Named metric already exists" => text().map(Error::NamedMetricAlreadyExists),
        "Aggregation method does not exist for this metric" => Some(Error::NoSuchAggregation {
            metric: detail["metric"].as_str()?.into(),
            method: detail["aggregation_method"].as_str()?.into(),
            granularity: UNTOLD,
        }),
        "Metrics with unknown aggregation" => {
            let series = detail.get(0)?;
            let part = |number: usize| series.get(number).and_then(Json::as_str).map(str::to_owned);
            Some(Error::NoSuchAggregation { metric: part(0)?, method: part(1)?, granularity: UNTOLD })
        }
        "Invalid input" => Some(Error::Invalid(reason.as_str()?.into())),
        "Metrics cannot be aggregated" => Some(Error::CannotBeAggregated {
            reason: shown(reason),
            detail: detail
                .as_array()
                .map(|all| all.iter().filter_map(unaggregated).collect())
                .unwrap_or_default(),
        }),
        _ => None,
    }
}

/// The granularity that an error is about, where Gnocchi does not tell it.
const UNTOLD: f64 = 0.0;

fn list<T>(detail: &Json, read: impl Fn(&Json) -> Option<T>) -> Option<Vec<T>> {
    detail.as_array()?.iter().map(read).collect()
}

fn unknown_resource(json: &Json) -> Option<UnknownResource> {
    let text = |name: &str| json.get(name).and_then(Json::as_str);
    Some(UnknownResource {
        resource_id: text("resource_id")?.parse().ok()?,
        original_resource_id: text("original_resource_id")?.into(),
    })
}

fn unaggregated(json: &Json) -> Option<Unaggregated> {
    let text = |number: usize| json.get(number).and_then(Json::as_str).map(str::to_owned);
    Some(Unaggregated {
        metric: text(0)?,
        aggregation: text(1)?,
        granularity: json.get(2).and_then(Json::as_f64),
    })
}

fn is_empty(part: &Json) -> bool {
    match part {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn shown(part: &Json) -> String {
    part.as_str().map_or_else(|| part.to_string(), str::to_owned)
}
