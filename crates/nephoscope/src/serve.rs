//! `nephoscope serve`

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use nephoscope_gnocchi::Creator;
use nephoscope_server::{Doors, GnocchiOf, GnocchiSettings, Protocol, Statsd, StatsdSettings, Traces};
use nephoscope_store::Store;
use nephoscope_telemetry::{Error, Registry};
use tokio::net::{TcpListener, UdpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::backend;
use crate::cli::ServeArgs;
use crate::config::Config;
use crate::door::Door;
use crate::metrics;
use crate::samples::Samples;
use crate::source::Sources;
use crate::systemd::Notifier;
use crate::watch::{Parts, Watch};

/// Runs the daemon until it is told to stop.
pub async fn run(args: ServeArgs, registry: &Registry) -> anyhow::Result<()> {
    let config = Config::read(&args.config, registry)?;
    if config.samples.dispatchers.value.iter().all(|to| to.scheme() != "embedded") {
        refuse_huge_pages();
    }
    let http = listen(&config.listen.value, "--listen").await?;
    let grpc = match &config.otlp_grpc_listen.value {
        Some(address) => Some(listen(address, "--otlp-grpc-listen").await?),
        None => None,
    };
    let traces = connect(&config, registry).await?;
    let store = metrics::open_configured(&config).await?;
    let samples = Samples::open(&config.samples, &config.data_dir.value, &store).await?;
    let door = open_door(&config.data_dir.value, &store);
    let statsd = match config.statsd.settings() {
        Some(settings) => Some(open_statsd(&config.statsd.listen.value, &store, settings).await?),
        None => None,
    };
    let sources = Sources::open(config.sources.iter().map(|source| &source.value)).await?;
    let gnocchi = (metrics::gnocchi_of(store), config.api.settings(&config.keystone));
    answer(Listeners { http, grpc, door, statsd }, traces, gnocchi, samples, sources).await
}

/// What only passes through is held for a moment in many small pieces. In huge pages a third more memory would be kept for
/// it, and nothing were faster; a store that takes measures in is.
fn refuse_huge_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!("huge pages cannot be turned off: {error}");
    }
}

/// Without a door all is as it should be, but for backups.
fn open_door(data_dir: &Path, store: &Store) -> Option<Door> {
    Door::open(&metrics::place(data_dir), store.clone())
        .inspect_err(|error| {
            tracing::warn!("`nephoscope store backup` works only while the daemon is stopped: no socket can be made: {error}");
        })
        .ok()
}

async fn open_statsd(
    address: &str,
    store: &Store,
    (creator, settings): (Creator, StatsdSettings),
) -> anyhow::Result<(Statsd, UdpSocket)> {
    let socket = UdpSocket::bind(address).await;
    let socket = socket.with_context(|| {
        format!(
            "cannot listen on {address} for statsd; is another program? choose another with [statsd] `listen`"
        )
    })?;
    let local = socket.local_addr()?;
    if !local.ip().is_loopback() {
        tracing::warn!(
            "{local} can be reached from other machines, and whoever reaches it may write measures"
        );
    }
    let statsd = Statsd::new(Arc::new(store.as_user(creator)), settings);
    statsd.make_resource().await.context("cannot make the resource of statsd's metrics")?;
    Ok((statsd, socket))
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
    /// For statsd.
    pub statsd: Option<(Statsd, UdpSocket)>,
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
    let mut counts = sources.counts();
    if let Some((statsd, socket)) = &listeners.statsd {
        counts.push(statsd.counts(format!("statsd://{}", socket.local_addr()?)));
    }
    let parts = Arc::new(Parts::default());
    let notifier = Arc::new(Notifier::from_environment());
    let watch = Watch {
        notifier: notifier.clone(),
        parts: parts.clone(),
        gnocchi: gnocchi(Creator::default()),
        intake: intake.clone(),
        dispatchers: samples.counts(),
    };
    let doors = Doors::new(traces.clone(), Some(intake.clone()), counts, samples.counts())
        .with_gnocchi(gnocchi, settings);
    let http: SocketAddr = listeners.http.local_addr()?;
    let http_router = nephoscope_server::router(&doors);
    let taking_in = sources.run(&intake, &traces, stopped.clone(), &parts);
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
    let taking_statsd = async {
        if let Some((statsd, socket)) = listeners.statsd {
            tracing::info!("listening on {} for statsd", socket.local_addr()?);
            statsd.run(socket, end_of(stopped.clone())).await;
        }
        anyhow::Ok(())
    };
    // The last port that is told is the sign that all are there.
    let serving_http = async {
        tracing::info!("listening on http://{http}");
        notifier.ready(&format!("listening on http://{http}"));
        serving_http.await;
    };
    let watching = async {
        tokio::select! {
            () = watch.run() => {}
            () = end_of(stopped.clone()) => notifier.stopping(),
        }
    };
    // What was taken in to the very end is sent on, too.
    let (all_in, is_all_in) = watch::channel(());
    let taking_all_in = async {
        let (served, (), ()) = tokio::join!(serving_grpc, taking_in, serving_http);
        drop(all_in);
        served
    };
    let sending = samples.run(is_all_in, &parts);
    let (served, taken, (), (), ()) =
        tokio::join!(taking_all_in, taking_statsd, backing_up, sending, watching);
    served?;
    taken?;
    traces.close().await.context("the shutdown was not clean")
}

/// Waits until the other end of the channel is dropped.
pub(crate) async fn end_of(mut stopped: watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}
