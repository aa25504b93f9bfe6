//! The fields that records are made of.
//!
//! Numbers are LEB128; a text is its length and UTF-8; what may be missing is `00`, or `01` and itself; a moment is eight
//! bytes, a UUID sixteen, both big-endian.

use std::sync::Arc;

use nephoscope_disk::fields::{Fields, push_number, push_text};
use nephoscope_gnocchi::Timestamp;
use uuid::Uuid;

use super::value::Value;

/// A record in the making.
#[derive(Debug, Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn number(&mut self, number: u64) {
        push_number(&mut self.0, number);
    }

    pub(super) fn text(&mut self, text: &str) {
        push_text(&mut self.0, text);
    }

    pub(super) fn time(&mut self, time: Timestamp) {
        self.0.extend_from_slice(&time.as_nanos().to_be_bytes());
    }

    pub(super) fn double(&mut self, double: f64) {
        self.0.extend_from_slice(&double.to_be_bytes());
    }

    pub(super) fn uuid(&mut self, uuid: Uuid) {
        self.0.extend_from_slice(uuid.as_bytes());
    }

    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(super) fn optional_text(&mut self, text: Option<&Arc<str>>) {
        self.option(text, |writer, text| writer.text(text));
    }

    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.byte(0),
            Value::Bool(false) => self.byte(1),
            Value::Bool(true) => self.byte(2),
            Value::Number(number) => {
                self.byte(3);
                self.double(*number);
            }
            Value::Time(time) => {
                self.byte(4);
                self.time(*time);
            }
            Value::Text(text) => {
                self.byte(5);
                self.text(text);
            }
            Value::Uuid(uuid) => {
                self.byte(6);
                self.uuid(*uuid);
            }
        }
    }
}

/// What is left of a record. All methods give nothing where it is damaged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut fields = Fields(self.0);
        let number = fields.number()?;
        self.0 = fields.0;
        Some(number)
    }

    pub(super) fn number_u32(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    /// How many things follow, each of at least one byte.
    pub(super) fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= self.0.len())
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = self.count()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    pub(super) fn time(&mut self) -> Option<Timestamp> {
        self.array().map(i64::from_be_bytes).map(Timestamp::from_nanos)
    }

    pub(super) fn double(&mut self) -> Option<f64> {
        self.array().map(f64::from_be_bytes)
    }

    pub(super) fn uuid(&mut self) -> Option<Uuid> {
        self.array().map(Uuid::from_bytes)
    }

    pub(super) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.byte()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    pub(super) fn optional_text(&mut self) -> Option<Option<Arc<str>>> {
        self.option(|reader| reader.text().map(Into::into))
    }

    pub(super) fn value(&mut self) -> Option<Value> {
        Some(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Number(self.double()?),
            4 => Value::Time(self.time()?),
            5 => Value::Text(self.text()?.into()),
            6 => Value::Uuid(self.uuid()?),
            _ => return None,
        })
    }

    /// So many things.
    pub(super) fn list<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count()?;
        (0..count).map(|_| read(self)).collect()
    }
}
