//! Taking notifications off queues.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, SelectAll};
use futures_util::{FutureExt, StreamExt};
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
const BATCH_BYTES: usize = 2 << 20;
/// For each message of a batch so many are delivered ahead, so that the broker does not wait until one is settled.
const AHEAD: u16 = 2;

/// What queues deliver, with the number of the queue; nothing when a queue ends.
type Deliveries = SelectAll<BoxStream<'static, (usize, Option<lapin::Result<Delivery>>)>>;

/// Takes notifications off the queues of some destinations, over one connection.
///
/// After an error it has let go of the connection, and of what it had not settled: the broker delivers that again, to it
/// or to another consumer. Only a queue that is not durable may be gone with its broker, and so what it had delivered is given out
/// before the error, though it may come again. The next call connects anew, beginning with the broker that was good last, and
/// declares what may be gone. How long to wait before that is for the caller to say.
pub struct Consumer {
    link: Link,
    from: Vec<Destination>,
    /// How many messages a batch has at most.
    most: u16,
    deliveries: Option<Deliveries>,
    /// The batch that is being gathered.
    messages: Vec<Result<Notification, BadMessage>>,
    /// How long its bodies are.
    bytes: usize,
    /// What is not settled yet, in the order of delivery: of the batch that was given out, or of the one being gathered.
    unsettled: Vec<(usize, Acker)>,
    /// Why nothing was delivered behind the batch that was given out.
    failed: Option<Error>,
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("link", &self.link).field("from", &self.from).finish_non_exhaustive()
    }
}

impl Consumer {
    /// Of these destinations, so many messages at a time. Nothing is connected yet.
    pub fn new(transport: Transport, from: Vec<Destination>, most: u16) -> Self {
        let link = Link::new(transport);
        Self {
            link,
            from,
            most,
            deliveries: None,
            messages: Vec::new(),
            bytes: 0,
            unsettled: Vec::new(),
            failed: None,
        }
    }

    /// Waits for a message, then as long as this for more, and returns them in the order of their queues: notifications,
    /// and messages that are none. They are to be [settled](Self::settle) before the next call, which gives them back to
    /// the broker otherwise.
    ///
    /// A call that is dropped before its end loses nothing: the next one goes on.
    pub async fn next(&mut self, patience: Duration) -> Result<Vec<Result<Notification, BadMessage>>> {
        if self.unsettled.len() > self.messages.len() {
            self.close().await;
        }
        let gathered = match self.failed.take() {
            Some(error) => Err(error),
            None => self.gather(patience).await,
        };
        if let Err(error) = gathered {
            let comes_again = self.link.transport().queues.durable;
            if !comes_again {
                self.add_delivered();
            }
            if comes_again || self.messages.is_empty() {
                self.close().await;
                return Err(error);
            }
            self.failed = Some(error);
        }
        self.bytes = 0;
        Ok(std::mem::take(&mut self.messages))
    }

    /// Takes the messages that were given out last off their queues for good: those at these places as refused, which the
    /// broker throws away or keeps as the queue's dead-letter policy says, the others as done.
    pub async fn settle(&mut self, refused: &BTreeSet<usize>) -> Result<()> {
        let unsettled = std::mem::take(&mut self.unsettled);
        let settled = async {
            let (mut done, mut all) = (BTreeMap::new(), true);
            for (place, (queue, acker)) in unsettled.iter().enumerate() {
                if refused.contains(&place) {
                    all &= acker.reject(BasicRejectOptions { requeue: false }).await?;
                } else {
                    done.insert(*queue, acker);
                }
            }
            // The last of each queue stands for all that came before it, and nothing else was delivered before it.
            for last in done.into_values() {
                all &= last.ack(BasicAckOptions { multiple: true }).await?;
            }
            Ok(all)
        };
        if answer(OPERATION, settled).await? { Ok(()) } else { Err(late()) }
    }

    /// Ends the connection. What is not settled stays in its queue.
    pub async fn close(&mut self) {
        self.deliveries = None;
        self.messages.clear();
        self.bytes = 0;
        self.unsettled.clear();
        self.link.close().await;
    }

    async fn gather(&mut self, patience: Duration) -> Result<()> {
        if self.deliveries.is_none() {
            self.deliveries = Some(consume(&self.link, &self.from, self.most).await?);
        }
        if self.messages.is_empty() {
            self.add_next().await?;
        }
        let deadline = Instant::now() + patience;
        while self.messages.len() < usize::from(self.most) && self.bytes < BATCH_BYTES {
            match timeout_at(deadline, self.add_next()).await {
                Ok(added) => added?,
                Err(_) => break,
            }
        }
        Ok(())
    }

    async fn add_next(&mut self) -> Result<()> {
        let next = match &mut self.deliveries {
            Some(deliveries) => deliveries.next().await,
            None => None,
        };
        let (queue, delivery) = match next {
            Some((queue, Some(delivery))) => (queue, delivery.map_err(|error| failure(OPERATION, &error))?),
            _ => return Err(ended()),
        };
        self.add(queue, delivery);
        Ok(())
    }

    /// Adds what is here already, however many, and waits for nothing: that of other queues may stand behind the failure of one.
    fn add_delivered(&mut self) {
        let Some(mut deliveries) = self.deliveries.take() else { return };
        while let Some(Some((queue, delivery))) = deliveries.next().now_or_never() {
            if let Some(Ok(delivery)) = delivery {
                self.add(queue, delivery);
            }
        }
    }

    fn add(&mut self, queue: usize, delivery: Delivery) {
        self.bytes += delivery.data.len();
        let text = body::text(delivery.data, &delivery.properties);
        self.messages.push(text.and_then(Notification::open));
        self.unsettled.push((queue, delivery.acker));
    }
}

/// A queue has a channel of its own, on which it was found or declared. One that several exchanges fill is consumed once.
async fn consume(link: &Link, from: &[Destination], most: u16) -> Result<Deliveries> {
    let (mut all, mut consumed) = (SelectAll::new(), BTreeSet::new());
    for (number, destination) in from.iter().enumerate() {
        let channel = declare(link, OPERATION, destination).await?;
        if consumed.insert(destination.queue.as_str()) {
            let deliveries = consume_one(&channel, destination, most).await?.map(Some);
            let deliveries = deliveries.chain(stream::once(async { None }));
            all.push(deliveries.map(move |delivery| (number, delivery)).boxed());
        }
    }
    Ok(all)
}

async fn consume_one(channel: &Channel, from: &Destination, most: u16) -> Result<lapin::Consumer> {
    answer(OPERATION, channel.basic_qos(most.saturating_mul(AHEAD), BasicQosOptions::default())).await?;
    let options = BasicConsumeOptions::default();
    let consume = channel.basic_consume(from.queue.clone(), "".into(), options, FieldTable::default());
    answer(OPERATION, consume).await
}

/// Deliveries end when their queue is deleted, and fail with its channel.
fn ended() -> Error {
    let problem = "the broker delivers no more; is the queue deleted?";
    Error::new(ErrorKind::Unavailable, OPERATION, problem)
}

fn late() -> Error {
    let problem = "the channel ended before the messages were settled; the broker delivers them again";
    Error::new(ErrorKind::Unavailable, OPERATION, problem)
}
