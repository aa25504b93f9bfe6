//! JSON text as a BSON document.

use mongodb::bson::raw::{CStr, RawArrayBuf, RawBson, RawDocumentBuf};
use nephoscope_telemetry::json::{self, InvalidJson, Scanner};

/// How deep objects and arrays are taken apart. MongoDB refuses a whole batch for a document that is deeper than 180
/// levels, and promises no more than 100.
const MAX_DEPTH: usize = 64;

/// Why a text has no document.
#[derive(Debug, PartialEq)]
pub(super) enum NoDocument {
    /// It is deeper than [`MAX_DEPTH`].
    Deep,
    /// A key holds U+0000, which ends a key in BSON.
    Key,
    /// It is no JSON object.
    Json,
}

impl From<InvalidJson> for NoDocument {
    fn from(_: InvalidJson) -> Self {
        Self::Json
    }
}

/// Appends the fields of a JSON object to a document, as PyMongo would: whole numbers in the smallest type that holds
/// them. What no type of BSON holds is replaced by what comes closest (a large integer by a double, half a surrogate
/// pair by U+FFFD): whether the document says the same as the text, only reading it back tells.
pub(super) fn append(document: &mut RawDocumentBuf, object: &str) -> Result<(), NoDocument> {
    let mut scanner = Scanner::new(object);
    fields(document, &mut scanner, MAX_DEPTH)?;
    Ok(scanner.end()?)
}

fn fields(document: &mut RawDocumentBuf, scanner: &mut Scanner<'_>, depth: usize) -> Result<(), NoDocument> {
    scanner.expect(b'{', "expected an object")?;
    let mut more = !scanner.eat(b'}');
    while more {
        let key = scanner.key()?;
        let key: &CStr = key.as_ref().try_into().map_err(|_| NoDocument::Key)?;
        document.append(key, value(scanner, depth)?);
        more = scanner.eat(b',');
        if !more {
            scanner.expect(b'}', "expected the end of the object")?;
        }
    }
    Ok(())
}

fn items(scanner: &mut Scanner<'_>, depth: usize) -> Result<RawArrayBuf, NoDocument> {
    let mut array = RawArrayBuf::new();
    scanner.expect(b'[', "expected an array")?;
    let mut more = !scanner.eat(b']');
    while more {
        array.push(value(scanner, depth)?);
        more = scanner.eat(b',');
        if !more {
            scanner.expect(b']', "expected the end of the array")?;
        }
    }
    Ok(array)
}

fn value(scanner: &mut Scanner<'_>, depth: usize) -> Result<RawBson, NoDocument> {
    let deeper = || depth.checked_sub(1).ok_or(NoDocument::Deep);
    Ok(match scanner.peek() {
        Some(b'{') => {
            let mut document = RawDocumentBuf::new();
            fields(&mut document, scanner, deeper()?)?;
            RawBson::Document(document)
        }
        Some(b'[') => RawBson::Array(items(scanner, deeper()?)?),
        Some(b'"') => RawBson::String(scanner.string()?.into_owned()),
        _ => scalar(scanner.value()?),
    })
}

fn scalar(text: &str) -> RawBson {
    match text {
        "null" => RawBson::Null,
        "true" => RawBson::Boolean(true),
        "false" => RawBson::Boolean(false),
        // FerretDB refuses a whole batch for a NaN in one of its documents.
        "NaN" => RawBson::Null,
        "Infinity" => RawBson::Double(f64::INFINITY),
        "-Infinity" => RawBson::Double(f64::NEG_INFINITY),
        number => integer(number).unwrap_or_else(|| RawBson::Double(double(number))),
    }
}

fn integer(number: &str) -> Option<RawBson> {
    let value: i64 = number.parse().ok()?;
    Some(i32::try_from(value).map_or(RawBson::Int64(value), RawBson::Int32))
}

/// Never -0.0: FerretDB makes 0.0 of it without a word.
fn double(number: &str) -> f64 {
    let value: f64 = number.parse().unwrap_or(f64::NAN);
    if value == 0.0 { 0.0 } else { value }
}

/// The text of a JSON string, to be found in a document.
pub(super) fn text(value: &str) -> String {
    json::decode(value).map_or_else(|| value.to_owned(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(object: &str) -> NoDocument {
        append(&mut RawDocumentBuf::new(), object).unwrap_err()
    }

    #[test]
    fn what_has_no_document_is_told() {
        assert_eq!(refusal(r#"{"a\u0000b": 1}"#), NoDocument::Key);
        assert_eq!(refusal(&format!("{{\"a\": {}{}}}", "[".repeat(65), "]".repeat(65))), NoDocument::Deep);
        assert_eq!(refusal(&"{\"a\":".repeat(100_000)), NoDocument::Deep);
        for text in ["", "[]", "1", "{", "{\"a\"}", "{\"a\": 1,}", "{} {}"] {
            assert_eq!(refusal(text), NoDocument::Json, "{text}");
        }
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(64), "]".repeat(64));
        assert_eq!(append(&mut RawDocumentBuf::new(), &deep), Ok(()));
    }

    #[test]
    fn numbers_have_the_types_that_pymongo_gives_them() {
        let mut document = RawDocumentBuf::new();
        append(
            &mut document,
            r#"{"a": 1, "b": -2147483649, "c": 1.0, "d": 1180591620717411303424, "e": -0.0}"#,
        )
        .unwrap();
        assert_eq!(document.get_i32("a").unwrap(), 1);
        assert_eq!(document.get_i64("b").unwrap(), -2_147_483_649);
        assert_eq!(document.get_f64("c").unwrap(), 1.0);
        assert_eq!(document.get_f64("d").unwrap(), 2.0_f64.powi(70));
        assert!(document.get_f64("e").unwrap().is_sign_positive());
    }
}
