//! Bodies with measures, read as they come: `[{"timestamp": …, "value": …}]` alone, by metric, or by resource and name.
//!
//! What is read lies in the measures only; no tree of the body is made. That is most of what taking in measures costs.

mod scanner;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use indexmap::IndexMap;

pub use scanner::NotJson;
use scanner::{Scanner, Token};

use crate::time::parse_number;
use crate::{
    Creator, Measure, MetricMeasures, NamedMetric, PathItem, ResourceMeasures, SchemaError, Timestamp,
    TimestampError, Timestamps, parse_uuid, resource_uuid,
};

/// Why a body with measures is refused. None of its measures counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// It is no JSON.
    #[error(transparent)]
    Undecodable(#[from] NotJson),
    /// It is JSON of something else.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

type Read<T> = Result<T, BatchError>;

/// Reads the measures of one metric. Timestamps have any form, the same in all of them; spans are from `now`. Values are
/// numbers, or text that Python takes for one; other keys may be there.
pub fn read_measures(body: &[u8], now: Timestamp) -> Read<Vec<Measure>> {
    let mut scanner = Scanner::new(body)?;
    let token = scanner.token()?;
    let measures = measures(&mut scanner, &token, now)?;
    scanner.end()?;
    Ok(measures)
}

/// Reads measures by the ids of their metrics. Of a metric that is there twice the later list counts.
pub fn read_metric_measures(body: &[u8], now: Timestamp) -> Read<MetricMeasures> {
    let mut scanner = Scanner::new(body)?;
    let mut all: MetricMeasures = Vec::new();
    let mut places = HashMap::new();
    object(&mut scanner, |scanner, key| {
        let Some(id) = parse_uuid(key) else {
            return Err(of_key(SchemaError::new("not a valid value"), key));
        };
        let token = scanner.token()?;
        let measures = measures(scanner, &token, now).map_err(|error| in_key(error, key))?;
        match places.get(&id) {
            Some(place) => all[*place] = (id, measures),
            None => {
                places.insert(id, all.len());
                all.push((id, measures));
            }
        }
        Ok(())
    })?;
    scanner.end()?;
    Ok(all)
}

/// Reads measures by resource and name of the metric, each with how the metric is kept if it has to be made. Of a
/// resource, or a metric of it, that is there twice the later one counts.
pub fn read_resource_measures(body: &[u8], now: Timestamp) -> Read<Vec<ResourceMeasures>> {
    let mut scanner = Scanner::new(body)?;
    let mut all = IndexMap::new();
    object(&mut scanner, |scanner, resource| {
        // Whose it is, is none of our business here: only whether it can be one.
        resource_uuid(resource, &Creator::default()).map_err(|error| of_key(error.into(), resource))?;
        let mut metrics = IndexMap::new();
        let read = object(scanner, |scanner, name| {
            let read = named_measures(scanner, now).map_err(|error| in_key(error, name))?;
            metrics.insert(name.to_owned(), read);
            Ok(())
        });
        read.map_err(|error| in_key(error, resource))?;
        all.insert(resource.to_owned(), metrics);
        Ok(())
    })?;
    scanner.end()?;
    Ok(all.into_iter().map(|(resource_id, metrics)| ResourceMeasures { resource_id, metrics }).collect())
}

/// Hands each key of an object to `read`, which has to read its value.
fn object(scanner: &mut Scanner<'_>, mut read: impl FnMut(&mut Scanner<'_>, &str) -> Read<()>) -> Read<()> {
    if !matches!(scanner.token()?, Token::Object) {
        return Err(SchemaError::new("expected a dictionary").into());
    }
    let mut first = true;
    while let Some(key) = scanner.key(&mut first)? {
        read(scanner, &key)?;
    }
    Ok(())
}

/// It is the key itself that is wrong.
fn of_key(error: SchemaError, key: &str) -> BatchError {
    SchemaError { reason: error.reason, path: vec![PathItem::Key(key.into())] }.into()
}

fn in_key(error: BatchError, key: &str) -> BatchError {
    match error {
        BatchError::Schema(error) => error.in_key(key).into(),
        undecodable => undecodable,
    }
}

/// Measures alone, or with how their metric is kept.
fn named_measures(scanner: &mut Scanner<'_>, now: Timestamp) -> Read<(NamedMetric, Vec<Measure>)> {
    let token = scanner.token()?;
    let (mut archive_policy_name, mut unit, mut measured) = (None, None, None);
    let mut is_empty = true;
    if !matches!(token, Token::Object) {
        measured = Some(measures(scanner, &token, now)?);
    } else {
        let mut first = true;
        while let Some(key) = scanner.key(&mut first)? {
            is_empty = false;
            let token = scanner.token()?;
            let place = match &*key {
                "archive_policy_name" => &mut archive_policy_name,
                "unit" => &mut unit,
                "measures" => {
                    measured = Some(measures(scanner, &token, now).map_err(|error| in_key(error, &key))?);
                    continue;
                }
                _ => return Err(SchemaError::extra(&key).into()),
            };
            let Token::String(text) = token else {
                return Err(SchemaError::new("expected str").in_key(&key).into());
            };
            *place = Some(text.into_owned());
        }
    }
    match measured {
        Some(measured) => Ok((NamedMetric::New { archive_policy_name, unit }, measured)),
        // An empty object is as good as an empty list to the real one.
        None if is_empty => Ok((NamedMetric::New { archive_policy_name: None, unit: None }, Vec::new())),
        None => Err(SchemaError::missing("measures").into()),
    }
}

fn measures(scanner: &mut Scanner<'_>, token: &Token<'_>, now: Timestamp) -> Read<Vec<Measure>> {
    let format = || SchemaError::new("unexpected measures format").into();
    match token {
        Token::Array => {}
        Token::Object if scanner.key(&mut true)?.is_none() => return Ok(Vec::new()),
        _ => return Err(format()),
    }
    let mut timestamps = Timestamps::new(now);
    let mut measures = Vec::new();
    let (mut is_first, mut wrong) = (true, Wrong::default());
    let mut first = true;
    while scanner.goes_on(&mut first)? {
        if !matches!(scanner.token()?, Token::Object) {
            return Err(format());
        }
        let (mut timestamp, mut value) = (None, None);
        let mut first = true;
        while let Some(key) = scanner.key(&mut first)? {
            let token = scanner.token()?;
            match (&*key, &token) {
                ("timestamp", Token::String(text)) => timestamp = Some(timestamps.text(text)),
                ("timestamp", Token::Number(number)) => timestamp = Some(timestamps.number(*number)),
                ("timestamp", Token::Bool(is)) => {
                    timestamp = Some(timestamps.number(f64::from(u8::from(*is))));
                }
                // Of what is no time, the first is told otherwise than those that follow.
                ("timestamp", Token::Null | Token::Array) if !is_first => {
                    scanner.skip(&token)?;
                    timestamp = Some(Err(TimestampError::Unreadable));
                }
                ("timestamp", _) => return Err(format()),
                ("value", Token::Number(number)) => value = Some(*number),
                ("value", Token::String(text)) => value = parse_number(text),
                ("value", Token::Bool(is)) => value = Some(f64::from(u8::from(*is))),
                _ => scanner.skip(&token)?,
            }
        }
        is_first = false;
        match (timestamp, value) {
            (None, _) => return Err(format()),
            (Some(Ok(timestamp)), Some(value)) => measures.push(Measure { timestamp, value }),
            (Some(Ok(_)), None) => wrong.has_value = true,
            (Some(Err(error)), _) => wrong.see(error),
        }
    }
    wrong.check()?;
    Ok(measures)
}

/// What is wrong with some of the measures of a list. All timestamps are looked at before any value, and before any is held
/// against 1970.
#[derive(Debug, Default)]
struct Wrong {
    timestamp: Option<TimestampError>,
    has_value: bool,
}

impl Wrong {
    fn see(&mut self, error: TimestampError) {
        if self.timestamp != Some(TimestampError::Unreadable) {
            self.timestamp = Some(error);
        }
    }

    fn check(&self) -> Result<(), SchemaError> {
        if let Some(error) = self.timestamp {
            return Err(SchemaError::new(format!("unexpected timestamp '{error}'")));
        }
        if self.has_value {
            return Err(SchemaError::new("unexpected measures value"));
        }
        Ok(())
    }
}
