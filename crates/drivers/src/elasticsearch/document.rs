//! A trace point as a document, and back.
//!
//! The document is the notification as OSProfiler's driver stores it. What a server does not take as such is stored in
//! a second form: the same fields as far as the server can hold them, for those who look there, and beside them the
//! exact text of the notification as a string, which is what is read back.

use nephoscope_telemetry::{BadRecord, Id, Json, Timestamp, TracePoint, json};
use xxhash_rust::xxh3::xxh3_128;

/// The field beside those of OSProfiler, and in it the field with the exact text.
pub(super) const OURS: &str = "nephoscope";
const EXACT: &str = "exact";

/// What `date_nanos` can hold: 1970-01-01 to the end of 2261.
const FIRST: Timestamp = Timestamp::from_micros(0);
const LAST: Timestamp = Timestamp::from_micros(9_214_646_399_999_999);

/// So many characters of an exception's type are shown in the second form: four bytes each are less than the 32,766
/// that a keyword can have.
const SHOWN: usize = 8_191;

/// A point on its way to the server.
#[derive(Clone, Debug)]
pub(super) struct Document<'a> {
    pub(super) point: &'a TracePoint,
    /// Its id: the same point has the same one, so that it is stored once.
    pub(super) id: String,
    pub(super) body: String,
    pub(super) form: Form,
}

/// How a point is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As the notification itself.
    Plain,
    /// With its exact text beside what can be shown.
    Beside,
}

impl<'a> Document<'a> {
    /// The document of a point, in the plain form unless it is known that no server takes it, or would show it wrong.
    pub(super) fn of(point: &'a TracePoint) -> Self {
        let text = point.to_json();
        let plain = Self { point, id: id(&text), body: text, form: Form::Plain };
        if is_plain(point) { plain } else { plain.beside() }
    }

    /// The same in its second form.
    pub(super) fn beside(self) -> Self {
        let exact = if self.form == Form::Plain { self.body } else { self.point.to_json() };
        Self { body: shown(self.point, &exact).to_json(), form: Form::Beside, ..self }
    }
}

/// The id of a document with this text.
pub(super) fn id(text: &str) -> String {
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

fn is_plain(point: &TracePoint) -> bool {
    let spelled = point.timestamp_text() == point.timestamp.to_string();
    // Anything but a text or null is an exception that `exists` does not find, or that a keyword cannot be.
    let etype = point.info.get("etype").is_none_or(|etype| etype == "null" || etype.starts_with('"'));
    // A dot means a field within a field, and names that begin with `_` are those of the server.
    let names = point
        .extra
        .iter()
        .all(|(name, _)| !name.is_empty() && !name.starts_with('_') && !name.contains('.') && name != OURS);
    spelled && (FIRST..=LAST).contains(&point.timestamp) && etype && names
}

fn shown(point: &TracePoint, exact: &str) -> TracePoint {
    let TracePoint { name, base_id, trace_id, parent_id, timestamp, .. } = point;
    let mut shown = TracePoint::new(
        name,
        base_id.clone(),
        trace_id.clone(),
        parent_id.clone(),
        (*timestamp).clamp(FIRST, LAST),
    );
    (shown.project, shown.service) = (point.project.clone(), point.service.clone());
    let mut info = String::from("{");
    if point.is_error() {
        let etype = point.info.get("etype").expect("an error has one");
        let etype = json::decode(etype).unwrap_or(etype.into());
        info.push_str("\"etype\": ");
        json::write_string(&mut info, &etype.chars().take(SHOWN).collect::<String>());
        info.push_str(", ");
    }
    info.push_str("\"host\": ");
    json::write_string(&mut info, &point.host().unwrap_or_default());
    info.push('}');
    shown.info = Json::parse(&info).expect("it was written as JSON");
    let mut beside = format!("{{\"{EXACT}\": ");
    json::write_string(&mut beside, exact);
    beside.push('}');
    shown.extra = vec![(OURS.into(), Json::parse(&beside).expect("it was written as JSON"))];
    shown
}

/// The point of a stored document.
pub(super) fn point(source: &str) -> Result<TracePoint, BadRecord> {
    let point = TracePoint::from_json(source)?;
    let beside = point.extra.iter().find(|(name, _)| name == OURS);
    match beside.and_then(|(_, ours)| ours.get_str(EXACT)) {
        Some(exact) => TracePoint::from_json(&exact),
        None => Ok(point),
    }
}

/// Whether a document, which need not be a point, is of this trace.
pub(super) fn is_of(source: &str, base_id: &Id) -> bool {
    let value = json::entries(source).find(|(key, _)| key == "base_id").map(|(_, value)| value);
    value.is_some_and(|value| *base_id == Id::new(&json::decode(value).unwrap_or(value.into())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn a_point(info: &str) -> TracePoint {
        let mut point =
            TracePoint::new("wsgi-start", "b".into(), "t".into(), "p".into(), Timestamp::from_micros(1));
        point.info = Json::parse(info).unwrap();
        point
    }

    #[test]
    fn an_ordinary_point_is_stored_as_osprofiler_does() {
        let point = a_point(r#"{"etype": "ValueError", "x": NaN, "host": "h"}"#);
        let document = Document::of(&point);
        assert_eq!((document.form, document.body.as_str()), (Form::Plain, point.to_json().as_str()));
    }

    #[test]
    fn the_second_form_shows_what_others_ask_for() {
        let mut point = a_point(r#"{"etype": {"a": [1]}, "host": "node-1"}"#);
        point.set_timestamp_text("1066-10-14T09:00:00Z").unwrap();
        point.extra.push(("a.b".into(), Json::parse("NaN").unwrap()));
        let document = Document::of(&point);
        assert_eq!(document.form, Form::Beside);
        let shown = TracePoint::from_json(&document.body).unwrap();
        assert_eq!(shown.info.as_str(), r#"{"etype": "{\"a\": [1]}", "host": "node-1"}"#);
        assert_eq!(shown.timestamp_text(), "1970-01-01T00:00:00.000000");
        assert_eq!(super::point(&document.body), Ok(point));
    }

    #[test]
    fn the_id_does_not_depend_on_the_form() {
        let point = a_point("{}");
        let document = Document::of(&point);
        assert_eq!(document.clone().beside().id, document.id);
        assert_ne!(Document::of(&a_point(r#"{"a": 1}"#)).id, document.id);
    }

    #[test]
    fn a_document_is_of_the_trace_it_names() {
        assert!(is_of(r#"{"x": 1, "base_id": "\u00e9"}"#, &"é".into()));
        assert!(is_of(r#"{"base_id": 5}"#, &"5".into()));
        assert!(!is_of(r#"{"base_id": "other"}"#, &"é".into()));
        assert!(!is_of("{}", &"".into()));
    }

    proptest! {
        #[test]
        fn a_point_survives_both_forms(
            name in ".*", base_id in ".*", etype in proptest::option::of(".*"), key in ".*",
            micros in -62_135_596_800_000_000_i64..253_402_300_799_999_999,
            service in proptest::option::of(".*"),
        ) {
            let mut point = TracePoint::new(
                &name, base_id.as_str().into(), "t".into(), "p".into(), Timestamp::from_micros(micros),
            );
            point.service = service.map(Into::into);
            if !["name", "base_id", "trace_id", "parent_id", "timestamp", "info", "project", "service"].contains(&key.as_str()) {
                point.extra = vec![(key.into(), Json::string("x"))];
            }
            if let Some(etype) = etype {
                point.info = Json::parse(&format!("{{\"etype\": {}}}", Json::string(&etype))).unwrap();
            }
            let document = Document::of(&point);
            prop_assert_eq!(super::point(&document.body), Ok(point.clone()));
            prop_assert!(is_of(&document.body, &point.base_id));
            let beside = document.beside();
            prop_assert_eq!(super::point(&beside.body), Ok(point.clone()));
            prop_assert!(!beside.body.contains('\n'));
        }
    }
}
