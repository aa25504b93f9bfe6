//! BSON as JSON text, as Python writes it.

use std::fmt::Write;

use mongodb::bson::raw::{RawArray, RawBsonRef, RawDocument};
use mongodb::bson::spec::BinarySubtype;
use nephoscope_telemetry::json::write_string;
use nephoscope_telemetry::{BadRecord, Timestamp};

/// How deep a document may be: deeper than any server stores one.
const MAX_DEPTH: usize = 256;

type Result<T> = std::result::Result<T, BadRecord>;

/// Appends a document without its `_id` as a JSON object, in the form that `json.dumps` gives it: its separators, its
/// escapes, its spelling of numbers. What JSON has no type for becomes text as it does in OSProfiler: a time in the
/// form of [`Timestamp`], bytes as the text they hold.
pub(super) fn write(out: &mut String, document: &RawDocument) -> Result<()> {
    fields(out, document, "_id", MAX_DEPTH)
}

fn fields(out: &mut String, document: &RawDocument, hidden: &str, depth: usize) -> Result<()> {
    out.push('{');
    let mut separator = "";
    for field in document {
        let (key, value) = field.map_err(|error| broken(&error))?;
        if !hidden.is_empty() && key.as_str() == hidden {
            continue;
        }
        out.push_str(separator);
        separator = ", ";
        write_string(out, key.as_str());
        out.push_str(": ");
        write_value(out, value, depth)?;
    }
    out.push('}');
    Ok(())
}

fn items(out: &mut String, array: &RawArray, depth: usize) -> Result<()> {
    out.push('[');
    let mut separator = "";
    for item in array {
        out.push_str(separator);
        separator = ", ";
        write_value(out, item.map_err(|error| broken(&error))?, depth)?;
    }
    out.push(']');
    Ok(())
}

fn broken(error: &mongodb::bson::error::Error) -> BadRecord {
    BadRecord::whole(format!("is not BSON: {error}"))
}

fn write_value(out: &mut String, value: RawBsonRef<'_>, depth: usize) -> Result<()> {
    let deeper = || depth.checked_sub(1).ok_or_else(|| BadRecord::whole("is too deep"));
    match value {
        RawBsonRef::Document(document) => fields(out, document, "", deeper()?)?,
        RawBsonRef::Array(array) => items(out, array, deeper()?)?,
        RawBsonRef::String(text) => write_string(out, text),
        RawBsonRef::Int32(number) => write_number(out, number.into()),
        RawBsonRef::Int64(number) => write_number(out, number),
        RawBsonRef::Double(number) => write_double(out, number),
        RawBsonRef::Boolean(true) => out.push_str("true"),
        RawBsonRef::Boolean(false) => out.push_str("false"),
        RawBsonRef::Null | RawBsonRef::Undefined => out.push_str("null"),
        other => write_string(out, &as_text(other)),
    }
    Ok(())
}

fn as_text(value: RawBsonRef<'_>) -> String {
    match value {
        RawBsonRef::DateTime(time) => {
            Timestamp::from_micros(time.timestamp_millis().saturating_mul(1000)).to_string()
        }
        RawBsonRef::Binary(binary) if binary.subtype == BinarySubtype::Generic => {
            String::from_utf8_lossy(binary.bytes).into_owned()
        }
        RawBsonRef::ObjectId(id) => id.to_hex(),
        RawBsonRef::Decimal128(number) => number.to_string(),
        RawBsonRef::Symbol(text) | RawBsonRef::JavaScriptCode(text) => text.to_owned(),
        other => format!("{other:?}"),
    }
}

fn write_number(out: &mut String, number: i64) {
    write!(out, "{number}").expect("a String takes all");
}

/// As Python's `repr`: the shortest digits that mean this number, with an exponent from 1e16 on and below 1e-4.
fn write_double(out: &mut String, number: f64) {
    if number.is_nan() {
        out.push_str("NaN");
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    } else if number == 0.0 || (1e-4..1e16).contains(&number.abs()) {
        write!(out, "{number:?}").expect("a String takes all");
    } else {
        let spelled = format!("{number:e}");
        let (digits, exponent) = spelled.split_once('e').expect("it is spelled with an exponent");
        let exponent: i32 = exponent.parse().expect("an exponent is a number");
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(out, "{digits}e{sign}{:02}", exponent.abs()).expect("a String takes all");
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::oid::ObjectId;
    use mongodb::bson::raw::{RawDocumentBuf, cstr};
    use mongodb::bson::{Binary, DateTime, doc};
    use proptest::prelude::*;

    use super::*;
    use crate::mongodb::encode;

    fn json(document: &RawDocument) -> String {
        let mut text = String::new();
        write(&mut text, document).unwrap();
        text
    }

    #[test]
    fn doubles_are_spelled_as_python_spells_them() {
        for (number, spelled) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (2.5e3, "2500.0"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (-1.5e300, "-1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (5e-324, "5e-324"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            let mut out = String::new();
            write_double(&mut out, number);
            assert_eq!(out, spelled);
        }
    }

    #[test]
    fn what_pymongo_stores_besides_json_is_text() {
        let document = RawDocumentBuf::try_from(doc! {
            "_id": ObjectId::new(),
            "time": DateTime::from_millis(1_767_225_600_123),
            "bytes": Binary { subtype: BinarySubtype::Generic, bytes: b"caf\xc3\xa9".to_vec() },
            "id": ObjectId::from_bytes([7; 12]),
            "inner": { "_id": 1 },
        })
        .unwrap();
        assert_eq!(
            json(&document),
            r#"{"time": "2026-01-01T00:00:00.123000", "bytes": "caf\u00e9", "id": "070707070707070707070707", "inner": {"_id": 1}}"#
        );
    }

    #[test]
    fn a_document_that_is_broken_or_endless_costs_itself() {
        let mut bytes = RawDocumentBuf::try_from(doc! { "a": "text" }).unwrap().into_bytes();
        bytes[4] = 0x77;
        let broken = RawDocument::from_bytes(&bytes).unwrap();
        assert!(write(&mut String::new(), broken).is_err());
        let mut deep = RawDocumentBuf::new();
        for _ in 0..300 {
            let mut outer = RawDocumentBuf::new();
            outer.append(cstr!("a"), deep);
            deep = outer;
        }
        assert!(write(&mut String::new(), &deep).is_err());
    }

    /// JSON as Python writes it, of what BSON has types for.
    fn value() -> impl Strategy<Value = String> {
        let text = any::<String>().prop_map(|text| {
            let mut out = String::new();
            write_string(&mut out, &text);
            out
        });
        let leaf = prop_oneof![
            text.clone(),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<i32>().prop_map(|number| number.to_string()),
            any::<f64>().prop_filter("is stored as itself", |number| !number.is_nan()).prop_map(|number| {
                let mut out = String::new();
                // Not -0.0, which is not stored as itself either.
                write_double(&mut out, if number == 0.0 { 0.0 } else { number });
                out
            }),
            prop_oneof!["null", "true", "false", "Infinity", "-Infinity"],
        ];
        let key = "[^\0]{0,9}".prop_map(|text: String| {
            let mut out = String::new();
            write_string(&mut out, &text);
            out
        });
        leaf.prop_recursive(4, 40, 6, move |inner| {
            let fields = prop::collection::vec((key.clone(), inner.clone()), 0..6);
            prop_oneof![
                prop::collection::vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(", "))),
                fields.prop_map(|fields| {
                    let fields: Vec<_> =
                        fields.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
                    format!("{{{}}}", fields.join(", "))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_python_writes_comes_back_as_it_was(value in value()) {
            let object = format!("{{\"value\": {value}}}");
            let mut document = RawDocumentBuf::new();
            encode::append(&mut document, &object).unwrap();
            prop_assert_eq!(json(&document), object);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut framed = (u32::try_from(bytes.len()).unwrap() + 5).to_le_bytes().to_vec();
            framed.extend(bytes);
            framed.push(0);
            let _outcome = write(&mut String::new(), RawDocument::from_bytes(&framed).unwrap());
        }
    }
}
