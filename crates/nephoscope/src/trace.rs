//! `nephoscope trace …`

mod copy;
mod export;
mod import;
mod list;
mod purge;
mod selection;
mod show;

use nephoscope_telemetry::{BadPoints, Registry};

use crate::cli::TraceCommand;

/// Runs one of the trace commands.
pub async fn run(command: TraceCommand, registry: &Registry) -> anyhow::Result<()> {
    match command {
        TraceCommand::Show(args) => show::run(args, registry).await,
        TraceCommand::List(args) => list::run(args, registry).await,
        TraceCommand::Import(args) => import::run(args, registry).await,
        TraceCommand::Export(args) => export::run(args, registry).await,
        TraceCommand::Copy(args) => copy::run(args, registry).await,
        TraceCommand::Purge(args) => purge::run(args, registry).await,
    }
}

/// Tells on standard error what in a trace could not be read.
fn warn_of(bad: &BadPoints, base_id: &nephoscope_telemetry::Id) {
    for reason in bad.first() {
        tracing::warn!("a record of trace {base_id} is left out: {reason}");
    }
    let untold = bad.count() - bad.first().len() as u64;
    if untold > 0 {
        tracing::warn!("{untold} more records of trace {base_id} are left out");
    }
}
