//! The keys of the store, made so that the order of their bytes is the order in which they are read.

use nephoscope_telemetry::{Id, Timestamp};

/// The longest key of a trace. The engine takes keys of 65,535 bytes, of which a point needs some for itself; no
/// header of a request brings an id that long.
pub(super) const LONGEST_TRACE_KEY: usize = 32 * 1024;
/// The length of a time in a key.
pub(super) const TIME: usize = 8;

/// What the time in a key is at least: it is turned so that those before 1970 come first, and none is before the year 1.
pub(super) const FIRST_TIME: u64 = 1 << 56;

const UUID: u8 = 0;
const TEXT: u8 = 1;
const HASH: usize = 4;

/// The key of a trace: ordered as [`Id`]s are, and never the beginning of another's.
///
/// `00` and the 16 bytes of a UUID; or `01`, the text with `00 01` for each NUL, and `00 00`. Nothing when it is longer
/// than [`LONGEST_TRACE_KEY`].
pub(super) fn trace_key(id: &Id) -> Option<Vec<u8>> {
    let key = match id.as_uuid() {
        Some(uuid) => [&[UUID], uuid.as_slice()].concat(),
        None => id.with_str(|text| {
            let mut key = Vec::with_capacity(text.len() + 3);
            key.push(TEXT);
            for byte in text.bytes() {
                key.push(byte);
                if byte == 0 {
                    key.push(1);
                }
            }
            key.extend([0, 0]);
            key
        }),
    };
    (key.len() <= LONGEST_TRACE_KEY).then_some(key)
}

/// The id whose [`trace_key`] this is.
pub(super) fn trace_id(key: &[u8]) -> Option<Id> {
    match key.split_first()? {
        (&UUID, uuid) => Some(Id::from_uuid(uuid.try_into().ok()?)),
        (&TEXT, text) => {
            let text = std::str::from_utf8(text.strip_suffix(&[0, 0])?).ok()?;
            Some(Id::new(&text.replace("\0\u{1}", "\0")))
        }
        _ => None,
    }
}

/// The key of a point: its trace, its time, and a hash of what it holds.
///
/// Two points of one hash in one microsecond of a trace are told apart by the next free hash.
pub(super) fn point_key(trace: &[u8], time: Timestamp, hash: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(trace.len() + TIME + HASH);
    key.extend_from_slice(trace);
    key.extend_from_slice(&ascending(time).to_be_bytes());
    key.extend_from_slice(&hash.to_be_bytes());
    key
}

/// The key of a pack of points: its trace, the place of its first point, and a hash of the record.
///
/// No time is a number as small as a place, so the packs of a trace lie before its other points: below [`FIRST_TIME`].
pub(super) fn pack_key(trace: &[u8], place: u64, hash: u32) -> Vec<u8> {
    debug_assert!(place < FIRST_TIME, "a trace has fewer points");
    let mut key = Vec::with_capacity(trace.len() + TIME + HASH);
    key.extend_from_slice(trace);
    key.extend_from_slice(&place.to_be_bytes());
    key.extend_from_slice(&hash.to_be_bytes());
    key
}

/// The time in a [`point_key`]; nothing in a [`pack_key`].
pub(super) fn point_time(key: &[u8]) -> Option<Timestamp> {
    let (rest, _hash) = key.split_last_chunk::<HASH>()?;
    let (_trace, time) = rest.split_last_chunk::<TIME>()?;
    Some(u64::from_be_bytes(*time)).filter(|time| *time >= FIRST_TIME).map(time_of)
}

/// The key of a trace in an index by time, the newest first.
pub(super) fn index_key(time: Timestamp, trace: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(TIME + trace.len());
    key.extend_from_slice(&descending(time).to_be_bytes());
    key.extend_from_slice(trace);
    key
}

/// Time and trace of an [`index_key`].
pub(super) fn split_index_key(key: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (time, trace) = key.split_first_chunk::<TIME>()?;
    Some((time_of(!u64::from_be_bytes(*time)), trace))
}

/// A number that is the greater, the later the time.
pub(super) fn ascending(time: Timestamp) -> u64 {
    time.as_micros().cast_unsigned() ^ 1 << 63
}

/// A number that is the smaller, the later the time.
pub(super) fn descending(time: Timestamp) -> u64 {
    !ascending(time)
}

fn time_of(ascending: u64) -> Timestamp {
    Timestamp::from_micros((ascending ^ 1 << 63).cast_signed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_id() -> impl Strategy<Value = Id> {
        prop_oneof![
            any::<[u8; 16]>().prop_map(Id::from_uuid),
            ".{0,20}".prop_map(|text| Id::new(&text)),
            "[\0\u{1}a]{0,4}".prop_map(|text| Id::new(&text)),
        ]
    }

    #[test]
    fn an_id_too_long_for_the_engine_has_no_key() {
        assert!(trace_key(&Id::new(&"x".repeat(LONGEST_TRACE_KEY - 3))).is_some());
        assert_eq!(trace_key(&Id::new(&"x".repeat(LONGEST_TRACE_KEY - 2))), None);
    }

    proptest! {
        #[test]
        fn keys_of_traces_are_ordered_as_their_ids_and_read_back(one in any_id(), other in any_id()) {
            let (key, next) = (trace_key(&one).unwrap(), trace_key(&other).unwrap());
            prop_assert_eq!(key.cmp(&next), one.cmp(&other));
            prop_assert!(one == other || !next.starts_with(&key));
            prop_assert_eq!(trace_id(&key), Some(one));
        }

        #[test]
        fn points_lie_in_order_of_time_and_indexes_against_it(one: i64, other: i64, id in any_id()) {
            let (one, other) = (Timestamp::from_micros(one), Timestamp::from_micros(other));
            let trace = trace_key(&id).unwrap();
            prop_assert_eq!(point_key(&trace, one, 1).cmp(&point_key(&trace, other, 1)), one.cmp(&other));
            prop_assert_eq!(index_key(one, &trace).cmp(&index_key(other, &trace)), other.cmp(&one));
            prop_assert_eq!(point_time(&point_key(&trace, one, 1)), Some(one));
            let key = index_key(one, &trace);
            prop_assert_eq!(split_index_key(&key), Some((one, &*trace)));
        }

        #[test]
        fn packs_lie_before_points_of_any_time(place in 0..FIRST_TIME, micros: i64, id in any_id()) {
            let trace = trace_key(&id).unwrap();
            let pack = pack_key(&trace, place, u32::MAX);
            prop_assert!(pack < point_key(&trace, Timestamp::from_micros(micros), 0));
            prop_assert_eq!(point_time(&pack), None);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = (trace_id(&bytes), point_time(&bytes), split_index_key(&bytes));
        }
    }
}
