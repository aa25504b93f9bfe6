//! `nephoscope trace copy`

use nephoscope_telemetry::{Driver, Id, Registry, Result, TracePoint};

use super::{selection, warn_of};
use crate::cli::CopyArgs;
use crate::exit::Failure;
use crate::{backend, progress};

/// Points are stored in batches of about this size, across traces: most traces are small.
const BATCH_POINTS: usize = 2_000;

/// Copies traces. What is in the target already is stored again, which does no harm.
pub(crate) async fn run(args: CopyArgs, registry: &Registry) -> anyhow::Result<()> {
    let from = backend::connect(registry, &args.from.0).await?;
    let to = backend::connect(registry, &args.to.0).await?;
    let ids = selection::ids(&args.selection, &*from).await?;
    let copied = copy(&ids, &*from, &*to).await?;
    to.close().await?;
    from.close().await?;
    if let (Some(id), 0, 0) = (&args.selection.id, copied.points, copied.bad) {
        let message = format!("trace {id} is not in {}; `nephoscope trace list` shows what is", args.from.0);
        return Err(Failure::NotFound(message).into());
    }
    if copied.bad > 0 {
        let message = format!("{} trace points copied, {} records left out", copied.points, copied.bad);
        return Err(Failure::Partly(message).into());
    }
    tracing::info!("{} trace points of {} traces copied", copied.points, ids.len());
    Ok(())
}

#[derive(Default)]
struct Copied {
    points: u64,
    bad: u64,
}

async fn copy(ids: &[Id], from: &dyn Driver, to: &dyn Driver) -> Result<Copied> {
    let bar = progress::bar("traces", Some(ids.len() as u64));
    let mut copied = Copied::default();
    let mut waiting: Vec<TracePoint> = Vec::new();
    for base_id in ids {
        let points = from.points(base_id).await?;
        warn_of(&points.bad, base_id);
        copied.bad += points.bad.count();
        copied.points += points.good.len() as u64;
        waiting.extend(points.good);
        if waiting.len() >= BATCH_POINTS {
            store(&waiting, to).await?;
            waiting.clear();
        }
        bar.inc(1);
    }
    store(&waiting, to).await?;
    bar.finish_and_clear();
    Ok(copied)
}

async fn store(points: &[TracePoint], to: &dyn Driver) -> Result<()> {
    for batch in points.chunks(BATCH_POINTS) {
        to.notify(batch).await?;
    }
    Ok(())
}
