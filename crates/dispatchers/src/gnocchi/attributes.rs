//! Attributes as samples have them, and as Gnocchi wants them.

use std::collections::{BTreeMap, HashMap};

use nephoscope_gnocchi::{AttributeKind, AttributeValue, ResourceType, Timestamp, parse_uuid};
use nephoscope_resource_types::Attributes;
use nephoscope_telemetry::json;

/// The attributes of each type that Gnocchi has, and what values they take.
#[derive(Debug, Default)]
pub(super) struct Kinds(HashMap<String, BTreeMap<String, AttributeKind>>);

impl Kinds {
    pub(super) fn of(types: Vec<ResourceType>) -> Self {
        let kinds = |resource_type: ResourceType| {
            let attributes = resource_type.attributes.into_iter();
            (resource_type.name, attributes.map(|(name, attribute)| (name, attribute.kind)).collect())
        };
        Self(types.into_iter().map(kinds).collect())
    }

    /// What a resource of this type gets. An attribute that the type has not, or a value that it does not take, is left
    /// out: the measures count for more.
    pub(super) fn values(
        &self,
        resource_type: &str,
        attributes: &Attributes<'_>,
    ) -> BTreeMap<String, AttributeValue> {
        let Some(kinds) = self.0.get(resource_type) else { return BTreeMap::new() };
        let value = |(name, json): (&str, &str)| {
            let value = value_of(kinds.get(name)?, json);
            if value.is_none() {
                tracing::debug!("{resource_type}: its attribute {name} does not take {json}");
            }
            Some((name.to_owned(), value?))
        };
        attributes.iter().filter_map(value).collect()
    }
}

/// A JSON value as one of this kind.
fn value_of(kind: &AttributeKind, value: &str) -> Option<AttributeValue> {
    let text = json::decode(value);
    match kind {
        AttributeKind::String { min_length, max_length } => {
            // A number that Gnocchi wants as a text, such as an id.
            let text = text.unwrap_or(std::borrow::Cow::Borrowed(value));
            let length = text.chars().count();
            let fits = (*min_length as usize..=*max_length as usize).contains(&length);
            fits.then(|| AttributeValue::String(text.into_owned()))
        }
        AttributeKind::Uuid => parse_uuid(&text?).map(AttributeValue::Uuid),
        AttributeKind::Number { min, max } => {
            let number: f64 = text.as_deref().unwrap_or(value).parse().ok()?;
            let fits = min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max);
            (fits && number.is_finite()).then_some(AttributeValue::Number(number))
        }
        AttributeKind::Bool => match text.as_deref().unwrap_or(value) {
            "true" | "True" => Some(AttributeValue::Bool(true)),
            "false" | "False" => Some(AttributeValue::Bool(false)),
            _ => None,
        },
        AttributeKind::Datetime => {
            Timestamp::parse(&text?, Timestamp::EPOCH).ok().map(AttributeValue::Datetime)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_made_to_fit_or_left_out() {
        let text = AttributeKind::String { min_length: 1, max_length: 3 };
        let number = AttributeKind::Number { min: Some(0.0), max: None };
        let string = |text: &str| Some(AttributeValue::String(text.into()));
        for (kind, json, value) in [
            (&text, r#""abc""#, string("abc")),
            (&text, "12", string("12")),
            (&text, r#""""#, None),
            (&text, r#""abcd""#, None),
            (&text, r#""éüö""#, string("éüö")),
            (&number, "5", Some(AttributeValue::Number(5.0))),
            (&number, r#""5.5""#, Some(AttributeValue::Number(5.5))),
            (&number, "-1", None),
            (&number, r#""nan""#, None),
            (&AttributeKind::Bool, "true", Some(AttributeValue::Bool(true))),
            (&AttributeKind::Bool, r#""maybe""#, None),
            (&AttributeKind::Uuid, r#""no""#, None),
            (&AttributeKind::Uuid, "5", None),
            (&AttributeKind::Datetime, r#""yesterday-ish""#, None),
            (&AttributeKind::Datetime, r#""""#, None),
            (
                &AttributeKind::Datetime,
                r#""1970-01-01T00:00:01Z""#,
                Some(AttributeValue::Datetime(Timestamp::from_nanos(1_000_000_000))),
            ),
        ] {
            assert_eq!(value_of(kind, json), value, "{kind:?} {json}");
        }
        let uuid = value_of(&AttributeKind::Uuid, r#""2f1e0d3c-4b5a-4697-8877-a1b2c3d4e5f6""#);
        assert!(matches!(uuid, Some(AttributeValue::Uuid(_))));
    }
}
