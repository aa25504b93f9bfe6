//! `nephoscope trace purge`

use nephoscope_telemetry::Registry;

use crate::backend;
use crate::cli::PurgeArgs;

/// Deletes old traces.
pub(crate) async fn run(args: PurgeArgs, registry: &Registry) -> anyhow::Result<()> {
    let driver = backend::connect(registry, backend::chosen(&args.backend)?).await?;
    let purged = driver.purge(args.older_than).await?;
    driver.close().await?;
    tracing::info!("{} traces deleted whose latest point is before {}", purged.traces, args.older_than);
    Ok(())
}
