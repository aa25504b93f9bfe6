//! A record and its frame on disk.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `9e 4e 73 66`: here a frame begins |
//! | 4 | length of the payload |
//! | 4 | how many items the record holds |
//! | 1 | what kind of items |
//! | 3 | zero |
//! | 8 | when it was appended, in microseconds since 1970 |
//! | 8 | XXH3 of the payload |
//! | 4 | the first bytes of the XXH3 of all of the above |
//! | … | the payload |
//!
//! All numbers have their lowest byte first.

use bytes::Bytes;
use memchr::memmem;
use xxhash_rust::xxh3::xxh3_64;

/// What is appended and read: bytes, of which the spool knows only what it has to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What is in it, as its writer and its readers agree.
    pub kind: u8,
    /// How many items it holds, for [`Stats`](crate::Stats).
    pub items: u32,
    /// The items.
    pub payload: Bytes,
}

/// What a segment begins with: a name and the version of the format.
pub(crate) const SEGMENT_HEADER: &[u8; 8] = b"NEPHSPL\x01";
const FRAME: &[u8; 4] = b"\x9eNsf";
/// Length of what stands before a payload.
pub(crate) const HEADER: usize = 36;
/// Length of what its own checksum covers.
const CHECKED: usize = HEADER - 4;
/// How long a payload may be. Far above what a source brings at a time, so that more is damage.
pub(crate) const LONGEST_PAYLOAD: usize = 256 << 20;

/// What stands before the payload of a record.
pub(crate) fn header(record: &Record, appended_at: u64) -> Bytes {
    let mut out = Vec::with_capacity(HEADER);
    out.extend(FRAME);
    let length = u32::try_from(record.payload.len()).expect("whoever appends was told how long it may be");
    out.extend(length.to_le_bytes());
    out.extend(record.items.to_le_bytes());
    out.extend([record.kind, 0, 0, 0]);
    out.extend(appended_at.to_le_bytes());
    out.extend(xxh3_64(&record.payload).to_le_bytes());
    out.extend(check(&out));
    out.into()
}

fn check(bytes: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = xxh3_64(bytes).to_le_bytes();
    [a, b, c, d]
}

/// What is next in bytes of a segment.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// A whole frame, that many bytes long.
    Frame { record: Record, appended_at: u64, length: usize },
    /// Bytes that are no frame, that many: then another may begin.
    Damage(usize),
    /// More bytes are needed: that many, from the same place.
    More(usize),
}

/// Reads what is next. `bytes` are not empty, and may end anywhere.
pub(crate) fn next(bytes: &Bytes) -> Next {
    if !bytes.starts_with(&FRAME[..bytes.len().min(FRAME.len())]) {
        return damage(bytes);
    }
    let Some(header) = bytes.get(..HEADER) else { return Next::More(HEADER) };
    if header[CHECKED..] != check(&header[..CHECKED]) {
        return damage(bytes);
    }
    let number = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("there are four"));
    let long = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("there are eight"));
    let payload = number(4) as usize;
    if payload > LONGEST_PAYLOAD {
        return damage(bytes);
    }
    let length = HEADER + payload;
    if bytes.len() < length {
        return Next::More(length);
    }
    let payload = bytes.slice(HEADER..length);
    if xxh3_64(&payload) != long(24) {
        // The header is sound, so that its length leads to the next frame.
        return Next::Damage(length);
    }
    let record = Record { kind: header[12], items: number(8), payload };
    Next::Frame { record, appended_at: long(16), length }
}

/// From here to where the next frame may begin.
fn damage(bytes: &[u8]) -> Next {
    let next = memmem::find(&bytes[1..], FRAME).map(|at| at + 1);
    // The beginning of one may be at the very end.
    let partial = || (1..FRAME.len().min(bytes.len())).rev().find(|&short| bytes.ends_with(&FRAME[..short]));
    Next::Damage(next.unwrap_or_else(|| bytes.len() - partial().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(record: &Record, appended_at: u64) -> Vec<u8> {
        [header(record, appended_at), record.payload.clone()].concat()
    }

    fn frame(payload: &[u8]) -> Vec<u8> {
        written(&Record { kind: 3, items: 7, payload: payload.to_vec().into() }, 42)
    }

    /// Every record in bytes, and how many stretches are damaged.
    fn read(bytes: &[u8]) -> (Vec<Bytes>, usize) {
        let mut bytes = Bytes::copy_from_slice(bytes);
        let (mut records, mut damaged) = (Vec::new(), 0);
        while !bytes.is_empty() {
            match next(&bytes) {
                Next::Frame { record, length, .. } => {
                    records.push(record.payload);
                    bytes = bytes.slice(length..);
                }
                Next::Damage(length) => {
                    damaged += 1;
                    bytes = bytes.slice(length..);
                }
                Next::More(_) => break,
            }
        }
        (records, damaged)
    }

    proptest! {
        #[test]
        fn a_record_survives(kind: u8, items: u32, payload: Vec<u8>, appended_at: u64, behind: Vec<u8>) {
            let record = Record { kind, items, payload: payload.into() };
            let mut bytes = written(&record, appended_at);
            let length = bytes.len();
            bytes.extend(behind);
            prop_assert_eq!(next(&bytes.into()), Next::Frame { record, appended_at, length });
        }

        #[test]
        fn a_frame_that_is_cut_asks_for_the_rest(payload: Vec<u8>, cut: prop::sample::Index) {
            let frame = frame(&payload);
            let cut = cut.index(frame.len());
            prop_assume!(cut > 0);
            let Next::More(needed) = next(&Bytes::copy_from_slice(&frame[..cut])) else { panic!("it is not whole") };
            prop_assert!(needed > cut && needed <= frame.len());
        }

        #[test]
        fn damage_costs_the_frame_it_is_in(at: prop::sample::Index, bit in 0u8..8) {
            let frames = [frame(b"one"), frame(b"two"), frame(b"three")];
            let mut bytes = frames.concat();
            let at = at.index(frames[0].len() + frames[1].len());
            bytes[at] ^= 1 << bit;
            let (records, damaged) = read(&bytes);
            let lost: &[u8] = if at < frames[0].len() { b"one" } else { b"two" };
            let rest: Vec<_> = [b"one".as_slice(), b"two", b"three"].into_iter().filter(|&one| one != lost).collect();
            prop_assert_eq!(records, rest);
            prop_assert!(damaged >= 1);
        }

        #[test]
        fn no_bytes_make_it_panic(junk: Vec<u8>) {
            let (records, _) = read(&[junk.clone(), frame(b"whole"), junk].concat());
            prop_assert!(records.len() <= 1);
        }
    }
}
