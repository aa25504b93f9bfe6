//! Samples as a stream: before each, in MessagePack, its length as eight bytes, the lowest first.
//!
//! Source: Ceilometer 27, `ceilometer/publisher/tcp.py`. There is no answer: whoever sends does not learn what became of it.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::meter::Meter;
use crate::{Intake, Load};

/// How long a sample may be. Those of Ceilometer have about a thousand bytes.
const LONGEST: usize = 16 << 20;
/// Length of the number before each.
const PREFIX: usize = 8;
/// How much is taken in together at most.
const BATCH_BYTES: usize = 4 << 20;
/// How many may be connected: a publisher on every host of a large cloud, and memory for all of them.
const CONNECTIONS: usize = 4096;

/// Takes in what comes over connections until `stop` ends.
pub(super) async fn run(
    name: &str,
    listeners: Vec<TcpListener>,
    meter: &Arc<Meter>,
    intake: &Intake,
    stop: impl Future<Output = ()>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let (ending, ended) = watch::channel(());
    let accepting = listeners.into_iter().map(|listener| {
        let (room, ended) = (room.clone(), ended.clone());
        async move {
            loop {
                let Ok(permit) = room.clone().acquire_owned().await else { return };
                match listener.accept().await {
                    Ok((stream, peer)) => {
                        let (name, meter, intake) =
                            (format!("{name} from {peer}"), meter.clone(), intake.clone());
                        let ended = ended.clone();
                        tokio::spawn(async move {
                            if let Err(error) = receive(&name, stream, &meter, &intake, ended).await {
                                tracing::warn!("{name}: {error}; the connection is closed");
                            }
                            drop(permit);
                        });
                    }
                    Err(error) => {
                        // Too many open files, for one; soon there may be fewer.
                        tracing::warn!("{name}: a connection cannot be accepted: {error}");
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                }
            }
        }
    });
    let accepting = futures_util::future::join_all(accepting);
    tokio::select! {
        () = pin!(stop) => {}
        _ = accepting => {}
    }
    drop((ending, ended));
    // Whoever is in the middle of taking something in ends first.
    drop(room.acquire_many(u32::try_from(CONNECTIONS).expect("it is small")).await);
}

async fn receive(
    name: &str,
    mut stream: TcpStream,
    meter: &Meter,
    intake: &Intake,
    mut ended: watch::Receiver<()>,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let read = tokio::select! {
            biased;
            _ = ended.changed() => return Ok(()),
            read = stream.read_buf(&mut buffer) => read?,
        };
        let (load, taken, count) = split(&buffer, intake)?;
        if count > 0 {
            super::store(name, load, count, meter, intake).await;
            buffer.drain(..taken);
        }
        if read == 0 {
            return match buffer.len() {
                0 => Ok(()),
                left => Err(io::Error::other(format!("it ended within a sample, after {left} bytes of it"))),
            };
        }
    }
}

/// The whole samples at the beginning of the bytes, how many bytes they have, and how many they are.
fn split(bytes: &[u8], intake: &Intake) -> io::Result<(Load, usize, usize)> {
    let (mut load, mut at, mut count) = (Load::default(), 0, 0);
    let mut text = String::new();
    while at < BATCH_BYTES
        && let Some(prefix) = bytes.get(at..at + PREFIX)
    {
        let length = u64::from_le_bytes(prefix.try_into().expect("there are eight"));
        let length = usize::try_from(length).ok().filter(|length| *length <= LONGEST).ok_or_else(|| {
            io::Error::other(format!("it announces a sample of {length} bytes; at most {LONGEST} are taken"))
        })?;
        let Some(message) = bytes.get(at + PREFIX..at + PREFIX + length) else { break };
        super::read(message, &mut text, &mut load, intake);
        at += PREFIX + length;
        count += 1;
    }
    Ok((load, at, count))
}
