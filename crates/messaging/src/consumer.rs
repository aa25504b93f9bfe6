//! Taking notifications off queues.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::SelectAll;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions};
use lapin::types::FieldTable;
use lapin::{Acker, Channel};
use nephoscope_telemetry::{Error, ErrorKind, Result};
use tokio::time::{Instant, timeout_at};

use crate::body::{self, BadMessage};
use crate::connection::Link;
use crate::failure::{answer, failure};
use crate::notification::Notification;
use crate::topology::{Destination, declare};
use crate::transport::Transport;

const OPERATION: &str = "take messages off the bus";
/// A batch ends when its bodies are as long as this: more makes nothing faster, and the next are delivered meanwhile.
const BATCH_BYTES: usize = 4 << 20;

/// Takes notifications off the queues of some destinations, over one connection.
///
/// After an error it has let go of the connection, and of what it had not settled: the broker delivers that again, to it
/// or to another consumer. The next call connects anew, beginning with the broker that was good last, and declares what
/// may be gone. How long to wait before that is for the caller to say.
#[derive(Debug)]
pub struct Consumer {
    link: Link,
    from: Vec<Destination>,
    /// How many messages of each queue the broker delivers ahead, and the most of one batch.
    most: u16,
    deliveries: Option<SelectAll<lapin::Consumer>>,
}

impl Consumer {
    /// Of these destinations. Nothing is connected yet.
    pub fn new(transport: Transport, from: Vec<Destination>, most: u16) -> Self {
        Self { link: Link::new(transport), from, most, deliveries: None }
    }

    /// Waits for a message, then as long as this for more, and returns them in the order of their queues.
    ///
    /// A call that is dropped before its end gives what it had back to the broker when the connection ends.
    pub async fn next(&mut self, patience: Duration) -> Result<Batch> {
        let taken = self.take(patience).await;
        if taken.is_err() {
            self.close().await;
        }
        taken
    }

    /// Ends the connection. What is not settled stays in its queue.
    pub async fn close(&mut self) {
        self.deliveries = None;
        self.link.close().await;
    }

    async fn take(&mut self, patience: Duration) -> Result<Batch> {
        let deliveries = match &mut self.deliveries {
            Some(open) => open,
            closed => closed.insert(consume(&self.link, &self.from, self.most).await?),
        };
        let mut batch = Batch::default();
        batch.add(ended(deliveries.next().await)?);
        let deadline = Instant::now() + patience;
        while batch.messages.len() < usize::from(self.most) && batch.bytes < BATCH_BYTES {
            let Ok(next) = timeout_at(deadline, deliveries.next()).await else { break };
            batch.add(ended(next)?);
        }
        Ok(batch)
    }
}

/// A queue has a channel of its own, on which it was found or declared. One that several exchanges fill is consumed once.
async fn consume(link: &Link, from: &[Destination], most: u16) -> Result<SelectAll<lapin::Consumer>> {
    let (mut all, mut consumed) = (SelectAll::new(), BTreeSet::new());
    for destination in from {
        let channel = declare(link, OPERATION, destination).await?;
        if consumed.insert(destination.queue.as_str()) {
            all.push(consume_one(&channel, destination, most).await?);
        }
    }
    Ok(all)
}

async fn consume_one(channel: &Channel, from: &Destination, most: u16) -> Result<lapin::Consumer> {
    answer(OPERATION, channel.basic_qos(most, BasicQosOptions::default())).await?;
    let options = BasicConsumeOptions::default();
    let consume = channel.basic_consume(from.queue.clone(), "".into(), options, FieldTable::default());
    answer(OPERATION, consume).await
}

/// A stream ends when its queue is deleted, and fails with its channel.
fn ended(next: Option<lapin::Result<Delivery>>) -> Result<Delivery> {
    match next {
        Some(delivery) => delivery.map_err(|error| failure(OPERATION, &error)),
        None => Err(Error::new(
            ErrorKind::Unavailable,
            OPERATION,
            "the broker delivers no more; is the queue deleted?",
        )),
    }
}

/// Messages that wait for their settlement. Unless it comes, the broker delivers them again.
#[derive(Debug, Default)]
pub struct Batch {
    /// Notifications, and messages that are none.
    pub messages: Vec<Result<Notification, BadMessage>>,
    ackers: Vec<Acker>,
    /// How long their bodies are.
    bytes: usize,
}

impl Batch {
    fn add(&mut self, delivery: Delivery) {
        self.bytes += delivery.data.len();
        let text = body::text(delivery.data, &delivery.properties);
        self.messages.push(text.and_then(|text| Notification::read(&text)));
        self.ackers.push(delivery.acker);
    }

    /// Takes the messages off their queues for good: those at these places as refused, which the broker throws away or
    /// keeps as the queue's dead-letter policy says, the others as done.
    pub async fn settle(self, refused: &BTreeSet<usize>) -> Result<()> {
        // One by one: "all up to here" would take in what an earlier call had received when it was dropped.
        let settled = async {
            let mut all = true;
            for (place, acker) in self.ackers.iter().enumerate() {
                all &= if refused.contains(&place) {
                    acker.reject(BasicRejectOptions { requeue: false }).await?
                } else {
                    acker.ack(BasicAckOptions { multiple: false }).await?
                };
            }
            Ok(all)
        };
        if answer(OPERATION, settled).await? { Ok(()) } else { Err(late()) }
    }
}

fn late() -> Error {
    let problem = "the channel ended before the messages were settled; the broker delivers them again";
    Error::new(ErrorKind::Unavailable, OPERATION, problem)
}
