//! The one connection of a user of this crate, replaced when it breaks.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties};
use nephoscope_telemetry::{Error, ErrorKind, Result};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::failure::{answer, failure};
use crate::transport::{Broker, Transport};

/// A broker that is there answers in milliseconds; an address that swallows packets must not hold anyone up.
const CONNECT_TIME_LIMIT: Duration = Duration::from_secs(5);
/// A broker from which nothing came for twice as long is given up.
const HEARTBEAT_SECONDS: u16 = 30;
/// How long a frame may be: room is held for dozens of them in each direction, and larger ones carry nothing faster.
const FRAME_BYTES: u32 = 32 << 10;
/// What the broker shows its operator.
const NAME: &str = "nephoscope";

/// A connection with the first broker that takes it.
///
/// Who finds it broken fails, and the next one opens another, beginning with the broker that was good last.
pub(crate) struct Link {
    transport: Transport,
    /// Which broker is tried first.
    first: AtomicUsize,
    /// Held while a connection is opened, so that those who need one wait for it in place of opening each their own;
    /// hence a lock that can be held across an await.
    current: Mutex<Option<Connection>>,
}

impl Link {
    pub(crate) fn new(transport: Transport) -> Self {
        Self { transport, first: AtomicUsize::new(0), current: Mutex::default() }
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// A new channel.
    pub(crate) async fn channel(&self, operation: &'static str) -> Result<Channel> {
        let mut current = self.current.lock().await;
        let connection = match current.take().filter(|open| open.status().connected()) {
            Some(open) => open,
            None => self.open(operation).await?,
        };
        answer(operation, current.insert(connection).create_channel()).await
    }

    /// Tries each broker once. A mistake in the transport URL is told before an outage: it lasts longer.
    async fn open(&self, operation: &'static str) -> Result<Connection> {
        let brokers = &self.transport.brokers;
        let first = self.first.load(Ordering::Relaxed);
        let mut worst: Option<Error> = None;
        for number in (first..first + brokers.len()).map(|number| number % brokers.len()) {
            match self.connect(operation, &brokers[number]).await {
                Ok(connection) => {
                    self.first.store(number, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(error) if worst.as_ref().is_none_or(|worst| worst.kind() == ErrorKind::Unavailable) => {
                    worst = Some(error);
                }
                Err(_) => {}
            }
        }
        Err(worst.expect("there is at least one broker"))
    }

    async fn connect(&self, operation: &'static str, broker: &Broker) -> Result<Connection> {
        let tls = self.transport.tls.clone();
        let uri = AMQPUri {
            scheme: if tls.is_some() { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo { username: broker.user.clone(), password: broker.password.clone() },
                host: broker.host.clone(),
                port: broker.port,
            },
            vhost: self.transport.virtual_host.clone(),
            query: AMQPQueryString {
                frame_max: Some(FRAME_BYTES),
                heartbeat: Some(HEARTBEAT_SECONDS),
                ..AMQPQueryString::default()
            },
        };
        let properties = ConnectionProperties::default().with_connection_name(NAME.into());
        let runtime = lapin::runtime::default_runtime().map_err(|error| failure(operation, &error))?;
        let connecting =
            Connection::connect_uri_with_config(uri, properties, tls.unwrap_or_default(), runtime);
        let at_broker = |error: Error| {
            Error::new(error.kind(), operation, format!("RabbitMQ at {broker}: {}", error.message()))
        };
        match timeout(CONNECT_TIME_LIMIT, connecting).await {
            Ok(connected) => connected.map_err(|error| at_broker(failure(operation, &error))),
            Err(_) => Err(Error::new(
                ErrorKind::Unavailable,
                operation,
                format!("RabbitMQ at {broker} did not answer within {} s", CONNECT_TIME_LIMIT.as_secs()),
            )),
        }
    }

    /// Says good-bye to the broker.
    pub(crate) async fn close(&self) {
        if let Some(connection) = self.current.lock().await.take().filter(|open| open.status().connected()) {
            // Nothing waits for it: what was acknowledged is with the broker.
            let _ended_anyway = answer("close", connection.close(200, "bye".into())).await;
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.transport.fmt(f)
    }
}
