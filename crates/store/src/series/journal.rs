//! The journal: every batch as it came, on disk before it is acknowledged.
//!
//! A file has a header and frames, a frame for each batch; `docs/store-format.md` has the bytes. A frame tells of itself
//! where it ends and whether it is whole, and holds the archive policies that its measures came in under, so that it means
//! the same whenever it is read.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::memmem;
use nephoscope_disk::fields::{Fields, push_number, push_signed};
use nephoscope_gnocchi::{
    AggregationMethod, ArchivePolicy, Definition, Function, Measure, Timespan, Timestamp,
};
use xxhash_rust::xxh3::xxh3_64;

use super::MetricKey;
use super::files::{Files, Write};

/// What a file begins with.
const FILE: &[u8; 8] = b"NEPHJRNL";
/// The version of the format that is written. Files of later ones are refused.
const VERSION: u32 = 1;
/// Length of the header of a file: the above, the version and a checksum.
pub(super) const FILE_HEADER: usize = 16;
/// What a frame begins with: where to look for the next one behind damage.
const FRAME: &[u8; 4] = b"\x9eNjf";
/// Length of the header of a frame: the above, length, sequence number, checksum of the payload and of the header.
const FRAME_HEADER: usize = 28;
/// The number of the first journal of all.
pub(super) const FIRST_JOURNAL: u64 = 1;
/// How long a payload may be. Far above what a request holds, so that more is damage.
pub(super) const LONGEST_PAYLOAD: usize = 1 << 30;

/// Measures of one metric, to be written.
pub(super) type Entry = (MetricKey, Arc<ArchivePolicy>, Vec<Measure>);

/// A frame without its sequence number: made by whoever brings the measures, so that the one writer has less to do.
pub(super) fn frame(batch: &[Entry]) -> Vec<u8> {
    let mut frame = vec![0; FRAME_HEADER];
    let mut policies: Vec<&Arc<ArchivePolicy>> = Vec::new();
    let mut entries = Vec::new();
    let (mut last_key, mut last_time) = (0, 0);
    let mut at = 0;
    for (key, policy, measures) in batch {
        if !policies.get(at).is_some_and(|known| Arc::ptr_eq(known, policy)) {
            let known = policies.iter().position(|known| Arc::ptr_eq(known, policy));
            at = known.unwrap_or_else(|| {
                policies.push(policy);
                policies.len() - 1
            });
        }
        push_signed(&mut entries, key.0.wrapping_sub(last_key).cast_signed());
        push_number(&mut entries, at as u64);
        push_number(&mut entries, measures.len() as u64);
        last_key = key.0;
        for measure in measures {
            let time = measure.timestamp.as_nanos();
            push_signed(&mut entries, time.wrapping_sub(last_time));
            entries.extend(measure.value.to_le_bytes());
            last_time = time;
        }
    }
    push_number(&mut frame, policies.len() as u64);
    policies.iter().for_each(|policy| put_policy(&mut frame, policy));
    frame.append(&mut entries);
    let (header, payload) = frame.split_at_mut(FRAME_HEADER);
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    header[..4].copy_from_slice(FRAME);
    header[4..8].copy_from_slice(&length.to_le_bytes());
    header[16..24].copy_from_slice(&xxh3_64(payload).to_le_bytes());
    frame
}

/// Gives a frame its sequence number.
pub(super) fn number(frame: &mut [u8], sequence: u64) {
    frame[8..16].copy_from_slice(&sequence.to_le_bytes());
    let check = check(&frame[..FRAME_HEADER - 4]);
    frame[FRAME_HEADER - 4..FRAME_HEADER].copy_from_slice(&check);
}

/// A short checksum.
pub(super) fn check(bytes: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = xxh3_64(bytes).to_le_bytes();
    [a, b, c, d]
}

/// The number of an aggregation method in files.
pub(super) fn method_number(method: AggregationMethod) -> u8 {
    let function = match method.function {
        Function::Mean => 0,
        Function::Sum => 1,
        Function::Last => 2,
        Function::Max => 3,
        Function::Min => 4,
        Function::Std => 5,
        Function::Median => 6,
        Function::First => 7,
        Function::Count => 8,
        Function::Percentile(percent) => 8 + percent.clamp(1, 99),
    };
    function + if method.rate { RATE } else { 0 }
}

/// From which number on methods are of differences.
const RATE: u8 = 108;

/// The aggregation method of a number.
pub(super) fn method_of(number: u8) -> Option<AggregationMethod> {
    let (rate, number) = if number < RATE { (false, number) } else { (true, number - RATE) };
    let function = match number {
        0 => Function::Mean,
        1 => Function::Sum,
        2 => Function::Last,
        3 => Function::Max,
        4 => Function::Min,
        5 => Function::Std,
        6 => Function::Median,
        7 => Function::First,
        8 => Function::Count,
        9..=107 => Function::Percentile(number - 8),
        _ => return None,
    };
    Some(AggregationMethod { rate, function })
}

fn put_policy(out: &mut Vec<u8>, policy: &ArchivePolicy) {
    push_number(out, policy.back_window.into());
    push_number(out, policy.definition.len() as u64);
    for definition in &policy.definition {
        push_number(out, definition.granularity.as_nanos().cast_unsigned());
        push_number(out, definition.points.map_or(0, |points| points.max(1)));
    }
    push_number(out, policy.aggregation_methods.len() as u64);
    out.extend(policy.aggregation_methods.iter().map(|method| method_number(*method)));
}

fn policy(input: &mut Fields<'_>) -> Option<ArchivePolicy> {
    let back_window = u32::try_from(input.number()?).ok()?;
    let definitions = input.count(2)?;
    let mut definition = |_| {
        let granularity = Timespan::from_nanos(input.number()?.cast_signed())?;
        Some(Definition { granularity, points: input.number().map(|points| (points > 0).then_some(points))? })
    };
    let definition = (0..definitions).map(&mut definition).collect::<Option<_>>()?;
    let methods = input.count(1)?;
    let methods = input.bytes(methods)?.iter().map(|number| method_of(*number)).collect::<Option<_>>()?;
    // Names are not kept, and nothing here asks for them.
    Some(ArchivePolicy { name: String::new(), back_window, definition, aggregation_methods: methods })
}

/// Reads a payload; calls with the measures of each metric. Nothing if it is none.
pub(super) fn read_payload(
    payload: &[u8],
    mut each: impl FnMut(MetricKey, &Arc<ArchivePolicy>, &mut Vec<Measure>),
) -> Option<()> {
    let mut input = Fields(payload);
    let policies = input.count(3)?;
    let policies = (0..policies).map(|_| policy(&mut input).map(Arc::new)).collect::<Option<Vec<_>>>()?;
    let (mut key, mut time) = (0u64, 0i64);
    let mut measures = Vec::new();
    while !input.0.is_empty() {
        key = key.wrapping_add(input.signed()?.cast_unsigned());
        let policy = policies.get(usize::try_from(input.number()?).ok()?)?;
        let count = input.count(9)?;
        measures.clear();
        for _ in 0..count {
            time = time.wrapping_add(input.signed()?);
            measures.push(Measure { timestamp: Timestamp::from_nanos(time), value: input.f64()? });
        }
        each(MetricKey(key), policy, &mut measures);
    }
    Some(())
}

/// What stands in a journal.
#[derive(Debug, Default)]
pub(super) struct Contents<'a> {
    /// Sequence number and payload of each whole frame.
    pub(super) frames: Vec<(u64, &'a [u8])>,
    /// How many stretches are damaged that have whole frames behind them, or are complete and wrong.
    pub(super) damaged: u64,
    /// How many bytes at the end are the beginning of a frame.
    pub(super) torn: usize,
}

/// A journal of a later version.
#[derive(Debug)]
pub(super) struct LaterVersion(pub(super) u32);

/// Finds the frames of a journal.
pub(super) fn read(content: &[u8]) -> Result<Contents<'_>, LaterVersion> {
    let mut contents = Contents::default();
    let header = content.get(..FILE_HEADER);
    let is_whole = header.is_some_and(|header| header[..8] == *FILE && header[12..] == check(&header[..12]));
    match header {
        Some(header) if is_whole => {
            let version = Fields(&header[8..]).u32().unwrap_or_default();
            if version != VERSION {
                return Err(LaterVersion(version));
            }
        }
        // The machine stopped while the file was made: nothing was acknowledged out of it.
        None => {
            contents.torn = content.len();
            return Ok(contents);
        }
        Some(_) => contents.damaged += 1,
    }
    let mut at = FILE_HEADER;
    while at < content.len() {
        let rest = &content[at..];
        match whole_frame(rest) {
            Found::Whole(sequence, payload) => {
                contents.frames.push((sequence, payload));
                at += FRAME_HEADER + payload.len();
                continue;
            }
            Found::Wrong(length) => {
                contents.damaged += 1;
                at += length;
                continue;
            }
            Found::None => {}
        }
        // Behind damage of a header the next frame is found by how it begins.
        let next = memmem::find_iter(&rest[1..], FRAME)
            .map(|next| next + 1)
            .find(|next| !matches!(whole_frame(&rest[*next..]), Found::None));
        match next {
            Some(next) => {
                contents.damaged += 1;
                at += next;
            }
            None => {
                contents.torn = rest.len();
                break;
            }
        }
    }
    Ok(contents)
}

enum Found<'a> {
    Whole(u64, &'a [u8]),
    /// A frame of so many bytes, with a payload that is not what was written.
    Wrong(usize),
    None,
}

fn whole_frame(content: &[u8]) -> Found<'_> {
    let Some((header, rest)) = content.split_at_checked(FRAME_HEADER) else { return Found::None };
    let is_header = header[..4] == *FRAME && header[FRAME_HEADER - 4..] == check(&header[..FRAME_HEADER - 4]);
    let mut fields = Fields(&header[4..]);
    let (Some(length), Some(sequence), Some(hash)) = (fields.u32(), fields.u64(), fields.u64()) else {
        return Found::None;
    };
    match rest.get(..length as usize) {
        Some(payload) if is_header && xxh3_64(payload) == hash => Found::Whole(sequence, payload),
        Some(payload) if is_header => Found::Wrong(FRAME_HEADER + payload.len()),
        _ => Found::None,
    }
}

/// The file that is written.
#[derive(Debug)]
pub(super) struct Journal {
    file: Box<dyn Write>,
    pub(super) bytes: u64,
}

impl Journal {
    /// Begins a file, whose name is durable then.
    pub(super) fn create(files: &dyn Files, directory: &Path, number: u64) -> io::Result<Self> {
        let mut file = files.create(&path(directory, number))?;
        let mut header = FILE.to_vec();
        header.extend(VERSION.to_le_bytes());
        header.extend(check(&header));
        file.append(&header)?;
        file.sync()?;
        files.sync_directory(directory)?;
        Ok(Self { file, bytes: FILE_HEADER as u64 })
    }

    /// Brings frames to disk.
    pub(super) fn append(&mut self, frames: &[u8]) -> io::Result<()> {
        self.file.append(frames)?;
        self.file.sync()?;
        self.bytes += frames.len() as u64;
        Ok(())
    }
}

/// Where a journal is.
pub(super) fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:012}.journal"))
}

/// The number in the name of a journal.
pub(super) fn number_of(name: &str) -> Option<u64> {
    name.strip_suffix(".journal")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(key: u64, measures: &[(i64, f64)]) -> Entry {
        let policy = ArchivePolicy {
            name: String::new(),
            back_window: 2,
            definition: vec![
                Definition { granularity: Timespan::from_seconds(60).unwrap(), points: Some(10) },
                Definition { granularity: Timespan::from_seconds(3600).unwrap(), points: None },
            ],
            aggregation_methods: AggregationMethod::all().collect(),
        };
        let measure =
            |(time, value): &(i64, f64)| Measure { timestamp: Timestamp::from_nanos(*time), value: *value };
        (MetricKey(key), Arc::new(policy), measures.iter().map(measure).collect())
    }

    fn journal(batches: &[Vec<Entry>]) -> Vec<u8> {
        let mut content = FILE.to_vec();
        content.extend(VERSION.to_le_bytes());
        content.extend(check(&content));
        for (sequence, batch) in batches.iter().enumerate() {
            let mut frame = frame(batch);
            number(&mut frame, sequence as u64);
            content.extend(frame);
        }
        content
    }

    fn sequences(contents: &Contents<'_>) -> Vec<u64> {
        contents.frames.iter().map(|(sequence, _)| *sequence).collect()
    }

    #[test]
    fn each_method_has_a_number_of_its_own() {
        for method in AggregationMethod::all() {
            assert_eq!(method_of(method_number(method)), Some(method));
        }
        assert_eq!(method_of(216), None);
    }

    proptest! {
        #[test]
        fn batches_come_out_as_they_went_in(
            batches in prop::collection::vec(
                prop::collection::vec((any::<u64>(), prop::collection::vec((any::<i64>(), any::<f64>()), 0..4)), 1..4),
                0..4,
            ),
        ) {
            let batches: Vec<Vec<_>> =
                batches.iter().map(|batch| batch.iter().map(|(key, measures)| entry(*key, measures)).collect()).collect();
            let content = journal(&batches);
            let contents = read(&content).unwrap();
            prop_assert_eq!(contents.damaged, 0);
            prop_assert_eq!(contents.torn, 0);
            let mut read = Vec::new();
            for (_, payload) in &contents.frames {
                let mut batch = Vec::new();
                read_payload(payload, |key, policy, measures| batch.push((key, Arc::clone(policy), measures.clone())))
                    .expect("a payload that was written");
                read.push(batch);
            }
            prop_assert_eq!(format!("{read:?}"), format!("{batches:?}"));
        }

        #[test]
        fn no_payload_is_a_reason_to_panic(payload: Vec<u8>) {
            let _is_one = read_payload(&payload, |_, _, _| ());
        }

        #[test]
        fn a_flipped_bit_costs_one_frame_and_is_reported(at in FILE_HEADER * 8..2000) {
            let batches: Vec<_> = (0..4).map(|key| vec![entry(key, &[(1, 2.0)])]).collect();
            let mut content = journal(&batches);
            let at = FILE_HEADER * 8 + (at - FILE_HEADER * 8) % ((content.len() - FILE_HEADER) * 8);
            content[at / 8] ^= 1 << (at % 8);
            let contents = read(&content).unwrap();
            prop_assert_eq!(contents.frames.len(), 3);
            prop_assert!(contents.damaged == 1 || contents.torn > 0);
        }
    }

    #[test]
    fn what_is_cut_off_at_the_end_is_left_out() {
        let batches: Vec<_> = (0..3).map(|key| vec![entry(key, &[(1, 2.0)])]).collect();
        let content = journal(&batches);
        let two = journal(&batches[..2]).len();
        for length in 0..content.len() {
            let contents = read(&content[..length]).unwrap();
            assert_eq!(contents.damaged, 0, "{length}");
            assert!(length < two || sequences(&contents) == [0, 1], "{length}");
        }
    }

    #[test]
    fn a_journal_of_a_later_version_is_refused() {
        let mut content = journal(&[]);
        content[8] = 2;
        let check = check(&content[..12]);
        content[12..16].copy_from_slice(&check);
        assert_eq!(read(&content).unwrap_err().0, 2);
    }
}
