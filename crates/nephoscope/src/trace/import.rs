//! `nephoscope trace import`

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context;
use nephoscope_telemetry::{BadRecord, Registry, TracePoint};
use tokio::sync::mpsc;

use crate::cli::ImportArgs;
use crate::exit::Failure;
use crate::{backend, progress};

/// Points are stored in batches of this size …
const BATCH_POINTS: usize = 5_000;
/// … or of this much text, so that a few huge points do not make a huge batch.
const BATCH_BYTES: usize = 8 << 20;
/// Batches that are read while one is being stored.
const BATCHES_AHEAD: usize = 2;
/// How long a line may be: several times the largest point that was ever seen, and small beside the memory.
const MAX_LINE_BYTES: u64 = 64 << 20;
/// How many bad lines are described; all are counted.
const BAD_SHOWN: u64 = 20;

/// Stores the points of a file. A line that is no trace point is told by its number and passed over.
pub(crate) async fn run(args: ImportArgs, registry: &Registry) -> anyhow::Result<()> {
    let to = backend::chosen(&args.backend)?;
    let (input, length) = open(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let driver = backend::connect(registry, to).await?;
    let bar = progress::bar(if length.is_some() { "bytes" } else { "points" }, length);
    let (batches, mut read) = mpsc::channel(BATCHES_AHEAD);
    let reader = tokio::task::spawn_blocking(move || Lines::new(input).send(&batches));
    let mut stored = 0_u64;
    while let Some(batch) = read.recv().await {
        let Batch { points, bytes } = batch;
        driver.notify(&points).await.with_context(|| format!("{stored} trace points were stored before"))?;
        stored += points.len() as u64;
        bar.inc(if length.is_some() { bytes as u64 } else { points.len() as u64 });
    }
    driver.close().await?;
    bar.finish_and_clear();
    let bad = reader.await.expect("reading does not panic");
    let bad = bad.with_context(|| {
        format!("cannot read on in {}; {stored} trace points are stored", args.file.display())
    })?;
    if bad > 0 {
        return Err(Failure::Partly(format!("{stored} trace points stored, {bad} lines left out")).into());
    }
    tracing::info!("{stored} trace points stored in {to}");
    Ok(())
}

fn open(file: &Path) -> io::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if file == Path::new("-") {
        return Ok((Box::new(io::stdin()), None));
    }
    let file = File::open(file)?;
    let metadata = file.metadata()?;
    Ok((Box::new(file), metadata.is_file().then_some(metadata.len())))
}

#[derive(Default)]
struct Batch {
    points: Vec<TracePoint>,
    bytes: usize,
}

/// Reads the lines of a file into batches.
struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
    number: u64,
    bad: u64,
}

impl<R: Read> Lines<R> {
    fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(1 << 20, input), line: Vec::new(), number: 0, bad: 0 }
    }

    /// Sends all points, and returns how many lines are none. Ends early when nobody receives.
    fn send(mut self, batches: &mpsc::Sender<Batch>) -> io::Result<u64> {
        let mut batch = Batch::default();
        while self.next_line()? {
            batch.bytes += self.line.len();
            let line = self.line.trim_ascii();
            if !line.is_empty() {
                match TracePoint::from_json_bytes(line) {
                    Ok(point) => batch.points.push(point),
                    Err(reason) => self.tell(&reason),
                }
            }
            let full = batch.points.len() >= BATCH_POINTS || batch.bytes >= BATCH_BYTES;
            if full && batches.blocking_send(std::mem::take(&mut batch)).is_err() {
                return Ok(self.bad);
            }
        }
        // Whoever receives has failed if it is gone, and says so itself.
        let _gone = batches.blocking_send(batch);
        Ok(self.bad)
    }

    /// Reads the next line that is not too long; false at the end.
    fn next_line(&mut self) -> io::Result<bool> {
        loop {
            self.line.clear();
            self.number += 1;
            let read = (&mut self.input).take(MAX_LINE_BYTES).read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(false);
            }
            if (read as u64) < MAX_LINE_BYTES || self.line.ends_with(b"\n") {
                return Ok(true);
            }
            self.tell(&BadRecord::whole(format!("is longer than {MAX_LINE_BYTES} bytes")));
            self.line = Vec::new();
            self.input.skip_until(b'\n')?;
        }
    }

    fn tell(&mut self, reason: &BadRecord) {
        self.bad += 1;
        if self.bad <= BAD_SHOWN {
            tracing::warn!("line {} is left out: {reason}", self.number);
        }
    }
}
