//! Which metrics are chosen: the API knows conditions only of one kind, that an attribute is a text, and all of them
//! at once. What else a choice says is looked at here.
//!
//! As SQL has it, a condition on a value that is missing is neither true nor false, and neither is its negation.

use std::collections::HashMap;

use nephoscope_gnocchi::{Comparison, Error, Filter, Metric, Result, Value, like_matches, parse_uuid};
use uuid::Uuid;

/// The attributes that a list can be asked for by.
const ASKED_BY: [&str; 5] = ["id", "name", "unit", "archive_policy_name", "creator"];

/// Where the chosen ones are among.
#[derive(Debug, PartialEq)]
pub(crate) enum Source {
    /// All metrics with these attributes; and whether that is all that the condition says.
    List(Vec<(&'static str, String)>, bool),
    /// Those with these ids.
    Ids(Vec<Uuid>),
    /// The metrics of these resources.
    Resources(Vec<String>),
}

/// A condition on metrics, ready to be looked at.
#[derive(Debug)]
pub(crate) struct Condition(Filter);

/// The texts that name resources and are no UUIDs: what they mean, only Gnocchi knows.
pub(crate) fn names_of_resources(filter: &Filter, found: &mut Vec<String>) {
    let mut add = |value: &Value| match value {
        Value::String(text) if parse_uuid(text).is_none() => found.push(text.clone()),
        _ => {}
    };
    match filter {
        Filter::And(all) | Filter::Or(all) => all.iter().for_each(|filter| names_of_resources(filter, found)),
        Filter::Not(filter) => names_of_resources(filter, found),
        Filter::Compare(_, name, value) if name == "resource_id" => add(value),
        Filter::In(name, values) if name == "resource_id" => values.iter().for_each(add),
        Filter::Compare(..) | Filter::In(..) | Filter::Like(..) => {}
    }
}

impl Condition {
    /// Makes a condition ready, with the resources that texts mean; refuses attributes that metrics do not have and
    /// values that do not fit them.
    pub(crate) fn new(filter: &Filter, resources: &HashMap<String, Uuid>) -> Result<Self> {
        prepare(filter, resources).map(Self)
    }

    /// Where to look for those that it takes. A list that has an order of its own has to be read whole.
    pub(crate) fn source(&self, whole_list: bool) -> Source {
        let parts = match &self.0 {
            Filter::And(parts) => parts.as_slice(),
            single => std::slice::from_ref(single),
        };
        if !whole_list && let Some(source) = parts.iter().find_map(narrow) {
            return source;
        }
        let mut asked: Vec<(&'static str, String)> = Vec::new();
        for part in parts {
            let Filter::Compare(Comparison::Equal, name, Value::String(text)) = part else { continue };
            let Some(name) = ASKED_BY.into_iter().find(|known| known == name) else { continue };
            if asked.iter().all(|(other, _)| *other != name) {
                asked.push((name, text.clone()));
            }
        }
        let is_all = asked.len() == parts.len();
        Source::List(asked, is_all)
    }

    pub(crate) fn takes(&self, metric: &Metric) -> bool {
        holds(&self.0, metric) == Some(true)
    }
}

/// A condition that names a few things.
fn narrow(filter: &Filter) -> Option<Source> {
    let texts = |values: &[Value]| {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            _ => None,
        };
        values.iter().map(text).collect::<Option<Vec<_>>>()
    };
    match filter {
        Filter::Compare(Comparison::Equal, name, value) if name == "resource_id" => {
            texts(std::slice::from_ref(value)).map(Source::Resources)
        }
        Filter::In(name, values) if name == "resource_id" => texts(values).map(Source::Resources),
        Filter::In(name, values) if name == "id" => {
            let ids = texts(values)?;
            Some(Source::Ids(ids.iter().filter_map(|id| parse_uuid(id)).collect()))
        }
        _ => None,
    }
}

fn prepare(filter: &Filter, resources: &HashMap<String, Uuid>) -> Result<Filter> {
    let all =
        |filters: &[Filter]| filters.iter().map(|filter| prepare(filter, resources)).collect::<Result<_>>();
    Ok(match filter {
        Filter::And(filters) => Filter::And(all(filters)?),
        // Of nothing, Gnocchi makes what is always true.
        Filter::Or(filters) if filters.is_empty() => Filter::And(Vec::new()),
        Filter::Or(filters) => Filter::Or(all(filters)?),
        Filter::Not(filter) => Filter::Not(Box::new(prepare(filter, resources)?)),
        Filter::Compare(comparison, name, value) => match (created_by(name, &shown(value)), comparison) {
            (Some(pattern), Comparison::Equal) => Filter::Like("creator".into(), pattern),
            (Some(pattern), Comparison::NotEqual) => {
                Filter::Not(Box::new(Filter::Like("creator".into(), pattern)))
            }
            (Some(_), _) => return Err(invalid(name, value)),
            (None, _) => Filter::Compare(*comparison, name.clone(), prepare_value(name, value, resources)?),
        },
        Filter::In(name, values) => {
            let values = values.iter().map(|value| prepare_value(name, value, resources));
            Filter::In(name.clone(), values.collect::<Result<_>>()?)
        }
        Filter::Like(name, pattern) => match created_by(name, pattern) {
            Some(pattern) => Filter::Like("creator".into(), pattern),
            None if matches!(name.as_str(), "id" | "resource_id") => {
                return Err(invalid(name, &Value::String(pattern.clone())));
            }
            None => {
                check(name)?;
                filter.clone()
            }
        },
    })
}

/// Gnocchi finds these by patterns on the creator.
fn created_by(name: &str, value: &str) -> Option<String> {
    match name {
        "created_by_user_id" => Some(format!("{value}:%")),
        "created_by_project_id" => Some(format!("%:{value}")),
        _ => None,
    }
}

fn check(name: &str) -> Result<()> {
    if name == "resource_id" || ASKED_BY.contains(&name) {
        return Ok(());
    }
    Err(Error::NoSuchAttribute { resource_type: "metric".into(), attribute: name.into() })
}

/// All are texts here, UUIDs in their usual form.
fn prepare_value(name: &str, value: &Value, resources: &HashMap<String, Uuid>) -> Result<Value> {
    check(name)?;
    if *value == Value::Null || !matches!(name, "id" | "resource_id") {
        return Ok(if *value == Value::Null { Value::Null } else { Value::String(shown(value)) });
    }
    let Value::String(text) = value else { return Err(invalid(name, value)) };
    let id = parse_uuid(text).or_else(|| match name {
        "resource_id" if !text.contains('/') => {
            // A resource that is not there has no metrics.
            Some(resources.get(text).copied().unwrap_or(Uuid::nil()))
        }
        _ => None,
    });
    id.map(|id| Value::String(id.to_string())).ok_or_else(|| invalid(name, value))
}

fn invalid(name: &str, value: &Value) -> Error {
    Error::InvalidFilterValue { field: name.into(), value: shown(value) }
}

/// As Python's `str`.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
    }
}

fn attribute(metric: &Metric, name: &str) -> Option<String> {
    match name {
        "id" => Some(metric.id.to_string()),
        "name" => metric.name.clone(),
        "unit" => metric.unit.clone(),
        "archive_policy_name" => Some(metric.archive_policy.name.clone()),
        "creator" => metric.creator.clone(),
        "resource_id" => metric.resource_id.map(|id| id.to_string()),
        _ => None,
    }
}

fn holds(filter: &Filter, metric: &Metric) -> Option<bool> {
    match filter {
        Filter::And(all) => fold(all, metric, false),
        Filter::Or(any) => fold(any, metric, true),
        Filter::Not(filter) => holds(filter, metric).map(|holds| !holds),
        Filter::Compare(comparison, name, Value::String(with)) => {
            let Some(own) = attribute(metric, name) else {
                return (*comparison == Comparison::NotEqual).then_some(true);
            };
            let order = own.as_str().cmp(with);
            Some(match comparison {
                Comparison::Equal => order.is_eq(),
                Comparison::NotEqual => order.is_ne(),
                Comparison::Less => order.is_lt(),
                Comparison::LessOrEqual => order.is_le(),
                Comparison::Greater => order.is_gt(),
                Comparison::GreaterOrEqual => order.is_ge(),
            })
        }
        // With nothing: whether there is a value.
        Filter::Compare(comparison, name, _) => {
            let is_null = attribute(metric, name).is_none();
            match comparison {
                Comparison::Equal => Some(is_null),
                Comparison::NotEqual => Some(!is_null),
                _ => None,
            }
        }
        Filter::In(name, values) => {
            let own = Value::String(attribute(metric, name)?);
            Some(values.contains(&own))
        }
        Filter::Like(name, pattern) => Some(like_matches(pattern, &attribute(metric, name)?)),
    }
}

/// The first that decides; else unknown, if one of them is.
fn fold(filters: &[Filter], metric: &Metric, decisive: bool) -> Option<bool> {
    let mut result = Some(!decisive);
    for filter in filters {
        match holds(filter, metric) {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}
