//! How several points of one trace are written as one: what they have in common is there once.
//!
//! ```text
//! version   one byte, 2
//! place     number: how many points the trace had before the first of these
//! count     number of points
//! hashes    four bytes for each point, of its body
//! points    each:
//!   flags     one byte, as in a record of version 1
//!   time      signed number: microseconds since the point before it; of the first one since 1970
//!   trace_id  told id
//!   parent_id told id, unless it is the base id
//!   name      told text, without `-start` or `-stop`
//!   project   told text, if there is one
//!   service   told text, if there is one
//!   info      numbers: how many bytes it begins and how many it ends with as the one before it; text of what is between
//!   time text and extra fields as in a record of version 1, if there are any
//! ```
//!
//! A told text is the number 0 and the text, which is a new one then; or *n* for the *n*th last of those that were new. A
//! told id is the number 0 and an id as in a record of version 1, or 1 and the last eight bytes of a UUID whose first eight
//! are zeros, which both are new ones then; or *n* + 1 for the *n*th last of those that were new. The info before an info is
//! that of the last point that is a stop as well, or is none as well; before the first there is an empty one.

use nephoscope_disk::fields::{Fields, push_number, push_signed, push_text};
use nephoscope_telemetry::Timestamp;

use super::record::{Body, Flags, id_bytes};

/// The version of a record that is a pack.
pub(super) const VERSION: u8 = 2;
/// How large a pack gets: with it all of its points have to be read, and are lost when it is damaged. As large as what the
/// engine compresses together.
pub(super) const PACK_BYTES: usize = 32 << 10;
/// How far back to look for what was there before. Points next to each other are of operations that run at the same time.
const LOOK_BACK: usize = 64;

/// The bytes of a UUID that is made of a span id of OpenTelemetry, up to that.
const SPAN_ID: [u8; 9] = [0; 9];

/// A pack that is being made.
#[derive(Debug, Default)]
pub(super) struct Packing<'a> {
    /// Of its first point.
    place: u64,
    hashes: Vec<u8>,
    points: Vec<u8>,
    time: i64,
    ids: Vec<&'a [u8]>,
    texts: Vec<&'a [u8]>,
    infos: [&'a [u8]; 2],
}

impl<'a> Packing<'a> {
    /// Whether it is as large as a pack gets.
    pub(super) fn is_full(&self) -> bool {
        self.points.len() >= PACK_BYTES
    }

    /// Adds the point of this [`body`](super::record::body), whose place is the next one, whatever it is for the first.
    pub(super) fn add(&mut self, place: u64, time: Timestamp, hash: u32, body: &'a [u8]) {
        let body = Body::split(body).expect("it was made as a body");
        if self.hashes.is_empty() {
            self.place = place;
        }
        self.hashes.extend(hash.to_be_bytes());
        self.points.push(body.flags.0);
        push_signed(&mut self.points, time.as_micros().wrapping_sub(self.time));
        self.time = time.as_micros();
        for id in [Some(body.trace_id), body.parent_id].into_iter().flatten() {
            self.tell_id(id);
        }
        for text in [Some(body.operation), body.project, body.service].into_iter().flatten() {
            self.tell_text(text);
        }
        let before = std::mem::replace(&mut self.infos[usize::from(body.flags.is_stop())], body.info);
        let (prefix, suffix) = in_common(before, body.info);
        push_number(&mut self.points, prefix as u64);
        push_number(&mut self.points, suffix as u64);
        push_text(&mut self.points, &body.info[prefix..body.info.len() - suffix]);
        self.points.extend_from_slice(body.rest);
    }

    /// The place of the first point, and the record; nothing of no points.
    pub(super) fn finish(self) -> Option<(u64, Vec<u8>)> {
        if self.hashes.is_empty() {
            return None;
        }
        let mut record = Vec::with_capacity(self.points.len() + self.hashes.len() + 16);
        record.push(VERSION);
        push_number(&mut record, self.place);
        push_number(&mut record, (self.hashes.len() / 4) as u64);
        record.extend(self.hashes);
        record.extend(self.points);
        Some((self.place, record))
    }

    fn tell_id(&mut self, id: &'a [u8]) {
        match back(&self.ids, id) {
            Some(back) => push_number(&mut self.points, back + 1),
            None => {
                match id.strip_prefix(&SPAN_ID) {
                    Some(span_id) if span_id.len() == 8 => {
                        self.points.push(1);
                        self.points.extend_from_slice(span_id);
                    }
                    _ => {
                        self.points.push(0);
                        self.points.extend_from_slice(id);
                    }
                }
                self.ids.push(id);
            }
        }
    }

    fn tell_text(&mut self, text: &'a [u8]) {
        match back(&self.texts, text) {
            Some(back) => push_number(&mut self.points, back),
            None => {
                self.points.push(0);
                push_text(&mut self.points, text);
                self.texts.push(text);
            }
        }
    }
}

/// How far back something is.
fn back(told: &[&[u8]], what: &[u8]) -> Option<u64> {
    let at = told.iter().rev().take(LOOK_BACK).position(|earlier| *earlier == what)?;
    Some(at as u64 + 1)
}

/// With how many bytes two texts begin alike, and with how many of what is left they end alike.
fn in_common(one: &[u8], other: &[u8]) -> (usize, usize) {
    let shorter = one.len().min(other.len());
    let prefix = alike(one.chunks(WIDE), other.chunks(WIDE), |one, other| {
        one.iter().zip(other).take_while(|(one, other)| one == other).count()
    });
    let (one, other) = (&one[one.len() - (shorter - prefix)..], &other[other.len() - (shorter - prefix)..]);
    let suffix = alike(one.rchunks(WIDE), other.rchunks(WIDE), |one, other| {
        one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count()
    });
    (prefix, suffix)
}

/// So many bytes are compared at a time.
const WIDE: usize = 32;

/// The bytes up to the first difference, which is looked for byte by byte only where there is one.
fn alike<'a>(
    one: impl Iterator<Item = &'a [u8]>,
    other: impl Iterator<Item = &'a [u8]>,
    closely: impl Fn(&[u8], &[u8]) -> usize,
) -> usize {
    let mut count = 0;
    for (one, other) in one.zip(other) {
        if one == other {
            count += one.len();
        } else {
            return count + closely(one, other);
        }
    }
    count
}

/// A pack that is being read: an iterator over the times and the [`body`](super::record::body)s of its points, which ends with
/// nothing in place of a point when the pack is damaged.
#[derive(Debug)]
pub(super) struct Pack<'a> {
    /// The place of its first point.
    pub(super) place: u64,
    hashes: &'a [u8],
    left: usize,
    fields: Fields<'a>,
    time: i64,
    ids: Vec<Vec<u8>>,
    texts: Vec<&'a [u8]>,
    infos: [Vec<u8>; 2],
}

impl<'a> Pack<'a> {
    /// Begins to read a record, which is none of points that are packed if it gives nothing.
    pub(super) fn read(record: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(record);
        (fields.byte()? == VERSION).then_some(())?;
        let (place, count) = (fields.number()?, usize::try_from(fields.number()?).ok()?);
        let hashes = fields.bytes(count.checked_mul(4)?)?;
        Some(Self {
            place,
            hashes,
            left: count,
            fields,
            time: 0,
            ids: Vec::new(),
            texts: Vec::new(),
            infos: Default::default(),
        })
    }

    /// The hashes of its points.
    pub(super) fn hashes(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.hashes
            .chunks_exact(4)
            .map(|hash| u32::from_be_bytes(hash.try_into().expect("it has four bytes")))
    }

    fn point(&mut self) -> Option<(Timestamp, Vec<u8>)> {
        let flags = Flags(self.fields.byte()?);
        self.time = self.time.wrapping_add(self.fields.signed()?);
        let mut body = vec![flags.0];
        for _ in 0..flags.ids() {
            self.told_id(&mut body)?;
        }
        for _ in 0..flags.texts() {
            push_text(&mut body, self.told_text()?);
        }
        self.info(flags.is_stop(), &mut body)?;
        body.extend_from_slice(flags.rest(&mut self.fields)?);
        Some((Timestamp::from_micros(self.time), body))
    }

    fn told_id(&mut self, body: &mut Vec<u8>) -> Option<()> {
        let id = match self.fields.number()? {
            0 => id_bytes(&mut self.fields)?.to_vec(),
            1 => [SPAN_ID.as_slice(), self.fields.bytes(8)?].concat(),
            back => {
                body.extend_from_slice(nth_last(&self.ids, back - 1)?);
                return Some(());
            }
        };
        body.extend_from_slice(&id);
        self.ids.push(id);
        Some(())
    }

    fn told_text(&mut self) -> Option<&'a [u8]> {
        match self.fields.number()? {
            0 => {
                let text = self.fields.text_bytes()?;
                self.texts.push(text);
                Some(text)
            }
            back => nth_last(&self.texts, back).copied(),
        }
    }

    fn info(&mut self, is_stop: bool, body: &mut Vec<u8>) -> Option<()> {
        let before = &mut self.infos[usize::from(is_stop)];
        let (prefix, suffix) = (self.fields.length()?, self.fields.length()?);
        let middle = self.fields.text_bytes()?;
        let suffix_at = before.len().checked_sub(suffix).filter(|at| prefix <= *at)?;
        before.splice(prefix..suffix_at, middle.iter().copied());
        push_text(body, before);
        Some(())
    }
}

fn nth_last<T>(told: &[T], back: u64) -> Option<&T> {
    told.len().checked_sub(usize::try_from(back).ok()?).and_then(|at| told.get(at))
}

impl Iterator for Pack<'_> {
    type Item = Option<(Timestamp, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let mut point = self.point();
        if self.left == 0 && !self.fields.0.is_empty() {
            // Bytes that nothing accounts for.
            point = None;
        }
        if point.is_none() {
            self.left = 0;
        }
        Some(point)
    }
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::{Id, TracePoint};
    use proptest::prelude::*;

    use super::*;
    use crate::embedded::record::tests::any_point;
    use crate::embedded::record::{body, decode};

    fn packed(place: u64, points: &[(Timestamp, u32, Vec<u8>)]) -> Vec<u8> {
        let mut packing = Packing::default();
        for (at, (time, hash, body)) in points.iter().enumerate() {
            packing.add(place + at as u64, *time, *hash, body);
        }
        packing.finish().unwrap().1
    }

    fn bodies(points: &[TracePoint]) -> Vec<(Timestamp, u32, Vec<u8>)> {
        let hashes = 7_u32..;
        points.iter().zip(hashes).map(|(point, hash)| (point.timestamp, hash, body(point))).collect()
    }

    #[test]
    fn what_points_share_is_there_once() {
        let base = Id::new("base");
        let shared = format!("\"resource\": \"{}\"}}", "r".repeat(500));
        let point = |number: u8, end| {
            let id = Id::from_uuid([number; 16]);
            let mut point = TracePoint::new(end, base.clone(), id, base.clone(), Timestamp::from_micros(5));
            point.service = Some("the service".into());
            point.info = nephoscope_telemetry::Json::parse(&format!("{{\"n\": {number}, {shared}")).unwrap();
            point
        };
        let points: Vec<_> = (0..20).flat_map(|at| [point(at, "x-start"), point(at, "x-stop")]).collect();
        let record = packed(0, &bodies(&points));
        assert!(record.len() < 2 * 600 + 40 * 25, "{} bytes", record.len());
    }

    proptest! {
        #[test]
        fn points_come_back_as_they_were(
            mut points in prop::collection::vec(any_point(), 1..9), again in prop::collection::vec(any::<prop::sample::Index>(), 0..9),
            place in 0_u64..1 << 50,
        ) {
            for index in again {
                points.push(index.get(&points).clone());
            }
            let base = points[0].base_id.clone();
            for point in &mut points {
                // In a body a parent that is the base id is not told.
                if point.parent_id == point.base_id {
                    point.parent_id = base.clone();
                }
                point.base_id = base.clone();
            }
            let bodies = bodies(&points);
            let record = packed(place, &bodies);
            let pack = Pack::read(&record).unwrap();
            prop_assert!(pack.hashes().eq(bodies.iter().map(|(_, hash, _)| *hash)));
            let placed: Vec<_> = (place..).zip(points).collect();
            prop_assert_eq!(decode(&record, &base, None), Ok(placed));
        }

        #[test]
        fn a_pack_cut_short_is_damaged(points in prop::collection::vec(any_point(), 1..4), cut: prop::sample::Index) {
            let record = packed(3, &bodies(&points));
            let cut = &record[..cut.index(record.len())];
            prop_assert!(decode(cut, &points[0].base_id, None).is_err());
        }

        #[test]
        fn texts_have_in_common_what_they_begin_and_end_with(begin in "[ab]{0,70}", one in "[abc]{0,40}", other in "[abd]{0,40}", end in "[ab]{0,70}") {
            let (one, other) = ([&*begin, &one, &end].concat(), [&*begin, &other, &end].concat());
            let (prefix, suffix) = in_common(one.as_bytes(), other.as_bytes());
            prop_assert!(prefix + suffix <= one.len().min(other.len()));
            prop_assert_eq!(&one[..prefix], &other[..prefix]);
            prop_assert_eq!(&one[one.len() - suffix..], &other[other.len() - suffix..]);
            let (left, right) = (one.as_bytes(), other.as_bytes());
            prop_assert!(left.get(prefix) != right.get(prefix) || left.len().min(right.len()) == prefix);
        }
    }
}
