//! MessagePack to JSON text, as Ceilometer's UDP and TCP publishers send samples.
//!
//! Source: the specification of MessagePack, and Python's `msgpack` with `use_bin_type=True`, which Ceilometer 27 uses.
//! What older versions of it wrote for text, before there were binary strings, is read too.

use std::fmt::Write;

use nephoscope_telemetry::json;

/// How deep a value may be nested: what Python's own reader takes, and far more than samples have.
const MOST_DEPTH: usize = 512;

/// Why bytes are no value that JSON can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {at}")]
pub struct NotMessagePack {
    problem: &'static str,
    at: usize,
}

/// Appends the value that the bytes begin with as JSON text, in the dialect that Python writes. How many bytes it has.
///
/// A float is a float in JSON too, with a point or an exponent, and an integer an integer: signatures depend on it.
pub fn to_json(bytes: &[u8], out: &mut String) -> Result<usize, NotMessagePack> {
    let mut input = Input { bytes, at: 0 };
    let mut open: Vec<Inside> = Vec::new();
    loop {
        let entered = input.value(out)?;
        match entered {
            Some(inside) if open.len() == MOST_DEPTH => return inside.fail(&input),
            Some(inside) => open.push(inside),
            None => {}
        }
        // Closes what is full, and goes on with the next item of what is not.
        loop {
            let Some(inside) = open.last_mut() else { return Ok(input.at) };
            if inside.left == 0 {
                out.push(if inside.is_map { '}' } else { ']' });
                open.pop();
                continue;
            }
            if !std::mem::take(&mut inside.is_fresh) {
                out.push_str(", ");
            }
            inside.left -= 1;
            if inside.is_map {
                input.key(out)?;
            }
            break;
        }
    }
}

/// A map or an array that is being read.
struct Inside {
    is_map: bool,
    is_fresh: bool,
    left: usize,
}

impl Inside {
    fn fail<T>(&self, input: &Input<'_>) -> Result<T, NotMessagePack> {
        input.fail(if self.is_map { "a map is nested too deep" } else { "an array is nested too deep" })
    }
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn fail<T>(&self, problem: &'static str) -> Result<T, NotMessagePack> {
        Err(NotMessagePack { problem, at: self.at })
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], NotMessagePack> {
        match self.at.checked_add(length).and_then(|end| self.bytes.get(self.at..end)) {
            Some(taken) => {
                self.at += length;
                Ok(taken)
            }
            None => self.fail("it ends too early"),
        }
    }

    /// A number of so many bytes, the highest first.
    fn number(&mut self, length: usize) -> Result<u64, NotMessagePack> {
        Ok(self.take(length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn length(&mut self, bytes: usize) -> Result<usize, NotMessagePack> {
        self.number(bytes).map(|length| usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// The length of the text that begins here, if one does.
    fn text_length(&mut self, marker: u8) -> Result<Option<usize>, NotMessagePack> {
        match marker {
            0xa0..=0xbf => Ok(Some(usize::from(marker & 0x1f))),
            0xd9 => self.length(1).map(Some),
            0xda => self.length(2).map(Some),
            0xdb => self.length(4).map(Some),
            _ => Ok(None),
        }
    }

    fn text(&mut self, length: usize, out: &mut String) -> Result<(), NotMessagePack> {
        match std::str::from_utf8(self.take(length)?) {
            Ok(text) => json::write_string(out, text),
            Err(_) => return self.fail("a text that ends here is not UTF-8"),
        }
        Ok(())
    }

    fn key(&mut self, out: &mut String) -> Result<(), NotMessagePack> {
        let marker = self.take(1)?[0];
        match self.text_length(marker)? {
            Some(length) => self.text(length, out)?,
            None => return self.fail("a key is no text"),
        }
        out.push_str(": ");
        Ok(())
    }

    /// Writes a value, or the beginning of one that has others inside.
    fn value(&mut self, out: &mut String) -> Result<Option<Inside>, NotMessagePack> {
        let marker = self.take(1)?[0];
        if let Some(length) = self.text_length(marker)? {
            return self.text(length, out).map(|()| None);
        }
        let entered = match marker {
            0x80..=0x8f => Some((true, usize::from(marker & 0x0f))),
            0x90..=0x9f => Some((false, usize::from(marker & 0x0f))),
            0xde => Some((true, self.length(2)?)),
            0xdf => Some((true, self.length(4)?)),
            0xdc => Some((false, self.length(2)?)),
            0xdd => Some((false, self.length(4)?)),
            _ => None,
        };
        if let Some((is_map, left)) = entered {
            out.push(if is_map { '{' } else { '[' });
            return Ok(Some(Inside { is_map, is_fresh: true, left }));
        }
        let written = match marker {
            0x00..=0x7f => write!(out, "{marker}"),
            0xe0..=0xff => write!(out, "{}", marker.cast_signed()),
            0xc0 => write!(out, "null"),
            0xc2 => write!(out, "false"),
            0xc3 => write!(out, "true"),
            0xca => {
                let bits = u32::try_from(self.number(4)?).expect("it has four bytes");
                return Ok(write_float(f32::from_bits(bits).into(), out));
            }
            0xcb => {
                let bits = self.number(8)?;
                return Ok(write_float(f64::from_bits(bits), out));
            }
            0xcc..=0xcf => {
                let number = self.number(1 << (marker - 0xcc))?;
                write!(out, "{number}")
            }
            0xd0..=0xd3 => {
                let length = 1 << (marker - 0xd0);
                let above = 64 - 8 * u32::try_from(length).expect("at most eight");
                let number = (self.number(length)? << above).cast_signed() >> above;
                write!(out, "{number}")
            }
            0xc4..=0xc6 => return self.fail("bytes, which JSON has no form for, end the search"),
            _ => return self.fail("an extension, which JSON has no form for, ends the search"),
        };
        written.expect("a String takes all");
        Ok(None)
    }
}

fn write_float(float: f64, out: &mut String) -> Option<Inside> {
    let written = if float.is_nan() {
        write!(out, "NaN")
    } else if float.is_infinite() {
        write!(out, "{}Infinity", if float < 0.0 { "-" } else { "" })
    } else {
        write!(out, "{float:?}")
    };
    written.expect("a String takes all");
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    use nephoscope_telemetry::{Json, Sample};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn read(bytes: &[u8]) -> Result<String, NotMessagePack> {
        let mut out = String::new();
        to_json(bytes, &mut out).map(|length| {
            assert!(length <= bytes.len());
            out
        })
    }

    /// Datagrams that Ceilometer's publisher sent, and what Python reads in them.
    #[test]
    fn datagrams_of_ceilometer_are_read_as_python_reads_them() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/udp");
        let mut read_all = 0;
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|is| is == "bin") {
                let json = read(&fs::read(&path).unwrap()).unwrap();
                let golden = fs::read_to_string(path.with_extension("json")).unwrap();
                let golden: Value = serde_json::from_str(&golden).unwrap();
                assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), golden["decoded"], "{path:?}");
                Sample::from_json(&json).unwrap();
                read_all += 1;
            }
        }
        assert_eq!(read_all, 22);
    }

    #[test]
    fn every_form_is_read() {
        // As Python's `msgpack.packb` 1.1 writes them, but for the 32-bit float, which it writes with `use_single_float`.
        for (bytes, text) in [
            (&b"\x81\xa1a\x93\x01\xff\xc0"[..], r#"{"a": [1, -1, null]}"#),
            (b"\xcc\xff", "255"),
            (b"\xcd\xff\xff", "65535"),
            (b"\xce\xff\xff\xff\xff", "4294967295"),
            (b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
            (b"\xd0\x80", "-128"),
            (b"\xd1\x80\x00", "-32768"),
            (b"\xd2\x80\x00\x00\x00", "-2147483648"),
            (b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", "-9223372036854775808"),
            (b"\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", "1.0"),
            (b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", "NaN"),
            (b"\xcb\xff\xf0\x00\x00\x00\x00\x00\x00", "-Infinity"),
            (b"\xca\x3f\x00\x00\x00", "0.5"),
            (b"\xd9\x01\x22", r#""\"""#),
            (b"\xda\x00\x02\xc3\xa9", r#""\u00e9""#),
            (b"\xdb\x00\x00\x00\x01a", r#""a""#),
            (b"\xde\x00\x01\xa0\x80", r#"{"": {}}"#),
            (b"\xdc\x00\x02\xc2\xc3", "[false, true]"),
        ] {
            assert_eq!(read(bytes).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_none_is_told_with_its_place() {
        for (bytes, told) in [
            (&b""[..], "it ends too early at byte 0"),
            (b"\xcd\x01", "it ends too early at byte 1"),
            (b"\x81\x01\x01", "a key is no text"),
            (b"\xa1\xff", "not UTF-8"),
            (b"\xc4\x01a", "bytes"),
            (b"\xd4\x01a", "an extension"),
            (b"\xc1", "an extension"),
            (b"\xdf\xff\xff\xff\xff", "it ends too early"),
            (b"\xdb\xff\xff\xff\xff", "it ends too early"),
        ] {
            let error = read(bytes).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        assert!(read(&[0x91; 512]).unwrap_err().to_string().contains("it ends too early"));
        assert!(read(&vec![0x91; 100_000]).unwrap_err().to_string().contains("nested too deep"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_what_is_read_is_json(bytes: Vec<u8>) {
            if let Ok(text) = read(&bytes) {
                prop_assert!(Json::parse(&text).is_ok(), "{}", text);
            }
        }
    }
}
