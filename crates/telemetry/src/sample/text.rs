//! A sample as the text it came as.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr3;
use smol_str::SmolStr;

use super::Sample;
use crate::json::{self, InvalidJson, Scanner};
use crate::{BadRecord, Json};

/// The JSON object of a sample that was looked at once, and where its fields are in it. Making a [`Sample`] of it, now or
/// after it was [packed](Self::pack), does not look for them again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleText<'a> {
    /// The object, on one line.
    text: Cow<'a, str>,
    /// Where the values are of the fields that have a place in [`Sample`].
    fields: [Option<Range<usize>>; FIELDS],
    /// Where the other values are, by their keys.
    extra: Vec<(SmolStr, Range<usize>)>,
}

const NAME: usize = 0;
const KIND: usize = 1;
const UNIT: usize = 2;
const VOLUME: usize = 3;
const RESOURCE_ID: usize = 4;
const TIMESTAMP: usize = 5;
const PROJECT_ID: usize = 6;
const PROJECT_NAME: usize = 7;
const USER_ID: usize = 8;
const USER_NAME: usize = 9;
const METADATA: usize = 10;
const SOURCE: usize = 11;
const ID: usize = 12;
const FIELDS: usize = 13;

impl<'a> SampleText<'a> {
    /// Reads a text that is one sample in either [form](super::SampleForm).
    pub fn of(text: &'a str) -> Result<Self, BadRecord> {
        let mut scanner = Scanner::new(text);
        let sample = Self::read(&mut scanner)?;
        scanner.end().map_err(|error| not_json(&error))?;
        Ok(sample)
    }

    /// As [`of`](Self::of), of the value that is next.
    pub fn read(scanner: &mut Scanner<'a>) -> Result<Self, BadRecord> {
        if scanner.peek() != Some(b'{') {
            return Err(match scanner.value() {
                Ok(_) => BadRecord::whole("is JSON, but no object".to_owned()),
                Err(error) => not_json(&error),
            });
        }
        let (rest, start) = (scanner.rest(), scanner.position());
        let mut sample = Self { text: Cow::Borrowed(""), fields: Default::default(), extra: Vec::new() };
        sample.find_fields(scanner, start).map_err(|error| not_json(&error))?;
        let text = &rest[..scanner.position() - start];
        sample.text = Cow::Borrowed(text);
        // Between tokens only: within a string there can be none.
        if memchr3(b'\n', b'\r', b'\t', text.as_bytes()).is_some() {
            let text = text.replace(['\n', '\r', '\t'], "");
            sample = Self { text: Cow::Owned(text.clone()), ..SampleText::of(&text)?.without_text() };
        }
        sample.check()?;
        Ok(sample)
    }

    fn without_text<'b>(self) -> SampleText<'b> {
        SampleText { text: Cow::Borrowed(""), fields: self.fields, extra: self.extra }
    }

    /// The object.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Of a key given twice the last counts, as in Python.
    fn find_fields(&mut self, scanner: &mut Scanner<'a>, start: usize) -> Result<(), InvalidJson> {
        scanner.expect(b'{', "expected an object")?;
        let mut more = !scanner.eat(b'}');
        while more {
            let key = scanner.key()?;
            let length = scanner.value()?.len();
            let end = scanner.position() - start;
            self.put(&key, end - length..end);
            more = scanner.eat(b',');
            if !more {
                scanner.expect(b'}', "expected a comma or the end of the object")?;
            }
        }
        Ok(())
    }

    fn put(&mut self, key: &str, place: Range<usize>) {
        let field = match key {
            "counter_name" | "name" => NAME,
            "counter_type" | "type" => KIND,
            "counter_unit" | "unit" => UNIT,
            "counter_volume" | "volume" => VOLUME,
            "resource_id" => RESOURCE_ID,
            "timestamp" => TIMESTAMP,
            "project_id" => PROJECT_ID,
            "project_name" => PROJECT_NAME,
            "user_id" => USER_ID,
            "user_name" => USER_NAME,
            "resource_metadata" => METADATA,
            "source" => SOURCE,
            "message_id" | "id" => ID,
            _ => {
                self.extra.retain(|(earlier, _)| earlier != key);
                self.extra.push((key.into(), place));
                return;
            }
        };
        self.fields[field] = Some(place);
    }

    /// What a place holds.
    fn at(&self, place: &Range<usize>) -> &str {
        &self.text[place.clone()]
    }

    fn field(&self, field: usize) -> Option<&str> {
        self.fields[field].as_ref().map(|place| self.at(place))
    }

    /// Whether each field is what it has to be.
    fn check(&self) -> Result<(), BadRecord> {
        for (name, field) in [("counter_name", NAME), ("resource_id", RESOURCE_ID), ("timestamp", TIMESTAMP)]
        {
            is_text(name, self.field(field).ok_or_else(|| BadRecord::missing(name))?)?;
        }
        let volume = self.field(VOLUME).ok_or_else(|| BadRecord::missing("counter_volume"))?;
        if volume.starts_with(['{', '[']) {
            return Err(BadRecord::field("counter_volume", volume, "expected a number"));
        }
        for (name, field) in [
            ("counter_type", KIND),
            ("counter_unit", UNIT),
            ("project_id", PROJECT_ID),
            ("project_name", PROJECT_NAME),
            ("user_id", USER_ID),
            ("user_name", USER_NAME),
            ("source", SOURCE),
            ("message_id", ID),
        ] {
            if let Some(value) = self.field(field).filter(|value| *value != "null") {
                is_text(name, value)?;
            }
        }
        match self.field(METADATA) {
            Some(value) if value != "null" && !value.starts_with('{') => {
                Err(BadRecord::field("resource_metadata", value, "expected an object"))
            }
            _ => Ok(()),
        }
    }

    /// The sample.
    pub fn to_sample(&self) -> Sample {
        let text = |field| self.field(field).and_then(json::decode).map(SmolStr::from);
        let metadata = self.field(METADATA).filter(|value| *value != "null");
        let extra = self.extra.iter();
        Sample {
            name: text(NAME).unwrap_or_default(),
            kind: text(KIND).unwrap_or_default(),
            unit: text(UNIT).unwrap_or_default(),
            volume: Json::on_one_line(self.field(VOLUME).unwrap_or("null")),
            resource_id: text(RESOURCE_ID).unwrap_or_default(),
            timestamp: text(TIMESTAMP).unwrap_or_default(),
            project_id: text(PROJECT_ID),
            project_name: text(PROJECT_NAME),
            user_id: text(USER_ID),
            user_name: text(USER_NAME),
            metadata: metadata.map_or_else(Json::empty_object, Json::on_one_line),
            source: text(SOURCE),
            id: text(ID),
            extra: extra.map(|(key, place)| (key.clone(), Json::on_one_line(self.at(place)))).collect(),
        }
    }

    /// Appends it in a form for [`unpack`](Self::unpack), which may follow others: the length of the text and the text;
    /// for each of the fields where it begins, or zero, and how long it is; how many others there are, and of each the
    /// length of its key, the key and its place. Numbers have seven bits a byte, the lowest first.
    pub fn pack(&self, out: &mut Vec<u8>) {
        write_bytes(out, self.text.as_bytes());
        for field in &self.fields {
            match field {
                Some(place) => write_place(out, place),
                None => out.push(0),
            }
        }
        write_number(out, self.extra.len());
        for (key, place) in &self.extra {
            write_bytes(out, key.as_bytes());
            write_place(out, place);
        }
    }

    /// Takes what was packed off the front; nothing when it is something else.
    pub fn unpack(packed: &mut &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(read_bytes(packed)?).ok()?;
        let mut fields: [_; FIELDS] = Default::default();
        for field in &mut fields {
            *field = read_place(packed, text)?;
        }
        // None is as short as this, so that no count makes room for more than there is.
        let count = read_number(packed).filter(|count| *count <= packed.len())?;
        let mut extra = Vec::with_capacity(count);
        for _ in 0..count {
            let key = std::str::from_utf8(read_bytes(packed)?).ok()?;
            extra.push((key.into(), read_place(packed, text)??));
        }
        Some(Self { text: Cow::Borrowed(text), fields, extra })
    }
}

fn is_text(field: &str, value: &str) -> Result<(), BadRecord> {
    match value.starts_with('"') {
        true => Ok(()),
        false => Err(BadRecord::field(field, value, "expected a string")),
    }
}

fn not_json(error: &InvalidJson) -> BadRecord {
    BadRecord::whole(format!("is not JSON: {error}"))
}

fn write_number(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_number(out, bytes.len());
    out.extend(bytes);
}

fn write_place(out: &mut Vec<u8>, place: &Range<usize>) {
    write_number(out, place.start);
    write_number(out, place.len());
}

fn read_number(packed: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = *packed.split_off_first()?;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn read_bytes<'a>(packed: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = read_number(packed)?;
    packed.split_off(..length)
}

/// A place that is in this text, or none.
fn read_place(packed: &mut &[u8], text: &str) -> Option<Option<Range<usize>>> {
    let start = read_number(packed)?;
    if start == 0 {
        return Some(None);
    }
    let place = start..start.checked_add(read_number(packed)?)?;
    text.get(place.clone()).map(|_| Some(place))
}
