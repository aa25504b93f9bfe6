//! `nephoscope trace import`

use anyhow::Context;
use nephoscope_telemetry::{Registry, TracePoint};
use tokio::sync::mpsc;

use crate::cli::ImportArgs;
use crate::exit::Failure;
use crate::lines::Lines;
use crate::{backend, progress};

/// Points are stored in batches of this size …
const BATCH_POINTS: usize = 5_000;
/// … or of this much text, so that a few huge points do not make a huge batch.
const BATCH_BYTES: usize = 8 << 20;
/// Batches that are read while one is being stored.
const BATCHES_AHEAD: usize = 2;

/// Stores the points of a file. A line that is no trace point is told by its number and passed over.
pub(crate) async fn run(args: ImportArgs, registry: &Registry) -> anyhow::Result<()> {
    let to = backend::chosen(&args.backend)?;
    let lines = Lines::open(&args.file)?;
    let length = lines.length();
    let driver = backend::connect(registry, to).await?;
    let bar = progress::bar(if length.is_some() { "bytes" } else { "points" }, length);
    let (batches, mut read) = mpsc::channel(BATCHES_AHEAD);
    let reader = tokio::task::spawn_blocking(move || send(lines, &batches));
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
    let bad = bad.with_context(|| format!("{stored} trace points are stored"))?;
    if bad > 0 {
        return Err(Failure::Partly(format!("{stored} trace points stored, {bad} lines left out")).into());
    }
    tracing::info!("{stored} trace points stored in {to}");
    Ok(())
}

#[derive(Default)]
struct Batch {
    points: Vec<TracePoint>,
    bytes: usize,
}

/// Sends all points, and returns how many lines are none. Ends early when nobody receives.
fn send(mut lines: Lines, batches: &mpsc::Sender<Batch>) -> anyhow::Result<u64> {
    let (mut batch, mut line) = (Batch::default(), Vec::new());
    while let Some(read) = lines.read(&mut line)? {
        batch.bytes += read;
        let line = line.trim_ascii();
        if !line.is_empty() {
            match TracePoint::from_json_bytes(line) {
                Ok(point) => batch.points.push(point),
                Err(reason) => lines.tell(None, reason),
            }
        }
        let full = batch.points.len() >= BATCH_POINTS || batch.bytes >= BATCH_BYTES;
        if full && batches.blocking_send(std::mem::take(&mut batch)).is_err() {
            return Ok(lines.bad());
        }
    }
    // Whoever receives has failed if it is gone, and says so itself.
    let _gone = batches.blocking_send(batch);
    Ok(lines.bad())
}
