//! Samples as datagrams, one each, in MessagePack.
//!
//! Source: Ceilometer 27, `ceilometer/publisher/udp.py`.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, sockopt};
use tokio::sync::mpsc;

use crate::meter::Meter;
use crate::{Intake, Load};

/// The longest datagram there is.
const LONGEST: usize = 65_535;
/// How much the kernel is asked to hold for us: what comes within a good while in which this process does not run. It
/// gives no more than `net.core.rmem_max`, unless the process may administer the network.
pub const KERNEL_BUFFER: usize = 32 << 20;
/// How many batches wait to be spooled: while one is written the next is there.
const WAITING: usize = 2;
/// How large a batch gets while the others wait: what comes while a disk hangs for some tenths of a second. Beyond that the
/// kernel's buffer fills, and then datagrams are lost, as UDP has no way to make its sender wait.
const BATCH_BYTES: usize = 32 << 20;
/// How long a receiver sleeps before it looks whether it is to end.
const LOOK_UP: Duration = Duration::from_millis(200);

/// Datagrams one after the other, and where each ends.
#[derive(Debug, Default)]
struct Datagrams {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// A socket at this address, with room for a burst.
pub(super) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = rustix::net::socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    if address.is_ipv6() {
        // The wildcard of IPv6 leaves that of IPv4 to another socket.
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    if sockopt::set_socket_recv_buffer_size_force(&socket, KERNEL_BUFFER).is_err() {
        sockopt::set_socket_recv_buffer_size(&socket, KERNEL_BUFFER)?;
    }
    rustix::net::bind(&socket, &address)?;
    let socket = UdpSocket::from(socket);
    socket.set_read_timeout(Some(LOOK_UP))?;
    Ok(socket)
}

/// Takes in what comes to the sockets until `stop` ends, and then what had come.
pub(super) async fn run(
    name: &str,
    sockets: Vec<UdpSocket>,
    meter: &Meter,
    intake: &Intake,
    stop: impl Future<Output = ()>,
) {
    let (batches, mut received) = mpsc::channel(WAITING);
    let ending = Arc::new(AtomicBool::new(false));
    for socket in sockets {
        let (batches, ending) = (batches.clone(), ending.clone());
        // A thread of its own: whatever else this process does, the kernel's buffer is emptied.
        let receiver = thread::Builder::new().name("udp source".into());
        if let Err(error) = receiver.spawn(move || receive(&socket, &batches, &ending)) {
            tracing::error!("{name}: no thread can be started: {error}");
        }
    }
    drop(batches);
    let mut stop = pin!(stop);
    loop {
        let is_ending = ending.load(Ordering::Relaxed);
        tokio::select! {
            biased;
            () = &mut stop, if !is_ending => ending.store(true, Ordering::Relaxed),
            batch = received.recv() => match batch {
                Some(batch) => take(name, &batch, meter, intake).await,
                None => break,
            },
        }
    }
}

/// Receives until it is to end. What comes while nobody is ready for it is handed on together.
fn receive(socket: &UdpSocket, batches: &mpsc::Sender<Datagrams>, ending: &AtomicBool) {
    let mut buffer = vec![0; LONGEST];
    let mut batch = Datagrams::default();
    loop {
        // Sleeps only when there is nothing to be handed on.
        let flags = if batch.ends.is_empty() { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
        match rustix::net::recv(socket, &mut buffer[..], flags) {
            Ok((length, _)) => {
                batch.bytes.extend_from_slice(&buffer[..length]);
                batch.ends.push(batch.bytes.len());
                if batch.bytes.len() < BATCH_BYTES {
                    continue;
                }
            }
            Err(rustix::io::Errno::AGAIN) => {
                if batch.ends.is_empty() && ending.load(Ordering::Relaxed) {
                    return;
                }
            }
            Err(error) => tracing::debug!("a datagram was not received: {error}"),
        }
        if batch.ends.is_empty() {
            continue;
        }
        match batches.try_reserve() {
            Ok(place) => place.send(std::mem::take(&mut batch)),
            Err(mpsc::error::TrySendError::Closed(())) => return,
            Err(mpsc::error::TrySendError::Full(())) if batch.bytes.len() >= BATCH_BYTES => {
                if batches.blocking_send(std::mem::take(&mut batch)).is_err() {
                    return;
                }
            }
            // Nobody is ready: whatever comes meanwhile is added.
            Err(mpsc::error::TrySendError::Full(())) => wait_for_more(socket),
        }
    }
}

/// Waits a moment for a datagram, and leaves it where it is.
fn wait_for_more(socket: &UdpSocket) {
    let mut first = [0];
    // Whatever it says, the next look will say it again.
    let _answer = rustix::net::recv(socket, &mut first[..], RecvFlags::PEEK);
}

async fn take(name: &str, batch: &Datagrams, meter: &Meter, intake: &Intake) {
    let mut load = Load::default();
    let mut text = String::new();
    let mut start = 0;
    for &end in &batch.ends {
        super::read(&batch.bytes[start..end], &mut text, &mut load, intake);
        start = end;
    }
    super::store(name, load, batch.ends.len(), meter, intake).await;
}
