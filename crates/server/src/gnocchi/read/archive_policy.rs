//! Archive policies and rules.

use nephoscope_gnocchi::{
    AggregationMethod, ArchivePolicy, ArchivePolicyRule, Definition, Function, SchemaError, SchemaResult,
    Timespan,
};
use serde_json::Value;

use super::super::fault::Fault;
use super::{fields, keep, list, text, whole};

/// What is kept of each period, where a policy does not say.
const DEFAULT_FUNCTIONS: [Function; 6] =
    [Function::Mean, Function::Min, Function::Max, Function::Sum, Function::Std, Function::Count];

/// A resolution as it is written: two of the three at least.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    granularity: Option<Timespan>,
    points: Option<i64>,
    timespan: Option<Timespan>,
}

/// Reads an archive policy.
pub(in super::super) fn read_policy(json: &Value) -> Result<ArchivePolicy, Fault> {
    let (mut name, mut definition, mut back_window, mut methods) = (None, None, None, None);
    fields(json, |key, value| match key {
        "name" => keep(&mut name, text(value)),
        "back_window" => keep(&mut back_window, whole(value, 0)),
        "aggregation_methods" => keep(&mut methods, list(value, method)),
        "definition" => keep(&mut definition, read_written(value)),
        _ => None,
    })?;
    let definition = definition.ok_or_else(|| SchemaError::missing("definition"))?;
    let name = name.ok_or_else(|| SchemaError::missing("name"))?;
    Ok(ArchivePolicy {
        name,
        back_window: window(back_window.unwrap_or_default()),
        definition: read_definitions(&definition)?,
        aggregation_methods: choose(methods),
    })
}

/// Reads a change of an archive policy: its resolutions, and its back window.
pub(in super::super) fn read_policy_change(json: &Value) -> Result<(Vec<Definition>, Option<u32>), Fault> {
    let (mut definition, mut back_window) = (None, None);
    fields(json, |key, value| match key {
        "back_window" => keep(&mut back_window, whole(value, 0)),
        "definition" => keep(&mut definition, read_written(value)),
        _ => None,
    })?;
    let definition = definition.ok_or_else(|| SchemaError::missing("definition"))?;
    // One that is there twice is no change that can be made, which is told once the policy is known.
    let definition = definition.iter().map(read_definition).collect::<Result<_, _>>()?;
    Ok((definition, back_window.map(window)))
}

fn window(periods: i64) -> u32 {
    u32::try_from(periods).unwrap_or(u32::MAX)
}

fn read_written(json: &Value) -> SchemaResult<Vec<Written>> {
    let written = list(json, |json| {
        let (mut granularity, mut points, mut timespan) = (None, None, None);
        fields(json, |key, value| match key {
            "granularity" => keep(&mut granularity, span(value)),
            "points" => keep(&mut points, whole(value, 1)),
            "timespan" => keep(&mut timespan, span(value)),
            _ => None,
        })?;
        Ok(Written { granularity, points, timespan })
    })?;
    if written.is_empty() {
        return Err(SchemaError::new("length of value must be at least 1"));
    }
    Ok(written)
}

fn span(json: &Value) -> SchemaResult<Timespan> {
    let read = match json {
        Value::String(text) => Timespan::parse(text),
        Value::Number(seconds) => Timespan::from_seconds_f64(seconds.as_f64().unwrap_or(f64::NAN)),
        Value::Null => return Err(SchemaError::new("Invalid timespan")),
        _ => return Err(SchemaError::new("Unable to parse timespan")),
    };
    read.map_err(|error| SchemaError::new(error.to_string()))
}

/// Makes resolutions of what is written, which has to agree with itself.
fn read_definitions(written: &[Written]) -> Result<Vec<Definition>, Fault> {
    let mut definitions: Vec<Definition> = Vec::with_capacity(written.len());
    for written in written {
        let read = read_definition(written)?;
        if definitions.iter().any(|known| known.granularity == read.granularity) {
            let seconds = read.granularity.as_seconds();
            return Err(Fault::bad_request(format!(
                "More than one archive policy uses granularity `{seconds:?}'"
            )));
        }
        definitions.push(read);
    }
    Ok(definitions)
}

fn read_definition(written: &Written) -> Result<Definition, Fault> {
    definition(written).map_err(Fault::bad_request)
}

fn definition(written: &Written) -> Result<Definition, &'static str> {
    let points = written.points.and_then(|points| u64::try_from(points).ok());
    match (written.granularity, points, written.timespan) {
        (Some(granularity), Some(points), Some(timespan)) => {
            let definition = Definition { granularity, points: Some(points) };
            if definition.timespan() == Some(timespan) {
                Ok(definition)
            } else {
                Err("timespan ≠ granularity × points")
            }
        }
        (Some(granularity), Some(points), None) => Ok(Definition { granularity, points: Some(points) }),
        (Some(granularity), None, Some(timespan)) => {
            let points = u64::try_from(timespan.as_nanos() / granularity.as_nanos()).unwrap_or_default();
            if points == 0 {
                return Err("Calculated number of points is < 0");
            }
            Ok(Definition { granularity, points: Some(points) })
        }
        (Some(granularity), None, None) => Ok(Definition { granularity, points: None }),
        (None, Some(points), Some(timespan)) => {
            let nanos = i64::try_from(points).ok().map(|points| timespan.as_nanos() / points);
            let granularity = nanos.and_then(Timespan::from_nanos).ok_or("Granularity should be > 0")?;
            Ok(Definition { granularity, points: Some(points) })
        }
        (None, _, _) => Err("At least two of granularity/points/timespan must be provided"),
    }
}

/// What a policy says about a method.
#[derive(Clone, Copy, Debug)]
enum Choice {
    All,
    This(AggregationMethod),
    With(AggregationMethod),
    Without(AggregationMethod),
}

fn method(json: &Value) -> SchemaResult<Choice> {
    let wrong = || SchemaError::new("invalid value");
    let text = json.as_str().ok_or_else(wrong)?;
    let known = |text: &str| text.parse().map_err(|_| wrong());
    match text.as_bytes().first() {
        Some(b'*') if text == "*" => Ok(Choice::All),
        Some(b'-') => known(&text[1..]).map(Choice::Without),
        Some(b'+') => known(&text[1..]).map(Choice::With),
        _ => known(text).map(Choice::This),
    }
}

/// The methods that are chosen: those named, or all, or where none is named the default ones; with some more, and without
/// some others.
fn choose(choices: Option<Vec<Choice>>) -> Vec<AggregationMethod> {
    let choices = choices.unwrap_or_default();
    let mut methods: Vec<AggregationMethod> = Vec::new();
    let relative = |choice: &Choice| matches!(choice, Choice::With(_) | Choice::Without(_));
    if choices.iter().any(|choice| matches!(choice, Choice::All)) {
        methods.extend(AggregationMethod::all());
    } else if choices.iter().all(relative) {
        methods.extend(DEFAULT_FUNCTIONS.map(|function| AggregationMethod { rate: false, function }));
    }
    for choice in choices {
        match choice {
            Choice::This(method) | Choice::With(method) if !methods.contains(&method) => methods.push(method),
            Choice::Without(method) => methods.retain(|known| *known != method),
            _ => {}
        }
    }
    methods
}

/// Reads an archive policy rule.
pub(in super::super) fn read_rule(json: &Value) -> SchemaResult<ArchivePolicyRule> {
    let (mut name, mut pattern, mut policy) = (None, None, None);
    fields(json, |key, value| match key {
        "name" => keep(&mut name, text(value)),
        "metric_pattern" => keep(&mut pattern, text(value)),
        "archive_policy_name" => keep(&mut policy, text(value)),
        _ => None,
    })?;
    Ok(ArchivePolicyRule {
        name: name.ok_or_else(|| SchemaError::missing("name"))?,
        metric_pattern: pattern.ok_or_else(|| SchemaError::missing("metric_pattern"))?,
        archive_policy_name: policy.ok_or_else(|| SchemaError::missing("archive_policy_name"))?,
    })
}

/// Reads the new name of an archive policy rule.
pub(in super::super) fn read_rule_name(json: &Value) -> SchemaResult<String> {
    let mut name = None;
    fields(json, |key, value| match key {
        "name" => keep(&mut name, text(value)),
        _ => None,
    })?;
    name.ok_or_else(|| SchemaError::missing("name"))
}
