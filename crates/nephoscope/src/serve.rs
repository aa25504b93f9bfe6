//! `nephoscope serve`

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use nephoscope_server::{Doors, GnocchiOf, GnocchiSettings, Protocol, Traces};
use nephoscope_store::Store;
use nephoscope_telemetry::{Error, Registry};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::backend;
use crate::cli::ServeArgs;
use crate::config::Config;
use crate::door::Door;
use crate::metrics;
use crate::samples::Samples;
use crate::source::Sources;

/// Runs the daemon until it is told to stop.
pub async fn run(args: ServeArgs, registry: &Registry) -> anyhow::Result<()> {
    let config = Config::read(&args.config, registry)?;
    let http = listen(&config.listen.value, "--listen").await?;
    let grpc = match &config.otlp_grpc_listen.value {
        Some(address) => Some(listen(address, "--otlp-grpc-listen").await?),
        None => None,
    };
    let traces = connect(&config, registry).await?;
    let store = metrics::open(&config.data_dir.value, config.store.options()).await?;
    if config.store.default_archive_policies.value {
        metrics::make_default_policies(&store).await?;
    }
    let samples = Samples::open(&config.samples, &config.data_dir.value, &store).await?;
    let door = open_door(&config.data_dir.value, &store);
    let sources = Sources::open(config.sources.iter().map(|source| &source.value)).await?;
    let gnocchi = (metrics::gnocchi_of(store), config.api.settings());
    answer(Listeners { http, grpc, door }, traces, gnocchi, samples, sources).await
}

/// Without a door all is as it should be, but for backups.
fn open_door(data_dir: &Path, store: &Store) -> Option<Door> {
    Door::open(&metrics::place(data_dir), store.clone())
        .inspect_err(|error| {
            tracing::warn!("`nephoscope store backup` works only while the daemon is stopped: no socket can be made: {error}");
        })
        .ok()
}

/// The ways into the daemon.
#[derive(Debug)]
pub struct Listeners {
    /// Of HTTP.
    pub http: TcpListener,
    /// Of OTLP over gRPC.
    pub grpc: Option<TcpListener>,
    /// For commands on this machine.
    pub door: Option<Door>,
}

/// Listens on an address and port, which this flag chooses.
pub async fn listen(address: &str, flag: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; is another nephoscope running? choose another with {flag}")
    })?;
    let local = listener.local_addr()?;
    if !local.ip().is_loopback() {
        tracing::warn!(
            "{local} can be reached from other machines, and whoever reaches it may read, write and delete traces"
        );
    }
    Ok(listener)
}

async fn connect(config: &Config, registry: &Registry) -> Result<Traces, Error> {
    let mut drivers = Vec::new();
    for driver in &config.trace_drivers.value {
        let to = backend::locate(driver, &config.data_dir.value);
        let connected = registry.connect(&to).await?;
        drivers.push((to, connected));
    }
    Ok(Traces::new(drivers))
}

/// Answers requests and takes in what the sources have until SIGTERM or SIGINT, then ends what is in hand and lets go of
/// the backends.
pub async fn answer(
    listeners: Listeners,
    traces: Traces,
    (gnocchi, settings): (GnocchiOf, GnocchiSettings),
    samples: Samples,
    sources: Sources,
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (stop, stopped) = watch::channel(());
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down");
        drop(stop);
    });
    let traces = Arc::new(traces);
    let intake = samples.intake.clone();
    let doors = Doors::new(traces.clone(), Some(intake.clone()), sources.counts(), samples.counts())
        .with_gnocchi(gnocchi, settings);
    let http: SocketAddr = listeners.http.local_addr()?;
    let http_router = nephoscope_server::router(&doors);
    let taking_in = sources.run(&intake, &traces, stopped.clone());
    let serving_http =
        nephoscope_server::serve(listeners.http, Protocol::Http1, http_router, end_of(stopped.clone()));
    let serving_grpc = async {
        if let Some(listener) = listeners.grpc {
            tracing::info!("listening on {} for OTLP over gRPC", listener.local_addr()?);
            let ended = end_of(stopped.clone());
            nephoscope_server::serve(listener, Protocol::Http2, doors.grpc(), ended).await;
        }
        anyhow::Ok(())
    };
    let backing_up = async {
        if let Some(door) = listeners.door {
            tokio::select! {
                () = door.answer() => {}
                () = end_of(stopped.clone()) => {}
            }
        }
    };
    // The last port that is told is the sign that all are there.
    let serving_http = async {
        tracing::info!("listening on http://{http}");
        serving_http.await;
    };
    // What was taken in to the very end is sent on, too.
    let (all_in, is_all_in) = watch::channel(());
    let taking_all_in = async {
        let (served, (), ()) = tokio::join!(serving_grpc, taking_in, serving_http);
        drop(all_in);
        served
    };
    let (served, (), ()) = tokio::join!(taking_all_in, backing_up, samples.run(is_all_in));
    served?;
    traces.close().await.context("the shutdown was not clean")
}

/// Waits until the other end of the channel is dropped.
pub(crate) async fn end_of(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}
