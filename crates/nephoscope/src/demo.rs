//! `nephoscope demo`

mod metered;

use std::io::{self, Write};
use std::sync::Arc;

use anyhow::Context;
use nephoscope_gnocchi::Creator;
use nephoscope_server::{GnocchiSettings, Traces};
use nephoscope_store::{Options, Store};
use nephoscope_telemetry::{Batch, Id, Registry};
use tokio::net::TcpListener;

use crate::backend;
use crate::cli::DemoArgs;
use crate::config;
use crate::samples::Samples;
use crate::source::Sources;
use crate::{metrics, samples, serve, show, terminal};

/// Recorded from the real OSProfiler 4.4; `demo/record.py` made it.
const RECORDED: &str = include_str!("../demo/traces.jsonl");

/// Serves a throw-away store with recorded traces, after showing one of them.
pub async fn run(args: DemoArgs, registry: &Registry) -> anyhow::Result<()> {
    let directory = tempfile::tempdir().context("cannot make a directory for the throw-away store")?;
    let place = directory.path().to_string_lossy().into_owned();
    let to = backend::locate(&"embedded://".parse()?, directory.path());
    let driver = registry.connect(&to).await?;
    let traces = Traces::new(vec![(to, Arc::clone(&driver))]);
    let batch = Batch::read(RECORDED.as_bytes());
    traces.ingest(&batch.points).await?;
    let shown = batch.points.first().map(|point| point.base_id.clone()).context("no trace is bundled")?;
    let listener = match TcpListener::bind(&args.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!("cannot listen on {}: {error}; taking any free port", args.listen);
            serve::listen("127.0.0.1:0", "--listen").await?
        }
    };
    let store = metrics::open(directory.path(), Options::default()).await?;
    metrics::make_default_policies(&store).await?;
    let around = samples::around(directory.path(), &store)?;
    let dispatcher = nephoscope_dispatchers::connect(&"embedded://".parse()?, &around).await?;
    metered::send(&*dispatcher).await?;
    drop(dispatcher);
    let url = format!("http://{}", listener.local_addr()?);
    introduce(&traces, &shown, &url, &place).await?;
    introduce_samples(&store, &url).await?;
    let samples = Samples::open(&config::Samples::default(), directory.path(), &store).await?;
    let gnocchi = (metrics::gnocchi_of(store), GnocchiSettings::default());
    serve::answer(
        serve::Listeners { http: listener, grpc: None, door: None, statsd: None },
        traces,
        gnocchi,
        samples,
        Sources::default(),
    )
    .await
}

async fn introduce(traces: &Traces, shown: &Id, url: &str, place: &str) -> anyhow::Result<()> {
    let report = traces.points(shown).await?.into_report();
    let mut out = io::stdout().lock();
    show::write_tree(&report, terminal::style(), &mut out)?;
    writeln!(
        out,
        "
This trace was recorded from OSProfiler, stored in {place}
and read back. It and others are served until you press Ctrl-C:

    curl {url}/api/traces                     all of them, newest first
    curl '{url}/api/traces?errors=true'       those with an exception
    curl {url}/api/traces/{shown}
                                                                the report, as osprofiler shows it as JSON
    curl {url}/metrics                        the daemon's own metrics

Send your own: curl --data-binary @points.jsonl {url}/api/trace-points
Read what OSProfiler has stored already:
    nephoscope trace list --connection-string redis://127.0.0.1:6379
    nephoscope trace show ID --connection-string redis://127.0.0.1:6379 --html --out trace.html
"
    )?;
    out.flush()?;
    Ok(())
}

async fn introduce_samples(store: &Store, url: &str) -> anyhow::Result<()> {
    let mut table = Vec::new();
    metered::show(&store.as_user(Creator::default()), &mut table).await?;
    let mut out = io::stdout().lock();
    out.write_all(&table)?;
    let instance = format!("{url}/v1/resource/instance/{}", metered::INSTANCE);
    writeln!(
        out,
        "
An hour of this machine was recorded from Ceilometer, and is served as Gnocchi would:

    curl {instance}
    curl '{instance}/metric/cpu/measures?aggregation=rate:mean'
    openstack metric resource list                              with gnocchiclient, as for any Gnocchi

Send your own:
    nephoscope sample send --meter hardware.temperature --resource rack-7 --volume 21.5 --to {url}
    nephoscope sample import samples.jsonl --to {url}"
    )?;
    out.flush()?;
    Ok(())
}
