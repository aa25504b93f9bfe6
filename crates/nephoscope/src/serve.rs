//! `nephoscope serve`

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use nephoscope_server::Traces;
use nephoscope_telemetry::{Error, Registry};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::backend;
use crate::cli::ServeArgs;
use crate::config::Config;

/// Runs the daemon until it is told to stop.
pub async fn run(args: ServeArgs, registry: &Registry) -> anyhow::Result<()> {
    let config = Config::read(&args.config, registry)?;
    let listener = listen(&config.listen.value).await?;
    let traces = connect(&config, registry).await?;
    answer(listener, traces).await
}

/// Listens on an address and port.
pub async fn listen(address: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; is another nephoscope running? choose another with --listen")
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

/// Answers requests until SIGTERM or SIGINT, then ends those in hand and lets go of the backends.
pub async fn answer(listener: TcpListener, traces: Traces) -> anyhow::Result<()> {
    let local: SocketAddr = listener.local_addr()?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down");
    };
    let traces = Arc::new(traces);
    tracing::info!("listening on http://{local}");
    nephoscope_server::serve(listener, nephoscope_server::router(traces.clone()), shutdown).await;
    traces.close().await.context("the shutdown was not clean")
}
