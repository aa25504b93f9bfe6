//! Where telemetry is taken in.

#[cfg(feature = "messaging")]
mod bus;
#[cfg(feature = "messaging")]
mod bus_settings;
mod probe;
mod settings;
mod tcp;
mod udp;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use nephoscope_telemetry::{Error, ErrorKind, Result, TracePoint};
use tokio::net::TcpListener;

use crate::backoff::Backoff;
use crate::meter::Meter;
use crate::{Intake, Load, msgpack};
#[cfg(feature = "messaging")]
use bus::Bus;
use settings::Place;

pub use probe::{Probe, QueueState};
pub use settings::Settings;
pub use udp::KERNEL_BUFFER as UDP_KERNEL_BUFFER;

/// Takes telemetry in at one place, and has it spooled or stored.
#[derive(Debug)]
pub struct Source {
    name: String,
    at: At,
    meter: Arc<Meter>,
}

#[derive(Debug)]
enum At {
    #[cfg(feature = "messaging")]
    Bus(Box<Bus>),
    Udp(Vec<std::net::UdpSocket>),
    Tcp(Vec<TcpListener>),
}

impl Source {
    /// With these settings. Sockets are bound, so that whoever sends may begin; to a bus nothing is connected yet.
    pub async fn open(settings: Settings) -> Result<Self> {
        let Settings { name, place } = settings;
        let at = match place {
            #[cfg(feature = "messaging")]
            Place::Bus(bus) => At::Bus(Box::new(Bus::new(&name, bus))),
            Place::Udp(hosts) => {
                let addresses = resolve(&name, &hosts).await?;
                let sockets = addresses
                    .into_iter()
                    .map(|address| udp::bind(address).map_err(|error| unbound(address, error)));
                At::Udp(sockets.collect::<Result<_>>()?)
            }
            Place::Tcp(hosts) => {
                let mut listeners = Vec::new();
                for address in resolve(&name, &hosts).await? {
                    listeners
                        .push(TcpListener::bind(address).await.map_err(|error| unbound(address, error))?);
                }
                At::Tcp(listeners)
            }
        };
        Ok(Self { name, at, meter: Arc::default() })
    }

    /// Its connection string without secrets.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its counts, which go on changing.
    pub fn meter(&self) -> Arc<Meter> {
        self.meter.clone()
    }

    /// Where it listens, for sources that do.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        match &self.at {
            #[cfg(feature = "messaging")]
            At::Bus(_) => Vec::new(),
            At::Udp(sockets) => sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect(),
            At::Tcp(listeners) => {
                listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
            }
        }
    }

    /// Takes in until `stop` ends, what is in hand included. Samples and events go to `intake`, trace points to
    /// `traces`.
    ///
    /// What comes off a bus is acknowledged when it is spooled or stored. While it cannot be, it stays there, and is tried
    /// again; where there is nobody to keep it, as with UDP, this process does as long as it can.
    #[cfg_attr(
        not(feature = "messaging"),
        expect(unused_variables, reason = "trace points come from the message bus alone")
    )]
    pub async fn run(
        self,
        intake: Intake,
        traces: impl AsyncFn(&[TracePoint]) -> Result<()>,
        stop: impl Future<Output = ()>,
    ) {
        let Self { name, at, meter } = self;
        match at {
            #[cfg(feature = "messaging")]
            At::Bus(bus) => bus.run(&meter, &intake, traces, stop).await,
            At::Udp(sockets) => udp::run(&name, sockets, &meter, &intake, stop).await,
            At::Tcp(listeners) => tcp::run(&name, listeners, &meter, &intake, stop).await,
        }
    }
}

/// Adds a sample in MessagePack, which has to be all of the message. `text` is room to write it in.
fn read(message: &[u8], text: &mut String, load: &mut Load, intake: &Intake) {
    text.clear();
    match msgpack::to_json(message, text) {
        Ok(length) if length == message.len() => load.sample(text, intake.verifier()),
        Ok(_) => load.refuse(text, "it goes on behind its sample"),
        Err(error) => {
            load.refuse(&String::from_utf8_lossy(message), &format!("it is no MessagePack: {error}"));
        }
    }
}

/// Hands a load over, however long it takes: nobody else has it any more.
async fn store(name: &str, load: Load, messages: usize, meter: &Meter, intake: &Intake) {
    Meter::count(&meter.taken, messages);
    let packed = load.pack();
    let mut backoff = Backoff::default();
    while let Err(error) = intake.take(name, &packed).await {
        if backoff.is_fresh() {
            tracing::warn!("what {name} brings waits in memory: {error}");
        }
        // Nothing ends the wait but the end of the process.
        let goes_on = backoff.wait(pin!(std::future::pending())).await;
        debug_assert!(goes_on.is_continue());
    }
    Meter::count(&meter.refused, packed.bad.len());
    Meter::count(&meter.stored, messages.saturating_sub(packed.bad.len()));
}

async fn resolve(name: &str, hosts: &[(String, u16)]) -> Result<Vec<SocketAddr>> {
    let mut addresses = Vec::new();
    for (host, port) in hosts {
        let found = tokio::net::lookup_host((host.as_str(), *port)).await.map_err(|error| {
            Error::new(ErrorKind::Config, "open a source", format!("{name}: {host} is no address: {error}"))
        })?;
        addresses.extend(found.take(1));
    }
    Ok(addresses)
}

fn unbound(address: SocketAddr, error: std::io::Error) -> Error {
    let problem =
        format!("cannot listen on {address}: {error}; does another process, such as an old collector?");
    Error::new(ErrorKind::Config, "open a source", problem).with_source(error)
}
