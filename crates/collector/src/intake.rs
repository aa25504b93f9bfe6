//! The one end of all sources: what they bring is spooled, and then they may let go of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nephoscope_spool::{Spool, Stats};
use nephoscope_telemetry::Result;

use crate::{DeadLetters, Letter, Packed, Verifier};

/// Takes in samples and events. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Intake(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    spool: Spool,
    verifier: Option<Verifier>,
    dead_letters: DeadLetters,
    counts: IntakeCounts,
}

/// What was taken in. Goes on changing.
#[derive(Debug, Default)]
pub struct IntakeCounts {
    /// Samples that are spooled.
    pub samples: AtomicU64,
    /// Events that are spooled.
    pub events: AtomicU64,
    /// What was no sample and no event, or not signed as it has to be.
    pub bad: AtomicU64,
}

impl Intake {
    /// Into this spool; what cannot be taken goes to the dead letters.
    pub fn new(spool: Spool, verifier: Option<Verifier>, dead_letters: DeadLetters) -> Self {
        Self(Arc::new(Shared { spool, verifier, dead_letters, counts: IntakeCounts::default() }))
    }

    /// What signatures are verified with, if they are.
    pub fn verifier(&self) -> Option<&Verifier> {
        self.0.verifier.as_ref()
    }

    /// Its counts, which go on changing.
    pub fn counts(&self) -> &IntakeCounts {
        &self.0.counts
    }

    /// What the spool holds.
    pub fn spooled(&self) -> Stats {
        self.0.spool.stats()
    }

    /// Takes all of it. `Ok` means that it is on disk: in the spool or, what is bad, among the dead letters. Waits while
    /// the spool is full. After an error all of it may come again.
    pub async fn take(&self, source: &str, packed: &Packed) -> Result<()> {
        // First what is good: when the spool is away the same comes again, and is put aside once only.
        self.0.spool.append(&packed.records).await?;
        let letters = packed.bad.iter();
        let letters: Vec<_> =
            letters.map(|bad| Letter { text: &bad.text, by: source, reason: &bad.reason }).collect();
        self.0.dead_letters.keep(&letters).await?;
        if let Some(first) = packed.bad.first() {
            tracing::warn!(
                "{source}: {} could not be taken in, now in {}; the first because {}",
                packed.bad.len(),
                self.0.dead_letters.path().display(),
                first.reason
            );
        }
        let counts = &self.0.counts;
        counts.samples.fetch_add(packed.samples.into(), Ordering::Relaxed);
        counts.events.fetch_add(packed.events.into(), Ordering::Relaxed);
        counts.bad.fetch_add(packed.bad.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}
