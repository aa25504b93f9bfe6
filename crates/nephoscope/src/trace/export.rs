//! `nephoscope trace export`

use std::io::Write;

use anyhow::Context;
use nephoscope_telemetry::Registry;

use super::{selection, warn_of};
use crate::cli::ExportArgs;
use crate::exit::Failure;
use crate::{backend, output, progress};

/// Writes trace points as JSON lines, each as OSProfiler writes it, those of a trace together.
pub(crate) async fn run(args: ExportArgs, registry: &Registry) -> anyhow::Result<()> {
    let from = backend::chosen(&args.backend)?;
    let driver = backend::connect(registry, from).await?;
    let ids = selection::ids(&args.selection, &*driver).await?;
    let mut out = output::open(args.out.as_deref())?;
    let bar = progress::bar("traces", Some(ids.len() as u64));
    let mut line = String::new();
    let (mut written, mut bad) = (0_u64, 0);
    for base_id in &ids {
        let points = driver.points(base_id).await?;
        warn_of(&points.bad, base_id);
        bad += points.bad.count();
        for point in &points.good {
            line.clear();
            point.write_json(&mut line);
            line.push('\n');
            out.write_all(line.as_bytes()).context("cannot write the trace points")?;
            written += 1;
        }
        bar.inc(1);
    }
    out.flush().context("cannot write the trace points")?;
    bar.finish_and_clear();
    driver.close().await?;
    if let (Some(id), 0, 0) = (&args.selection.id, written, bad) {
        return Err(Failure::NotFound(format!(
            "trace {id} is not in {from}; `nephoscope trace list` shows what is"
        ))
        .into());
    }
    if bad > 0 {
        return Err(Failure::Partly(format!("{written} trace points written, {bad} records left out")).into());
    }
    Ok(())
}
