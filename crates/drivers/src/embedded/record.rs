//! How one trace point is written, alone; [`pack`](mod@super::pack) tells how several are.
//!
//! ```text
//! version   one byte, 1
//! place     number: how many points the trace had before this one
//! flags     one byte, see the constants
//! trace_id  id
//! parent_id id, unless it is the base id
//! name      text, without `-start` or `-stop`
//! project   text, if there is one
//! service   text, if there is one
//! info      text of the JSON object
//! timestamp text, if it was spelled in another way than the store spells times
//! extra     number of fields, then text of the key and text of the JSON value of each; if there are any
//! ```
//!
//! An id is 0 and the 16 bytes of a UUID, or the length of a text plus one and the text. Base id and time are in the
//! key. What differs from point to point stands first: that helps the compression of the blocks.

use std::borrow::Cow;

use nephoscope_disk::fields::{Fields, push_number, push_text};
use nephoscope_telemetry::{BadRecord, Id, Json, Timestamp, TracePoint};

use super::pack::{self, Pack};

const VERSION: u8 = 1;

const START: u8 = 1;
const STOP: u8 = 2;
const SUFFIX: u8 = START | STOP;
const PARENT_IS_BASE: u8 = 4;
const PROJECT: u8 = 8;
const SERVICE: u8 = 16;
const SPELLED_TIME: u8 = 32;
const EXTRA: u8 = 64;

/// The record of a point from its flags on: all that makes it the point it is, apart from the key.
pub(super) fn body(point: &TracePoint) -> Vec<u8> {
    let mut out = Vec::with_capacity(point.info.as_str().len() + 100);
    let (suffix, operation) = split_name(&point.name);
    let spelled = point.unusual_timestamp_text();
    let parent_is_base = point.parent_id == point.base_id;
    let flag = |is: bool, flag| if is { flag } else { 0 };
    out.push(
        suffix
            | flag(parent_is_base, PARENT_IS_BASE)
            | flag(point.project.is_some(), PROJECT)
            | flag(point.service.is_some(), SERVICE)
            | flag(spelled.is_some(), SPELLED_TIME)
            | flag(!point.extra.is_empty(), EXTRA),
    );
    push_id(&mut out, &point.trace_id);
    if !parent_is_base {
        push_id(&mut out, &point.parent_id);
    }
    push_text(&mut out, operation);
    for text in [&point.project, &point.service].into_iter().flatten() {
        push_text(&mut out, text);
    }
    push_text(&mut out, point.info.as_str());
    if let Some(text) = spelled {
        push_text(&mut out, text);
    }
    if !point.extra.is_empty() {
        push_number(&mut out, point.extra.len() as u64);
        for (key, value) in &point.extra {
            push_text(&mut out, key);
            push_text(&mut out, value.as_str());
        }
    }
    out
}

/// The whole record of the point with this [`body`] and this place in its trace.
pub(super) fn encode(place: u64, body: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(body.len() + 4);
    record.push(VERSION);
    push_number(&mut record, place);
    record.extend_from_slice(body);
    record
}

/// The [`body`] in a record of one point.
pub(super) fn body_of(record: &[u8]) -> Option<&[u8]> {
    let mut fields = Fields(record);
    (fields.byte()? == VERSION).then_some(())?;
    fields.number()?;
    Some(fields.0)
}

/// Reads the points of a record, with their places in the order in which the points of their trace came. `time` is what
/// the key tells.
pub(super) fn decode(
    record: &[u8],
    base_id: &Id,
    time: Option<Timestamp>,
) -> Result<Vec<(u64, TracePoint)>, BadRecord> {
    let mut fields = Fields(record);
    match fields.byte() {
        Some(VERSION) => {
            let place = fields.number().ok_or_else(damaged)?;
            let point = decode_body(fields.0, base_id, time.ok_or_else(damaged)?)?;
            Ok(vec![(place, point)])
        }
        Some(pack::VERSION) => {
            let pack = Pack::read(record).ok_or_else(damaged)?;
            let places = pack.place..;
            let point = |point: Option<(Timestamp, Vec<u8>)>| {
                let (time, body) = point.ok_or_else(damaged)?;
                decode_body(&body, base_id, time)
            };
            places.zip(pack).map(|(place, packed)| Ok((place, point(packed)?))).collect()
        }
        Some(later) => {
            Err(BadRecord::whole(format!("is a record of version {later}, which is not known here")))
        }
        None => Err(damaged()),
    }
}

fn decode_body(body: &[u8], base_id: &Id, time: Timestamp) -> Result<TracePoint, BadRecord> {
    let mut fields = Fields(body);
    let point = point(&mut fields, base_id, time).ok_or_else(damaged)??;
    if fields.0.is_empty() { Ok(point) } else { Err(damaged()) }
}

/// The first byte of a [`body`]: which fields follow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags(pub(super) u8);

impl Flags {
    fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    pub(super) fn is_stop(self) -> bool {
        self.has(STOP)
    }

    /// How many ids follow.
    pub(super) fn ids(self) -> usize {
        1 + usize::from(!self.has(PARENT_IS_BASE))
    }

    /// How many texts follow, up to `info`.
    pub(super) fn texts(self) -> usize {
        1 + usize::from(self.has(PROJECT)) + usize::from(self.has(SERVICE))
    }

    /// Takes what follows `info`.
    pub(super) fn rest<'a>(self, fields: &mut Fields<'a>) -> Option<&'a [u8]> {
        let before = fields.0;
        if self.has(SPELLED_TIME) {
            fields.text_bytes()?;
        }
        if self.has(EXTRA) {
            for _ in 0..fields.number()?.checked_mul(2)? {
                fields.text_bytes()?;
            }
        }
        before.get(..before.len() - fields.0.len())
    }
}

/// The parts of a [`body`], as it holds them: ids in the form of an id, texts without their length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<'a> {
    pub(super) flags: Flags,
    pub(super) trace_id: &'a [u8],
    pub(super) parent_id: Option<&'a [u8]>,
    pub(super) operation: &'a [u8],
    pub(super) project: Option<&'a [u8]>,
    pub(super) service: Option<&'a [u8]>,
    pub(super) info: &'a [u8],
    /// What follows `info`.
    pub(super) rest: &'a [u8],
}

impl<'a> Body<'a> {
    pub(super) fn split(body: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(body);
        let flags = Flags(fields.byte()?);
        let trace_id = id_bytes(&mut fields)?;
        let parent_id = if flags.has(PARENT_IS_BASE) { None } else { Some(id_bytes(&mut fields)?) };
        let operation = fields.text_bytes()?;
        let project = if flags.has(PROJECT) { Some(fields.text_bytes()?) } else { None };
        let service = if flags.has(SERVICE) { Some(fields.text_bytes()?) } else { None };
        let info = fields.text_bytes()?;
        Some(Self { flags, trace_id, parent_id, operation, project, service, info, rest: fields.0 })
    }
}

fn damaged() -> BadRecord {
    BadRecord::whole("is a damaged record")
}

fn point(fields: &mut Fields<'_>, base_id: &Id, time: Timestamp) -> Option<Result<TracePoint, BadRecord>> {
    let flags = Flags(fields.byte()?);
    let trace_id = id(fields)?;
    let parent_id = if flags.has(PARENT_IS_BASE) { base_id.clone() } else { id(fields)? };
    let operation = fields.text()?;
    let name = match flags.0 & SUFFIX {
        START => Cow::Owned(format!("{operation}-start")),
        STOP => Cow::Owned(format!("{operation}-stop")),
        0 => Cow::Borrowed(operation),
        _ => return None,
    };
    let mut point = TracePoint::new(&name, base_id.clone(), trace_id, parent_id, time);
    if flags.has(PROJECT) {
        point.project = Some(fields.text()?.into());
    }
    if flags.has(SERVICE) {
        point.service = Some(fields.text()?.into());
    }
    point.info = Json::parse(fields.text()?).ok().filter(Json::is_object)?;
    if flags.has(SPELLED_TIME)
        && let Err(error) = point.set_timestamp_text(fields.text()?)
    {
        return Some(Err(error));
    }
    if flags.has(EXTRA) {
        for _ in 0..fields.number()? {
            point.extra.push((fields.text()?.into(), Json::parse(fields.text()?).ok()?));
        }
    }
    Some(Ok(point))
}

fn split_name(name: &str) -> (u8, &str) {
    match (name.strip_suffix("-start"), name.strip_suffix("-stop")) {
        (Some(operation), _) => (START, operation),
        (None, Some(operation)) => (STOP, operation),
        (None, None) => (0, name),
    }
}

fn push_id(out: &mut Vec<u8>, id: &Id) {
    match id.as_uuid() {
        Some(uuid) => {
            push_number(out, 0);
            out.extend_from_slice(uuid);
        }
        None => id.with_str(|text| {
            push_number(out, text.len() as u64 + 1);
            out.extend_from_slice(text.as_bytes());
        }),
    }
}

fn id(fields: &mut Fields<'_>) -> Option<Id> {
    match fields.number()? {
        0 => Some(Id::from_uuid(fields.bytes(16)?.try_into().ok()?)),
        length => {
            let text = fields.bytes(usize::try_from(length - 1).ok()?)?;
            std::str::from_utf8(text).ok().map(Id::new)
        }
    }
}

/// Takes an id as it is written.
pub(super) fn id_bytes<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    let before = fields.0;
    let length = match fields.number()? {
        0 => 16,
        length => length - 1,
    };
    fields.bytes(usize::try_from(length).ok()?)?;
    before.get(..before.len() - fields.0.len())
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_id() -> impl Strategy<Value = Id> {
        prop_oneof![any::<[u8; 16]>().prop_map(Id::from_uuid), ".*".prop_map(|text| Id::new(&text))]
    }

    fn any_text() -> impl Strategy<Value = Option<String>> {
        prop::option::of(".*")
    }

    prop_compose! {
        pub(in super::super) fn any_point()(
            name in ".*(-start|-stop|stop|)", base in any_id(), trace in any_id(), parent in any_id(),
            under_base: bool, micros: i64, info in ".*", project in any_text(), service in any_text(),
            extra in prop::collection::vec((".*", ".*"), 0..3),
            spelled in prop::option::of(Just("2026-01-01T14:30:00+02:30")),
        ) -> TracePoint {
            let parent = if under_base { base.clone() } else { parent };
            let mut point = TracePoint::new(&name, base, trace, parent, Timestamp::from_micros(micros));
            point.info = Json::parse(&format!("{{\"etype\": {}, \"n\": NaN}}", Json::string(&info))).unwrap();
            point.project = project.map(Into::into);
            point.service = service.map(Into::into);
            point.extra = extra.iter().map(|(key, value)| (key.into(), Json::string(value))).collect();
            if let Some(text) = spelled {
                point.set_timestamp_text(text).unwrap();
            }
            point
        }
    }

    #[test]
    fn a_record_of_a_later_version_is_told_from_a_damaged_one() {
        let base = Id::new("base");
        let point =
            TracePoint::new("x-start", base.clone(), base.clone(), base.clone(), Timestamp::from_micros(1));
        let mut record = encode(0, &body(&point));
        record[0] = 3;
        let error = decode(&record, &base, Some(point.timestamp)).unwrap_err();
        assert!(error.to_string().contains("version 3"), "{error}");
    }

    proptest! {
        #[test]
        fn a_point_comes_back_as_it_was(point in any_point(), place: u64) {
            let body = body(&point);
            let record = encode(place, &body);
            prop_assert_eq!(body_of(&record), Some(&*body));
            let decoded = decode(&record, &point.base_id, Some(point.timestamp));
            prop_assert_eq!(decoded, Ok(vec![(place, point)]));
        }

        #[test]
        fn a_record_cut_short_is_no_point(point in any_point(), cut: prop::sample::Index) {
            let record = encode(3, &body(&point));
            let cut = &record[..cut.index(record.len())];
            prop_assert!(decode(cut, &point.base_id, Some(point.timestamp)).is_err());
        }

        #[test]
        fn no_bytes_make_it_panic(mut bytes: Vec<u8>, is_pack: bool) {
            bytes.insert(0, if is_pack { pack::VERSION } else { VERSION });
            let _point_or_not = decode(&bytes, &Id::new(""), Some(Timestamp::from_micros(0))).ok();
        }
    }
}
