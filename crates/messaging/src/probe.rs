//! Whether a broker is there and lets us in, and how its queues stand. Nothing is declared, and no message is taken.

use std::collections::BTreeSet;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use nephoscope_telemetry::Result;

use crate::connection::Link;
use crate::failure::{NOT_FOUND, code, failure};
use crate::topology::Destination;
use crate::transport::Transport;

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

/// How the queues of these destinations stand, as far as they are there.
pub async fn probe(transport: Transport, destinations: &[Destination]) -> Result<Vec<QueueState>> {
    const OPERATION: &str = "look at the queues";
    let link = Link::new(transport);
    let names: BTreeSet<_> = destinations.iter().map(|destination| destination.queue.as_str()).collect();
    let mut channel = link.channel(OPERATION).await?;
    let mut found = Vec::new();
    for name in names {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        match channel.queue_declare(name.into(), passive, FieldTable::default()).await {
            Ok(queue) => found.push(QueueState {
                name: name.to_owned(),
                waiting: queue.message_count(),
                consumers: queue.consumer_count(),
            }),
            // The broker closes the channel with that.
            Err(error) if code(&error) == Some(NOT_FOUND) => channel = link.channel(OPERATION).await?,
            Err(error) => return Err(failure(OPERATION, &error)),
        }
    }
    link.close().await;
    Ok(found)
}
