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
use tokio::time::{Instant, sleep_until, timeout_at};

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
/// As many messages at least, as those behind a first long one may be short.
const LEAST_AHEAD: u16 = 16;
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
/// After an error it is to be [closed](Self::close), once what is in hand is settled as far as that goes: the broker delivers the
/// rest again, to it or to another consumer. Only a queue that is not durable may be gone with its broker, and so what it had
/// delivered is given out before the error, though it may come again. Then the next call connects anew, beginning with the broker
/// that was good last, and declares what may be gone. How long to wait before that is for the caller to say.
pub struct Consumer {
    link: Link,
    from: Vec<Destination>,
    /// How many messages a batch has at most.
    most: u16,
    deliveries: Option<Deliveries>,
    /// How many messages each queue delivers ahead, once that is known.
    ahead: BTreeMap<usize, u16>,
    /// The batch that is being gathered.
    gathered: Batch,
    /// Why nothing is delivered behind it.
    failed: Option<Error>,
}

/// Messages that were taken off their queues together. Until they are [settled](Self::settle) the broker keeps them for
/// others.
#[derive(Default)]
pub struct Batch {
    messages: Vec<Result<Notification, BadMessage>>,
    /// How long the bodies are.
    bytes: usize,
    /// How many messages are of each queue.
    counts: BTreeMap<usize, u16>,
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
        Self {
            link,
            from,
            most,
            deliveries: None,
            ahead: BTreeMap::new(),
            gathered: Batch::default(),
            failed: None,
        }
    }

    /// Waits for a message, then as long as this for more, and returns them in the order of their queues: notifications,
    /// and messages that are none. Those of the batch before need not be settled yet, those of the one before that do, as
    /// only so many are delivered.
    ///
    /// A call that is dropped before its end loses nothing: the next one goes on.
    pub async fn next(&mut self, patience: Duration) -> Result<Batch> {
        if self.failed.is_none()
            && let Err(error) = self.gather(patience).await
        {
            self.failed = Some(error);
            if self.link.transport().queues.durable {
                self.gathered = Batch::default();
            } else {
                self.add_delivered().await;
            }
        }
        match self.failed.take_if(|_| self.gathered.messages.is_empty()) {
            Some(error) => Err(error),
            None => Ok(std::mem::take(&mut self.gathered)),
        }
    }

    /// Ends the connection. What is not settled stays in its queue.
    pub async fn close(&mut self) {
        self.deliveries = None;
        self.ahead.clear();
        self.gathered = Batch::default();
        self.failed = None;
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

    /// Also when it has half of what a queue delivers ahead: the other half may be in the batch before.
    fn is_full(&self) -> bool {
        let batch = &self.gathered;
        let has_half = |(queue, count): (&usize, &u16)| *count >= self.ahead[queue] / 2;
        batch.messages.len() >= usize::from(self.most)
            || batch.bytes >= BATCH_BYTES
            || batch.counts.iter().any(has_half)
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

    /// Adds what is here already, however many: that of other queues may stand behind the failure of one.
    async fn add_delivered(&mut self) {
        let end = Instant::now() + REST;
        while let Some(deliveries) = &mut self.deliveries
            && let Ok(Some((queue, delivery))) = timeout_at(end, deliveries.next()).await
        {
            if let Some(Ok(delivery)) = delivery {
                self.add(queue, delivery);
            }
        }
    }

    fn add(&mut self, queue: usize, delivery: Delivery) {
        let batch = &mut self.gathered;
        let length = delivery.data.len();
        self.ahead.entry(queue).or_insert_with(|| ahead(length, self.most));
        *batch.counts.entry(queue).or_default() += 1;
        batch.bytes += length;
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
    let delivered = |delivery: lapin::Result<Delivery>| delivery.map_err(|error| failure(OPERATION, &error));
    let deliveries = async move {
        let (mut given, mut wide) = (Vec::new(), None);
        match narrow.next().await.map(delivered) {
            Some(Ok(first)) => {
                let length = first.data.len();
                given.push(Ok(first));
                match subscribe(&channel, &queue, ahead(length, most)).await {
                    Ok(consumer) => wide = Some(consumer),
                    Err(error) => given.push(Err(error)),
                }
            }
            other => given.extend(other),
        }
        if let Some(consumer) = &mut wide {
            let cancel = channel.basic_cancel(narrow.tag(), BasicCancelOptions::default());
            if let Err(error) = answer(OPERATION, cancel).await {
                // What it has may be nowhere else any more.
                while let Some(Some(delivery)) = consumer.next().now_or_never() {
                    given.push(delivered(delivery));
                }
                given.push(Err(error));
                wide = None;
            }
        }
        stream::iter(given).chain(stream::iter(wide).flatten().map(delivered))
    };
    Ok(stream::once(deliveries).flatten())
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
            [800, 800, 59, 16, 16]
        );
        assert_eq!([0, 70_000].map(|bytes| ahead(bytes, 1)), [16, 16]);
    }
}
