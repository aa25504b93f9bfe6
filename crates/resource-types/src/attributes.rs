//! Attributes of one resource.

use std::borrow::Cow;

use nephoscope_telemetry::Json;
use smallvec::SmallVec;

/// What is known of a resource: names and values, each name once, in the order in which they were set.
///
/// A value is JSON, in the dialect that Python writes, and mostly a piece of the sample that it comes from. None is
/// `null`: an attribute of which nothing is known is not there.
///
/// To be kept from sample to sample does not pay: setting attributes does not allocate, up to twelve of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes<'a> {
    entries: SmallVec<[(&'a str, Cow<'a, str>); 12]>,
}

impl<'a> Attributes<'a> {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one to a JSON value that was read or written before. `null` takes it away.
    pub fn set(&mut self, name: &'a str, json: impl Into<Cow<'a, str>>) {
        let json = json.into();
        if json == "null" {
            self.entries.retain(|(known, _)| *known != name);
            return;
        }
        match self.entries.iter_mut().find(|(known, _)| *known == name) {
            Some((_, value)) => *value = json,
            None => self.entries.push((name, json)),
        }
    }

    /// Sets one to a text.
    pub fn set_text(&mut self, name: &'a str, text: &str) {
        self.set(name, Json::string(text).as_str().to_owned());
    }

    /// Sets one to what an object has at a key, unless that is `null` or not there.
    pub fn set_from(&mut self, name: &'a str, object: &'a Json, key: &str) {
        if let Some(value) = object.get(key).filter(|value| *value != "null") {
            self.set(name, value);
        }
    }

    /// The JSON value of one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Names and JSON values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(name, value)| (*name, &**value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
