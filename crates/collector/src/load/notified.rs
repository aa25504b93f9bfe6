//! What comes in notifications: a part of a message, of which nothing is to be kept when the rest turns out to be broken.

use nephoscope_telemetry::SampleText;
use nephoscope_telemetry::json::{self, InvalidJson, Scanner};

use super::{Gathered, Load};
use crate::Verifier;

/// What a [`Load`] holds at some moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    samples: (usize, u32),
    events: (usize, u32),
    bad: usize,
}

impl Load {
    /// With room for samples that have so many bytes in all.
    pub(crate) fn with_room(bytes: usize) -> Self {
        Self { samples: Gathered { bytes: Vec::with_capacity(bytes), count: 0 }, ..Self::default() }
    }

    /// As [`samples`](Self::samples), of the array that is next, which is passed. Where it is no JSON nothing that it held
    /// is to be kept.
    pub(crate) fn samples_at(
        &mut self,
        scanner: &mut Scanner<'_>,
        verifier: Option<&Verifier>,
    ) -> Result<(), InvalidJson> {
        let mut items = json::items_at(scanner.clone());
        while let Some(item) = items.next_by(SampleText::read) {
            let (text, read) = item.map_err(|broken| broken.error)?;
            self.take_sample(text, read, verifier);
        }
        *scanner = items.behind();
        Ok(())
    }

    /// What it holds now, to go [back](Self::go_back) to.
    pub(crate) fn mark(&self) -> Mark {
        Mark { samples: self.samples.end(), events: self.events.end(), bad: self.bad.len() }
    }

    /// Lets go of what it took since.
    pub(crate) fn go_back(&mut self, mark: Mark) {
        self.samples.cut(mark.samples);
        self.events.cut(mark.events);
        self.bad.truncate(mark.bad);
    }
}

impl Gathered {
    fn end(&self) -> (usize, u32) {
        (self.bytes.len(), self.count)
    }

    fn cut(&mut self, (bytes, count): (usize, u32)) {
        self.bytes.truncate(bytes);
        self.count = count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::tests::{EVENT, SAMPLE, lines};

    #[test]
    fn what_turns_out_to_be_broken_is_let_go_of() {
        let mut load = Load::default();
        load.samples(SAMPLE, None);
        let mark = load.mark();
        let text = format!("[{SAMPLE}, 5, {SAMPLE}] behind");
        let mut scanner = Scanner::new(&text);
        load.samples_at(&mut scanner, None).unwrap();
        load.event(EVENT, None);
        assert_eq!(scanner.rest(), " behind");
        load.go_back(mark);
        assert!(load.samples_at(&mut Scanner::new(&format!("[{SAMPLE} {SAMPLE}]")), None).is_err());
        load.go_back(mark);
        let packed = load.pack();
        assert_eq!((packed.samples, packed.events, packed.bad.len()), (1, 0, 0));
        assert_eq!(lines(&packed.records[0]), [SAMPLE]);
    }
}
