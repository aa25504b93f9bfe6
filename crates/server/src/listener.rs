//! Connections: how many, how slow they may be, and how they end.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many connections are open at a time; more wait in the listener's queue. Well below the usual limit of 1,024
/// open files, and each may hold a body.
const MAX_CONNECTIONS: usize = 512;
/// How long a client may take to send the head of a request, so that slow ones do not hold their connections.
const HEAD_TIME_LIMIT: Duration = Duration::from_secs(30);
/// How long a connection of HTTP/2 may be silent until it is asked whether it lives, and how long it may take to answer.
const PING_INTERVAL: Duration = Duration::from_secs(60);
const PING_TIME_LIMIT: Duration = Duration::from_secs(20);
/// How long requests in hand may take to end after the shutdown began.
pub const SHUTDOWN_TIME_LIMIT: Duration = Duration::from_secs(30);
/// The pause after an accept that failed, which mostly means that no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is spoken on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 from the first byte, as gRPC has it.
    Http2,
}

/// Answers requests until `shutdown` ends, then ends those in hand within [`SHUTDOWN_TIME_LIMIT`].
pub async fn serve(
    listener: TcpListener,
    protocol: Protocol,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, permit)) => answer(stream, protocol, permit, router.clone(), &graceful),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(SHUTDOWN_TIME_LIMIT, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests in hand did not end within {} s", SHUTDOWN_TIME_LIMIT.as_secs());
    }
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = connections.clone().acquire_owned().await.expect("the semaphore is never closed");
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

fn answer(
    stream: TcpStream,
    protocol: Protocol,
    permit: OwnedSemaphorePermit,
    router: Router,
    graceful: &GracefulShutdown,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let (stream, service) = (TokioIo::new(stream), TowerToHyperService::new(router));
    match protocol {
        Protocol::Http1 => {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME_LIMIT)
                .serve_connection(stream, service);
            run(graceful.watch(connection), permit);
        }
        Protocol::Http2 => {
            let connection = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(PING_INTERVAL)
                .keep_alive_timeout(PING_TIME_LIMIT)
                .serve_connection(stream, service);
            run(graceful.watch(connection), permit);
        }
    }
}

fn run(connection: impl Future<Output = hyper::Result<()>> + Send + 'static, permit: OwnedSemaphorePermit) {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended badly");
        }
        drop(permit);
    });
}
