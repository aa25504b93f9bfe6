//! YAML as Ceilometer reads its definition files: with PyYAML, which is YAML 1.1.
//!
//! `yes` and `off` are booleans, `010` is eight, `1:30` is ninety, `<<` merges, of a key given twice the last counts.
//! Every value knows the line it stands on, so that a mistake in it can be told.

mod scalar;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError};
use nephoscope_telemetry::json;

/// How many values a file may have, with what its aliases repeat: twenty times what the largest of Ceilometer has.
const MAX_VALUES: usize = 100_000;
/// How deep they may be nested.
const MAX_DEPTH: usize = 100;

/// A value, and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Yaml {
    /// The value.
    pub value: YamlValue,
    /// Where it begins.
    pub place: Line,
}

/// A line, counted from 1, and a column, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Of the file.
    pub line: usize,
    /// Of the line, in characters.
    pub column: usize,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl From<Marker> for Line {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

/// What a [`Yaml`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum YamlValue {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// Another number.
    Float(f64),
    /// A text.
    Text(String),
    /// A date or a moment, as it is written. Ceilometer has no use for one.
    Time(String),
    /// A list.
    List(Vec<Yaml>),
    /// Keys and values, each key once.
    Map(Vec<(Yaml, Yaml)>),
}

/// Text that is not YAML, or YAML that does not say what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct InvalidYaml {
    /// Where it is noticed.
    pub place: Line,
    /// What is wrong.
    pub problem: String,
}

impl From<ScanError> for InvalidYaml {
    fn from(error: ScanError) -> Self {
        Self { place: (*error.marker()).into(), problem: error.info() }
    }
}

type Result<T> = std::result::Result<T, InvalidYaml>;

impl Yaml {
    /// Reads the one document of a file. An empty one is [`YamlValue::Null`].
    pub fn parse(text: &str) -> Result<Self> {
        Reader::default().read(text)
    }

    /// The value of a key, when this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let YamlValue::Map(entries) = &self.value else { return None };
        entries.iter().find(|(name, _)| name.as_text() == Some(key)).map(|(_, value)| value)
    }

    /// The text it is, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            YamlValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What kind of value it is, for a sentence: `a list`.
    pub fn kind(&self) -> &'static str {
        match self.value {
            YamlValue::Null => "nothing",
            YamlValue::Bool(_) => "true or false",
            YamlValue::Integer(_) | YamlValue::Float(_) => "a number",
            YamlValue::Text(_) => "a text",
            YamlValue::Time(_) => "a time",
            YamlValue::List(_) => "a list",
            YamlValue::Map(_) => "a map",
        }
    }

    /// A key by which equal keys are known, as Python knows them: 1, 1.0 and true are the same.
    pub(crate) fn identity(&self) -> Option<String> {
        Some(match &self.value {
            YamlValue::Null => "null".into(),
            YamlValue::Bool(bool) => format!("number {}", u8::from(*bool)),
            YamlValue::Integer(integer) => format!("number {integer}"),
            YamlValue::Float(float) => format!("number {float}"),
            YamlValue::Text(text) => format!("text {text}"),
            YamlValue::Time(text) => format!("time {text}"),
            YamlValue::List(_) | YamlValue::Map(_) => return None,
        })
    }

    /// As JSON, in the dialect that Python writes. Keys that are no texts are spelled as Python's `json` spells them.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    fn write_json(&self, out: &mut String) {
        match &self.value {
            YamlValue::Null => out.push_str("null"),
            YamlValue::Bool(bool) => out.push_str(if *bool { "true" } else { "false" }),
            YamlValue::Integer(integer) => out.push_str(&integer.to_string()),
            YamlValue::Float(float) => out.push_str(&crate::jsonpath::Value::Float(*float).to_json()),
            YamlValue::Text(text) | YamlValue::Time(text) => json::write_string(out, text),
            YamlValue::List(list) => {
                out.push('[');
                for (nth, element) in list.iter().enumerate() {
                    out.push_str(if nth > 0 { ", " } else { "" });
                    element.write_json(out);
                }
                out.push(']');
            }
            YamlValue::Map(map) => {
                out.push('{');
                for (nth, (key, value)) in map.iter().enumerate() {
                    out.push_str(if nth > 0 { ", " } else { "" });
                    match key.as_text() {
                        Some(text) => json::write_string(out, text),
                        None => json::write_string(out, &key.to_json()),
                    }
                    out.push_str(": ");
                    value.write_json(out);
                }
                out.push('}');
            }
        }
    }

    fn count(&self) -> usize {
        match &self.value {
            YamlValue::List(list) => 1 + list.iter().map(Self::count).sum::<usize>(),
            YamlValue::Map(map) => {
                1 + map.iter().map(|(key, value)| key.count() + value.count()).sum::<usize>()
            }
            _ => 1,
        }
    }
}

/// A list or map that is being read.
struct Open {
    place: Line,
    anchor: usize,
    contents: Contents,
}

enum Contents {
    List(Vec<Yaml>),
    Map { entries: Vec<(Yaml, Yaml)>, merged: Vec<(Yaml, Yaml)>, key: Option<Key> },
}

/// A key whose value comes next.
enum Key {
    /// `<<`, whose value is a map or several to take entries from.
    Merge,
    Name(Yaml),
}

#[derive(Default)]
struct Reader {
    open: Vec<Open>,
    anchors: HashMap<usize, Yaml>,
    root: Option<Yaml>,
    values: usize,
}

impl Reader {
    fn read(mut self, text: &str) -> Result<Yaml> {
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, span) = event?;
            let place = Line::from(span.start);
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(invalid(place, "expected one document, and here is a second"));
                    }
                }
                Event::Scalar(text, ScalarStyle::Plain, 0, None) if text == "<<" && self.awaits_key() => {
                    self.merge_next();
                }
                Event::Scalar(text, style, anchor, tag) => {
                    let value = scalar::read(text, style, tag.as_deref())
                        .map_err(|problem| invalid(place, problem))?;
                    self.place(Yaml { value, place }, anchor)?;
                }
                Event::SequenceStart(_, anchor, _) => {
                    self.enter(Open { place, anchor, contents: Contents::List(Vec::new()) })?;
                }
                Event::MappingStart(_, anchor, _) => {
                    let contents = Contents::Map { entries: Vec::new(), merged: Vec::new(), key: None };
                    self.enter(Open { place, anchor, contents })?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close()?,
                Event::Alias(anchor) => {
                    let Some(target) = self.anchors.get(&anchor).cloned() else {
                        return Err(invalid(place, "the alias stands inside of what it names"));
                    };
                    self.values += target.count();
                    self.place(target, 0)?;
                }
                _ => {}
            }
        }
        Ok(self.root.unwrap_or(Yaml { value: YamlValue::Null, place: Line { line: 1, column: 1 } }))
    }

    fn enter(&mut self, open: Open) -> Result<()> {
        if self.open.len() == MAX_DEPTH {
            return Err(invalid(open.place, format!("nested deeper than {MAX_DEPTH}")));
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let open = self.open.pop().expect("the parser ends what it has begun");
        let value = match open.contents {
            Contents::List(list) => YamlValue::List(list),
            Contents::Map { entries, merged, .. } => YamlValue::Map(unique(merged, entries)?),
        };
        self.place(Yaml { value, place: open.place }, open.anchor)
    }

    /// Puts a value where it belongs.
    fn place(&mut self, yaml: Yaml, anchor: usize) -> Result<()> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(invalid(yaml.place, format!("more than {MAX_VALUES} values")));
        }
        if anchor > 0 {
            self.values += yaml.count();
            self.anchors.insert(anchor, yaml.clone());
        }
        match self.open.last_mut().map(|open| &mut open.contents) {
            None => self.root = Some(yaml),
            Some(Contents::List(list)) => list.push(yaml),
            Some(Contents::Map { entries, merged, key }) => match key.take() {
                None => *key = Some(Key::Name(yaml)),
                Some(Key::Merge) => merge(merged, yaml)?,
                Some(Key::Name(name)) => entries.push((name, yaml)),
            },
        }
        Ok(())
    }

    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { contents: Contents::Map { key: None, .. }, .. }))
    }

    fn merge_next(&mut self) {
        if let Some(Open { contents: Contents::Map { key, .. }, .. }) = self.open.last_mut() {
            *key = Some(Key::Merge);
        }
    }
}

/// Takes the entries of a map, or of several, of which the first counts most.
fn merge(merged: &mut Vec<(Yaml, Yaml)>, from: Yaml) -> Result<()> {
    match from.value {
        YamlValue::Map(entries) => merged.extend(entries),
        YamlValue::List(maps) => {
            for map in maps.into_iter().rev() {
                match map.value {
                    YamlValue::Map(entries) => merged.extend(entries),
                    _ => return Err(invalid(map.place, "expected a map to merge")),
                }
            }
        }
        _ => return Err(invalid(from.place, "expected a map to merge, or a list of them")),
    }
    Ok(())
}

/// All entries, each key once: where it was first, with its last value.
fn unique(merged: Vec<(Yaml, Yaml)>, own: Vec<(Yaml, Yaml)>) -> Result<Vec<(Yaml, Yaml)>> {
    let mut entries: Vec<(Yaml, Yaml)> = Vec::with_capacity(merged.len() + own.len());
    let mut known: HashMap<String, usize> = HashMap::new();
    for (key, value) in merged.into_iter().chain(own) {
        let identity = key.identity().ok_or_else(|| invalid(key.place, "a list or map cannot be a key"))?;
        match known.entry(identity) {
            Entry::Occupied(at) => entries[*at.get()].1 = value,
            Entry::Vacant(new) => {
                new.insert(entries.len());
                entries.push((key, value));
            }
        }
    }
    Ok(entries)
}

fn invalid(place: Line, problem: impl Into<String>) -> InvalidYaml {
    InvalidYaml { place, problem: problem.into() }
}

#[cfg(test)]
mod tests;
