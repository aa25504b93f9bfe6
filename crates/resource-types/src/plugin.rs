//! Ceilometer's plugins, which make a value of what paths have found.

use std::borrow::Cow;
use std::collections::HashMap;

use nephoscope_telemetry::Timestamp;

use crate::jsonpath::{Match, Value};
use crate::yaml::{InvalidYaml, Yaml, YamlValue};

/// A plugin with its parameters. Parameters that it does not know it ignores, as those of Ceilometer do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plugin {
    /// A piece of each text.
    Split { separator: String, segment: i64, cuts: Option<usize> },
    /// One number, with a bit for each flag that is found.
    Bitfield { initial: i128, flags: Vec<Flag> },
    /// The seconds between two times.
    Timedelta,
    /// For each value another.
    Map { values: HashMap<String, String>, default: String, case_counts: bool },
}

/// A bit of a bitfield.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flag {
    /// Where a value has to be found.
    place: String,
    bit: i128,
    /// What it has to be, if that matters: JSON.
    value: Option<String>,
}

/// The highest bit: numbers have 128, and one is the sign.
const HIGHEST_BIT: i128 = 126;

type Result<T> = std::result::Result<T, InvalidYaml>;

impl Plugin {
    /// Reads a name, or a map with `name` and `parameters`.
    pub(crate) fn read(yaml: &Yaml) -> Result<Self> {
        let none = Yaml { value: YamlValue::Null, place: yaml.place };
        let (name, parameters) = match &yaml.value {
            YamlValue::Text(name) => (name.as_str(), &none),
            YamlValue::Map(_) => {
                let name = yaml.get("name").ok_or_else(|| InvalidYaml::new(yaml, "`name` is missing"))?;
                let name = name.as_text().ok_or_else(|| InvalidYaml::kind(name, "`name`", "a text"))?;
                (name, yaml.get("parameters").unwrap_or(&none))
            }
            _ => {
                return Err(InvalidYaml::kind(
                    yaml,
                    "`plugin`",
                    "a name, or a map with `name` and `parameters`",
                ));
            }
        };
        if !matches!(parameters.value, YamlValue::Null | YamlValue::Map(_)) {
            return Err(InvalidYaml::kind(parameters, "`parameters`", "a map"));
        }
        match name {
            "split" => Self::read_split(parameters),
            "bitfield" => Self::read_bitfield(parameters),
            "timedelta" => Ok(Self::Timedelta),
            "map" => Self::read_map(parameters),
            _ => Err(InvalidYaml::new(
                yaml,
                format!("there is no plugin `{name}`; there are split, bitfield, timedelta and map"),
            )),
        }
    }

    fn read_split(parameters: &Yaml) -> Result<Self> {
        let separator = match parameters.get("separator") {
            None => ".",
            Some(yaml) => match yaml.as_text() {
                Some(text) if !text.is_empty() => text,
                _ => return Err(InvalidYaml::kind(yaml, "`separator`", "a text that is not empty")),
            },
        };
        let number = |name| match parameters.get(name) {
            None => Ok(None),
            Some(yaml) if yaml.value == YamlValue::Null => Ok(None),
            Some(yaml) => integer(yaml, name).map(Some),
        };
        let segment = number("segment")?.unwrap_or(0);
        let segment = i64::try_from(segment).unwrap_or(i64::MAX);
        // Fewer than none means as many as there are.
        let cuts = number("max_split")?.and_then(|cuts| usize::try_from(cuts).ok());
        Ok(Self::Split { separator: separator.into(), segment, cuts })
    }

    fn read_bitfield(parameters: &Yaml) -> Result<Self> {
        let initial =
            parameters.get("initial_bitfield").map_or(Ok(0), |yaml| integer(yaml, "initial_bitfield"))?;
        let mut flags = Vec::new();
        match parameters.get("flags") {
            None => {}
            Some(yaml) => match &yaml.value {
                YamlValue::Null => {}
                YamlValue::List(list) => {
                    for flag in list {
                        flags.push(Flag::read(flag)?);
                    }
                }
                _ => return Err(InvalidYaml::kind(yaml, "`flags`", "a list")),
            },
        }
        Ok(Self::Bitfield { initial, flags })
    }

    fn read_map(parameters: &Yaml) -> Result<Self> {
        let values =
            parameters.get("values").ok_or_else(|| InvalidYaml::new(parameters, "`values` is missing"))?;
        let case_counts = match parameters.get("case_sensitive").map(|yaml| &yaml.value) {
            None => true,
            Some(value) => !matches!(value, YamlValue::Bool(false) | YamlValue::Null | YamlValue::Integer(0)),
        };
        let entries = match &values.value {
            YamlValue::Map(entries) if !entries.is_empty() => entries,
            _ => return Err(InvalidYaml::kind(values, "`values`", "a map that is not empty")),
        };
        let identity = |(key, value): &(Yaml, Yaml)| {
            let identity = key.identity()?;
            Some((if case_counts { identity } else { fold(&identity) }, value.to_json()))
        };
        let values = entries.iter().filter_map(identity).collect();
        let default = parameters.get("default").map_or("null".to_owned(), Yaml::to_json);
        Ok(Self::Map { values, default, case_counts })
    }

    /// The first value that it makes of what was found.
    pub(crate) fn first<'a>(&'a self, found: &[Match<'a>]) -> Option<Value<'a>> {
        match self {
            Self::Split { separator, segment, cuts } => found.iter().find_map(|found| {
                let text = found.value().to_python_text();
                segment_of(&text, separator, *segment, *cuts)
                    .map(|piece| Value::Text(Cow::Owned(piece.to_owned())))
            }),
            Self::Bitfield { initial, flags } => {
                let set = flags.iter().filter(|flag| flag.is_set(found));
                Some(Value::Integer(set.fold(*initial, |field, flag| field | flag.bit)))
            }
            Self::Timedelta => {
                let [start, end] = found else { return None };
                let time = |found: &Match<'_>| time(&found.value().as_text()?);
                let micros = time(end)?.as_micros().abs_diff(time(start)?.as_micros());
                #[expect(clippy::cast_precision_loss, reason = "Python divides so, too")]
                Some(Value::Float(micros as f64 / 1e6))
            }
            Self::Map { values, default, case_counts } => found
                .iter()
                .map(|found| {
                    let identity = found.value().identity();
                    let known =
                        identity.and_then(|key| values.get(&if *case_counts { key } else { fold(&key) }));
                    Value::Json(known.unwrap_or(default))
                })
                .find(|value| !value.is_null()),
        }
    }
}

impl Flag {
    fn read(yaml: &Yaml) -> Result<Self> {
        let needed = |name: &str| {
            yaml.get(name).ok_or_else(|| InvalidYaml::new(yaml, format!("`{name}` of a flag is missing")))
        };
        let place = needed("path")?;
        let bit = needed("bit")?;
        let number = integer(bit, "bit")?;
        if !(0..=HIGHEST_BIT).contains(&number) {
            return Err(InvalidYaml::new(bit, format!("`bit` is {number}, expected 0 to {HIGHEST_BIT}")));
        }
        Ok(Self {
            place: place.as_text().ok_or_else(|| InvalidYaml::kind(place, "`path`", "a text"))?.into(),
            bit: 1 << number,
            value: yaml.get("value").map(Yaml::to_json),
        })
    }

    /// Of several values at one place the last counts.
    fn is_set(&self, found: &[Match<'_>]) -> bool {
        let Some(found) = found.iter().rev().find(|found| found.place() == self.place) else { return false };
        self.value.as_ref().is_none_or(|value| found.value().equals(&Value::Json(value)))
    }
}

/// A whole number, which may stand in quotes.
fn integer(yaml: &Yaml, name: &str) -> Result<i128> {
    match &yaml.value {
        YamlValue::Integer(integer) => Some(*integer),
        YamlValue::Text(text) => text.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| InvalidYaml::kind(yaml, format_args!("`{name}`"), "a whole number"))
}

/// A segment, counted from the end when negative.
fn segment_of<'t>(text: &'t str, separator: &str, segment: i64, cuts: Option<usize>) -> Option<&'t str> {
    let pieces: Vec<&str> = match cuts {
        None => text.split(separator).collect(),
        Some(cuts) => text.splitn(cuts.saturating_add(1), separator).collect(),
    };
    let length = i64::try_from(pieces.len()).ok()?;
    let at = if segment < 0 { segment + length } else { segment };
    pieces.get(usize::try_from(at).ok()?).copied()
}

/// A moment, or the beginning of a day.
fn time(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|_| Timestamp::parse(&format!("{text}T00:00:00"))).ok()
}

/// Without its case. Python folds a few letters that are not in pairs, too, `ß` among them.
fn fold(text: &str) -> String {
    text.to_lowercase().replace('ß', "ss")
}
