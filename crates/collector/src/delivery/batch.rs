//! What is taken out of the spool at a time.

use nephoscope_spool::{Chunk, Place, Record};
use nephoscope_telemetry::{Event, Sample, SampleText};

use crate::load::{EVENTS, SAMPLES};
use crate::run::Run;

/// The items of a [`Chunk`].
#[derive(Debug)]
pub(super) struct Batch {
    /// The items, in order.
    pub runs: Vec<Run>,
    /// When the first of them was spooled, in microseconds since 1970.
    pub appended_at: u64,
    /// How many stretches between them are damaged, and lost.
    pub damaged: u64,
    /// The place in the spool behind them.
    pub end: Place,
}

/// No sample is shorter, with the names of the fields that it has to have.
const SHORTEST: usize = 50;

impl Batch {
    pub(super) fn of(chunk: Chunk) -> Self {
        let Chunk { records, appended_at, damaged, end } = chunk;
        Self { runs: runs(records), appended_at, damaged, end }
    }
}

/// What records hold, in order. Only what can be read was ever spooled; should a later version find something else, it
/// costs itself.
fn runs(records: Vec<Record>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for record in records {
        match record.kind {
            SAMPLES => {
                let samples = unpack(&record);
                match runs.last_mut() {
                    Some(Run::Samples(earlier)) => earlier.extend(samples),
                    _ => runs.push(Run::Samples(samples)),
                }
            }
            EVENTS => {
                let text = String::from_utf8_lossy(&record.payload);
                let events = text.lines().filter_map(|line| Event::from_json(line).ok());
                match runs.last_mut() {
                    Some(Run::Events(earlier)) => earlier.extend(events),
                    _ => runs.push(Run::Events(events.collect())),
                }
            }
            other => {
                tracing::error!(
                    "the spool holds records of the kind {other}, which this version cannot read"
                );
            }
        }
    }
    runs
}

fn unpack(record: &Record) -> Vec<Sample> {
    let mut packed = record.payload.as_ref();
    let mut samples = Vec::with_capacity((record.items as usize).min(packed.len() / SHORTEST));
    while !packed.is_empty() {
        let Some(text) = SampleText::unpack(&mut packed) else {
            tracing::error!("behind {} samples a record of the spool cannot be read", samples.len());
            break;
        };
        samples.push(text.to_sample());
    }
    samples
}
