//! Taking notifications off queues.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, SelectAll};
use futures_util::{FutureExt, Stream, StreamExt};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{Acker, Channel};
use nephoscope_telemetry::{Error, ErrorKind, Result};
use tokio::time::{Instant, sleep_until, timeout};

use crate::body::{self, BadMessage};
use crate::connection::Link;
use crate::failure::{answer, failure};
use crate::notification::Notification;
use crate::topology::{Destination, declare};
use crate::transport::Transport;

const OPERATION: &str = "take messages off the bus";
/// A batch ends when its bodies are as long as this: more makes nothing faster, and the next are delivered meanwhile.
const BATCH_BYTES: usize = 1 << 20;
/// How many bytes a queue delivers before any are settled: while one batch is settled the next is gathered, and the broker
/// waits for neither.
const AHEAD_BYTES: usize = 4 * BATCH_BYTES;
/// As many messages at least: of those that are as long as a batch there are two in hand, and one is on its way.
const LEAST_AHEAD: u16 = 3;
/// And so many for each message of a batch at most, as those behind a first short one may be long.
const MOST_AHEAD: u16 = 2;
/// How long is waited for what a broker had delivered before it ended.
const REST: Duration = Duration::from_millis(100);

/// How long is waited for more behind what is here: to be woken for each message would cost more than to read it.
const PAUSE: Duration = Duration::from_millis(1);

/// What queues deliver, with the number of the queue; nothing when a queue ends.
type Deliveries = SelectAll<BoxStream<'static, (usize, Option<Result<Delivery>>)>>;

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
    gathered: Batch,
    /// Why nothing was delivered behind the batch that was given out.
    failed: Option<Error>,
}

/// Messages that were taken off their queues together. Until they are [settled](Self::settle) the broker keeps them for
/// others.
#[derive(Default)]
pub struct Batch {
    messages: Vec<Result<Notification, BadMessage>>,
    /// How long the bodies are.
    bytes: usize,
    /// For each message its queue, and what tells the broker of it.
    unsettled: Vec<(usize, Acker)>,
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("messages", &self.messages.len()).finish_non_exhaustive()
    }
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
        Self { link, from, most, deliveries: None, gathered: Batch::default(), failed: None }
    }

    /// Waits for a message, then as long as this for more, and returns them in the order of their queues: notifications,
    /// and messages that are none. Those of the batch before need not be settled yet, those of the one before that do, as
    /// only so many are delivered.
    ///
    /// A call that is dropped before its end loses nothing: the next one goes on.
    pub async fn next(&mut self, patience: Duration) -> Result<Batch> {
        let gathered = match self.failed.take() {
            Some(error) => Err(error),
            None => self.gather(patience).await,
        };
        if let Err(error) = gathered {
            let comes_again = self.link.transport().queues.durable;
            if !comes_again {
                self.add_delivered().await;
            }
            if comes_again || self.gathered.messages.is_empty() {
                self.close().await;
                return Err(error);
            }
            self.failed = Some(error);
        }
        Ok(std::mem::take(&mut self.gathered))
    }

    /// Ends the connection. What is not settled stays in its queue.
    pub async fn close(&mut self) {
        self.deliveries = None;
        self.gathered = Batch::default();
        self.link.close().await;
    }

    async fn gather(&mut self, patience: Duration) -> Result<()> {
        if self.deliveries.is_none() {
            self.deliveries = Some(consume(&self.link, &self.from, self.most).await?);
        }
        if self.gathered.messages.is_empty() {
            self.add_next().await?;
        }
        let deadline = Instant::now() + patience;
        while !self.is_full() && Instant::now() < deadline {
            match self.add_next().now_or_never() {
                Some(added) => added?,
                None => sleep_until(deadline.min(Instant::now() + PAUSE)).await,
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.gathered.messages.len() >= usize::from(self.most) || self.gathered.bytes >= BATCH_BYTES
    }

    async fn add_next(&mut self) -> Result<()> {
        let next = match &mut self.deliveries {
            Some(deliveries) => deliveries.next().await,
            None => None,
        };
        let (queue, delivery) = match next {
            Some((queue, Some(delivery))) => (queue, delivery?),
            _ => return Err(ended()),
        };
        self.add(queue, delivery);
        Ok(())
    }

    /// Adds what is here already, however many: that of other queues may stand behind the failure of one. As nothing is settled
    /// meanwhile, no more comes than is delivered ahead.
    async fn add_delivered(&mut self) {
        let Some(mut deliveries) = self.deliveries.take() else { return };
        while let Ok(Some((queue, delivery))) = timeout(REST, deliveries.next()).await {
            if let Some(Ok(delivery)) = delivery {
                self.add(queue, delivery);
            }
        }
    }

    fn add(&mut self, queue: usize, delivery: Delivery) {
        let batch = &mut self.gathered;
        batch.bytes += delivery.data.len();
        let text = body::text(delivery.data, &delivery.properties);
        batch.messages.push(text.and_then(Notification::open));
        batch.unsettled.push((queue, delivery.acker));
    }
}

impl Batch {
    /// Takes the messages out.
    pub fn take_messages(&mut self) -> Vec<Result<Notification, BadMessage>> {
        std::mem::take(&mut self.messages)
    }

    /// Takes the messages off their queues for good: those at these places as refused, which the broker throws away or
    /// keeps as the queue's dead-letter policy says, the others as done. To be called in the order in which batches were
    /// given out, as it speaks for what was delivered before, too.
    pub async fn settle(self, refused: &BTreeSet<usize>) -> Result<()> {
        let settled = async {
            let (mut done, mut all) = (BTreeMap::new(), true);
            for (place, (queue, acker)) in self.unsettled.iter().enumerate() {
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
}

/// A queue has a channel of its own, on which it was found or declared. One that several exchanges fill is consumed once.
async fn consume(link: &Link, from: &[Destination], most: u16) -> Result<Deliveries> {
    let (mut all, mut consumed) = (SelectAll::new(), BTreeSet::new());
    for (number, destination) in from.iter().enumerate() {
        let channel = declare(link, OPERATION, destination).await?;
        if consumed.insert(destination.queue.as_str()) {
            let deliveries = consume_one(channel, destination.queue.clone(), most).await?;
            let deliveries = deliveries.map(Some).chain(stream::once(async { None }));
            all.push(deliveries.map(move |delivery| (number, delivery)).boxed());
        }
    }
    Ok(all)
}

/// What a queue delivers: one message and, once its length tells how many are to come ahead of being settled, the others.
/// Nothing comes between, as the first is not settled before it is given out.
async fn consume_one(
    channel: Channel,
    queue: ShortString,
    most: u16,
) -> Result<impl Stream<Item = Result<Delivery>>> {
    let mut narrow = subscribe(&channel, &queue, 1).await?;
    let deliveries = async move {
        let (mut given, mut wide) = (Vec::new(), None);
        match narrow.next().await {
            Some(Ok(first)) => {
                let widened = widen(&channel, &queue, &narrow, ahead(first.data.len(), most)).await;
                given.push(Ok(first));
                match widened {
                    Ok(consumer) => wide = Some(consumer),
                    Err(error) => given.push(Err(error)),
                }
            }
            Some(Err(error)) => given.push(Err(failure(OPERATION, &error))),
            None => {}
        }
        let rest = stream::iter(wide).flatten();
        stream::iter(given).chain(rest.map(|delivery| delivery.map_err(|error| failure(OPERATION, &error))))
    };
    Ok(stream::once(deliveries).flatten())
}

/// In place of a consumer another one, to which so many messages are delivered ahead.
async fn widen(
    channel: &Channel,
    queue: &ShortString,
    narrow: &lapin::Consumer,
    ahead: u16,
) -> Result<lapin::Consumer> {
    let wide = subscribe(channel, queue, ahead).await?;
    answer(OPERATION, channel.basic_cancel(narrow.tag(), BasicCancelOptions::default())).await?;
    Ok(wide)
}

/// How many messages of about this length are delivered before any are settled.
fn ahead(bytes: usize, most: u16) -> u16 {
    let fit = u16::try_from(AHEAD_BYTES / bytes.max(1)).unwrap_or(u16::MAX);
    fit.clamp(LEAST_AHEAD, most.saturating_mul(MOST_AHEAD).max(LEAST_AHEAD))
}

async fn subscribe(channel: &Channel, queue: &ShortString, ahead: u16) -> Result<lapin::Consumer> {
    answer(OPERATION, channel.basic_qos(ahead, BasicQosOptions::default())).await?;
    let options = BasicConsumeOptions::default();
    answer(OPERATION, channel.basic_consume(queue.clone(), "".into(), options, FieldTable::default())).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_few_and_short_ones_no_more_than_batches_take() {
        assert_eq!(
            [0, 1_000, 70_000, 1 << 20, 64 << 20].map(|bytes| ahead(bytes, 400)),
            [800, 800, 59, 4, 3]
        );
        assert_eq!([0, 70_000].map(|bytes| ahead(bytes, 1)), [3, 3]);
    }
}
