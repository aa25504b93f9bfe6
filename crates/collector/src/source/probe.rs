//! Whether a source can be opened, without opening it.

use std::io;
use std::net::SocketAddr;

use nephoscope_telemetry::{Error, ErrorKind, Result};
use tokio::net::{TcpListener, UdpSocket};

use super::resolve;
use super::settings::{Place, Settings};

/// What was seen of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Probe {
    /// The bus lets us in, and has these queues.
    Bus(Vec<QueueState>),
    /// These addresses are of this machine.
    Addresses(Vec<SocketAddr>),
}

/// How a queue stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueState {
    /// Its name.
    pub name: String,
    /// How many messages wait in it for a consumer.
    pub waiting: u32,
    /// How many consume it.
    pub consumers: u32,
}

impl Settings {
    /// Looks at the place that telemetry would come from. Nothing is declared, taken or listened to there: an address is
    /// tried with another port.
    pub async fn probe(self) -> Result<Probe> {
        match self.place {
            #[cfg(feature = "messaging")]
            Place::Bus(bus) => {
                let queues = bus.probe().await?.into_iter();
                let state = |queue: nephoscope_messaging::QueueState| QueueState {
                    name: queue.name,
                    waiting: queue.waiting,
                    consumers: queue.consumers,
                };
                Ok(Probe::Bus(queues.map(state).collect()))
            }
            Place::Udp(hosts) => {
                let addresses = resolve(&self.name, &hosts).await?;
                for address in &addresses {
                    UdpSocket::bind((address.ip(), 0)).await.map_err(|error| not_ours(*address, &error))?;
                }
                Ok(Probe::Addresses(addresses))
            }
            Place::Tcp(hosts) => {
                let addresses = resolve(&self.name, &hosts).await?;
                for address in &addresses {
                    TcpListener::bind((address.ip(), 0)).await.map_err(|error| not_ours(*address, &error))?;
                }
                Ok(Probe::Addresses(addresses))
            }
        }
    }
}

fn not_ours(address: SocketAddr, error: &io::Error) -> Error {
    let problem = format!("{} is no address of this machine: {error}", address.ip());
    Error::new(ErrorKind::Config, "look at a source", problem)
}
