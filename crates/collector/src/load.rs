//! What a source took in, on its way to the spool.

#[cfg(feature = "messaging")]
mod notified;

use memchr::memchr2;
use nephoscope_spool::Record;
use nephoscope_telemetry::json::{self, Items};
use nephoscope_telemetry::{BadRecord, Event, SampleText};

use crate::Verifier;

/// The kind of a [`Record`] whose items are events, a line each.
pub(crate) const EVENTS: u8 = 2;
/// The kind of a [`Record`] whose items are samples, [packed](SampleText::pack).
pub(crate) const SAMPLES: u8 = 3;

/// Samples and events as the texts they came as, each looked at once: what is none, or whose signature does not fit, is put
/// aside.
#[derive(Debug, Default)]
pub struct Load {
    samples: Gathered,
    events: Gathered,
    bad: Vec<Bad>,
}

/// A [`Load`] that is ready to be spooled.
#[derive(Debug, Default)]
pub struct Packed {
    /// The records that hold what is good.
    pub(crate) records: Vec<Record>,
    /// What is not.
    pub(crate) bad: Vec<Bad>,
    pub(crate) samples: u32,
    pub(crate) events: u32,
}

impl Packed {
    /// How many samples, how many events, and how many bad ones.
    pub fn counts(&self) -> (u32, u32, usize) {
        (self.samples, self.events, self.bad.len())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.bad.is_empty()
    }
}

/// What cannot be taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// As it came: JSON, unless it is damaged.
    pub text: String,
    /// Why.
    pub reason: String,
}

/// Items of one kind, ready to be the payload of a record.
#[derive(Debug, Default)]
struct Gathered {
    bytes: Vec<u8>,
    count: u32,
}

impl Load {
    /// Takes the JSON object of a sample.
    pub fn sample(&mut self, text: &str, verifier: Option<&Verifier>) {
        self.take_sample(text, SampleText::of(text), verifier);
    }

    /// Takes the JSON object of an event.
    pub fn event(&mut self, text: &str, verifier: Option<&Verifier>) {
        let checked = Event::from_json(text).map_err(|bad| format!("it is no event: {bad}"));
        match checked.and_then(|_| verify(text, verifier)) {
            Ok(()) => self.events.push_line(text),
            Err(reason) => self.bad.push(Bad { text: text.to_owned(), reason }),
        }
    }

    /// Takes a JSON array of samples, or a single one: what Ceilometer's publishers send. Behind broken JSON nothing is
    /// found, and all that is left is put aside as one.
    pub fn samples(&mut self, text: &str, verifier: Option<&Verifier>) {
        if is_array(text) {
            self.each_sample(json::items(text), verifier);
        } else {
            self.sample(text.trim(), verifier);
        }
    }

    /// As [`samples`](Self::samples), of events.
    pub fn events(&mut self, text: &str, verifier: Option<&Verifier>) {
        if !is_array(text) {
            return self.event(text.trim(), verifier);
        }
        for item in json::items(text) {
            match item {
                Ok(item) => self.event(item, verifier),
                Err(broken) => self.refuse(broken.rest, &broken.to_string()),
            }
        }
    }

    fn each_sample(&mut self, mut items: Items<'_>, verifier: Option<&Verifier>) {
        while let Some(item) = items.next_by(SampleText::read) {
            match item {
                Ok((text, read)) => self.take_sample(text, read, verifier),
                Err(broken) => self.refuse(broken.rest, &broken.to_string()),
            }
        }
    }

    fn take_sample(
        &mut self,
        text: &str,
        read: Result<SampleText<'_>, BadRecord>,
        verifier: Option<&Verifier>,
    ) {
        let read = read.map_err(|bad| format!("it is no sample: {bad}"));
        match read.and_then(|sample| verify(text, verifier).map(|()| sample)) {
            Ok(sample) => self.samples.push(&sample),
            Err(reason) => self.bad.push(Bad { text: text.to_owned(), reason }),
        }
    }

    /// Puts something aside.
    pub fn refuse(&mut self, text: &str, reason: &str) {
        self.bad.push(Bad { text: text.to_owned(), reason: reason.to_owned() });
    }

    /// Ready to be spooled.
    pub fn pack(self) -> Packed {
        let record = |kind, items: Gathered| Record { kind, items: items.count, payload: items.bytes.into() };
        let (samples, events) = (self.samples.count, self.events.count);
        let records = [record(SAMPLES, self.samples), record(EVENTS, self.events)];
        let records = records.into_iter().filter(|record| record.items > 0).collect();
        Packed { records, bad: self.bad, samples, events }
    }
}

impl Gathered {
    fn push(&mut self, sample: &SampleText<'_>) {
        sample.pack(&mut self.bytes);
        self.count += 1;
    }

    /// White space between tokens may be a line break; within a string none can be.
    fn push_line(&mut self, text: &str) {
        if memchr2(b'\n', b'\r', text.as_bytes()).is_some() {
            self.bytes.extend(text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
        } else {
            self.bytes.extend(text.as_bytes());
        }
        self.bytes.push(b'\n');
        self.count += 1;
    }
}

fn is_array(text: &str) -> bool {
    text.trim_start().starts_with('[')
}

fn verify(text: &str, verifier: Option<&Verifier>) -> Result<(), String> {
    verifier.map_or(Ok(()), |verifier| verifier.verify(text)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(super) const SAMPLE: &str = r#"{"counter_name": "cpu", "counter_volume": 1, "resource_id": "vm", "timestamp": "2026-01-02T03:04:05"}"#;
    pub(super) const EVENT: &str =
        r#"{"message_id": "m", "event_type": "e", "generated": "2026-01-02T03:04:05", "traits": []}"#;

    pub(super) fn lines(record: &Record) -> Vec<String> {
        if record.kind == EVENTS {
            return std::str::from_utf8(&record.payload).unwrap().lines().map(str::to_owned).collect();
        }
        let mut packed = record.payload.as_ref();
        let unpack = || Some(SampleText::unpack(&mut packed)?.as_str().to_owned());
        std::iter::from_fn(unpack).collect()
    }

    #[test]
    fn samples_and_events_become_records_of_lines() {
        let mut load = Load::default();
        load.samples(&format!(" [{SAMPLE}, {}]", SAMPLE.replace(", ", ",\r\n")), None);
        load.event(EVENT, None);
        load.samples(SAMPLE, None);
        let packed = load.pack();
        assert_eq!((packed.samples, packed.events, packed.bad.len()), (3, 1, 0));
        let records = packed.records;
        assert_eq!(
            records.iter().map(|record| (record.kind, record.items)).collect::<Vec<_>>(),
            [(SAMPLES, 3), (EVENTS, 1)]
        );
        assert_eq!(lines(&records[0]), [SAMPLE, &SAMPLE.replace(", ", ","), SAMPLE]);
        assert_eq!(lines(&records[1]), [EVENT]);
        assert!(Load::default().pack().is_empty());
    }

    #[test]
    fn what_is_broken_costs_itself() {
        let mut load = Load::default();
        load.samples(&format!("[{SAMPLE}, 5, {EVENT}, {SAMPLE}, {{x}}, {SAMPLE}]"), None);
        load.events(&format!("[{EVENT} {EVENT}]"), None);
        let packed = load.pack();
        assert_eq!((packed.samples, packed.events), (2, 1));
        let bad = packed.bad;
        let reasons: Vec<_> = bad.iter().map(|bad| bad.reason.as_str()).collect();
        assert!(reasons[0].starts_with("it is no sample: is JSON, but no object"), "{reasons:?}");
        assert!(reasons[1].contains("`counter_name` is missing"), "{reasons:?}");
        assert!(reasons[2].starts_with("the array is not JSON from here on"), "{reasons:?}");
        assert!(bad[2].text.contains("{x}"));
        assert!(reasons[3].contains("expected a comma"), "{reasons:?}");
    }

    #[test]
    fn a_secret_is_asked_for() {
        let verifier = Verifier::new("s3cret");
        let mut load = Load::default();
        load.sample(SAMPLE, verifier.as_ref());
        load.event(EVENT, verifier.as_ref());
        let packed = load.pack();
        assert_eq!((packed.records.len(), packed.bad.len()), (0, 2));
        assert!(packed.bad.iter().all(|bad| bad.reason.contains("telemetry_secret")));
    }

    proptest! {
        #[test]
        fn every_line_is_one_item_again(text in r#"[\[\]{},:"a-z0-9\\ \n\r]*"#) {
            let mut load = Load::default();
            load.samples(&text, None);
            load.samples(&format!("[{SAMPLE}{text}, {SAMPLE}]"), None);
            for record in load.pack().records {
                let lines = lines(&record);
                prop_assert_eq!(lines.len(), record.items as usize);
                for line in lines {
                    prop_assert!(SampleText::of(&line).is_ok());
                }
            }
        }
    }
}
