//! Looking at what waits in a queue, without taking it.
//!
//! AMQP has no way to read a queue but to be delivered its messages. They are taken without an acknowledgement and
//! given back, which a broker does at the place where they were. While they are with us no other consumer gets them,
//! and one that consumes at the same time gets its share, which we do not see.
//!
//! A quorum queue counts how often a message was given back, throws it away at its delivery limit (20 from RabbitMQ 4
//! on, whatever an operator chose before), and takes many of them back out of order. So a message that comes with such
//! a count is not given back: a copy of it is put at the end of the queue, and when the broker has confirmed that, the
//! message is acknowledged. From the first such message on all are copied, so that their order stays. A crash between
//! the two leaves a message twice, never not at all.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions,
    BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::FieldTable;
use lapin::{Acker, BasicProperties, Channel, Consumer};
use nephoscope_telemetry::{Error, ErrorKind, Result};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::body::{self, BadMessage};
use crate::connection::Link;
use crate::failure::{NOT_FOUND, answer, code, failure};
use crate::notification::Notification;
use crate::publisher::{Publisher, Sending};
use crate::topology::Destination;
use crate::transport::Transport;

/// How many messages are looked at: what a machine holds with ease, and more than a queue should ever hold.
const MOST_MESSAGES: u32 = 1_000_000;
/// In which a quorum queue says how often it has delivered a message in vain.
const DELIVERY_COUNT: &str = "x-delivery-count";

/// Looks at one queue.
#[derive(Debug)]
pub struct Browser {
    link: Arc<Link>,
    queue: Destination,
    idle: Duration,
    /// Two at once would hide the messages from each other.
    turn: Mutex<()>,
}

/// A [`Publisher`] and a [`Browser`] of one destination over one connection.
pub fn connect(transport: Transport, to: Destination, idle: Duration) -> (Publisher, Browser) {
    let link = Arc::new(Link::new(transport));
    let browser = Browser { link: link.clone(), queue: to.clone(), idle, turn: Mutex::default() };
    (Publisher::new(link, to), browser)
}

impl Browser {
    /// Opens the connection, if it is not open.
    pub async fn check(&self, operation: &'static str) -> Result<()> {
        let channel = self.link.channel(operation).await?;
        answer(operation, channel.close(200, "OK".into())).await
    }

    /// Ends the connection.
    pub async fn close(&self) {
        self.link.close().await;
    }

    /// Shows every message that waits in the queue to `look`, oldest first; none when there is no such queue.
    ///
    /// It ends when as many were seen as waited at the beginning, or when none has come for the time of idling, as when
    /// another consumer took them.
    pub async fn look_at_all(
        &self,
        operation: &'static str,
        mut look: impl FnMut(Result<Notification, BadMessage>),
    ) -> Result<()> {
        let _turn = self.turn.lock().await;
        let channel = self.link.channel(operation).await?;
        let Some((first, more)) = self.first(operation, &channel).await? else { return Ok(()) };
        if more >= MOST_MESSAGES {
            let problem = format!(
                "{more} messages wait in the queue, more than {MOST_MESSAGES}; have `nephoscope serve` store them"
            );
            return Err(Error::new(ErrorKind::Unsupported, operation, problem));
        }
        let mut visit = Visit { browser: self, operation, channel, back: None, copied: None, copies: None };
        visit.keep(first, &mut look).await?;
        if more > 0 {
            visit.receive(more, &mut look).await?;
        }
        visit.give_back().await
    }

    /// The oldest message, and how many wait behind it. Unlike the count that a passive declaration gives, that of a
    /// quorum queue comes after all that it was told before.
    async fn first(&self, operation: &'static str, channel: &Channel) -> Result<Option<(Delivery, u32)>> {
        let get = async { Ok(channel.basic_get(self.queue.queue.clone(), BasicGetOptions::default()).await) };
        match answer(operation, get).await? {
            Ok(Some(first)) => Ok(Some((first.delivery, first.message_count))),
            Ok(None) => answer(operation, channel.close(200, "OK".into())).await.map(|()| None),
            Err(error) if code(&error) == Some(NOT_FOUND) => Ok(None),
            Err(error) => Err(failure(operation, &error)),
        }
    }
}

/// One look at the queue.
struct Visit<'a> {
    browser: &'a Browser,
    operation: &'static str,
    channel: Channel,
    /// Of the last message that is to be given back.
    back: Option<Acker>,
    /// Of the last message that was copied.
    copied: Option<Acker>,
    copies: Option<Sending>,
}

impl Visit<'_> {
    async fn receive(
        &mut self,
        waiting: u32,
        look: &mut impl FnMut(Result<Notification, BadMessage>),
    ) -> Result<()> {
        let mut consumer = self.consume(waiting).await?;
        let mut seen = 0;
        while seen < waiting {
            let Ok(Some(delivery)) = timeout(self.browser.idle, consumer.next()).await else { break };
            let delivery = delivery.map_err(|error| failure(self.operation, &error))?;
            seen += 1;
            self.keep(delivery, look).await?;
        }
        let cancel = self.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
        answer(self.operation, cancel).await
    }

    /// No more than wait are delivered, where AMQP can say so.
    async fn consume(&mut self, waiting: u32) -> Result<Consumer> {
        let prefetch = u16::try_from(waiting).unwrap_or(0);
        answer(self.operation, self.channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
        let (queue, options) = (self.browser.queue.queue.clone(), BasicConsumeOptions::default());
        let consume = self.channel.basic_consume(queue, "".into(), options, FieldTable::default());
        answer(self.operation, consume).await
    }

    async fn keep(
        &mut self,
        mut delivery: Delivery,
        look: &mut impl FnMut(Result<Notification, BadMessage>),
    ) -> Result<()> {
        if self.copies.is_none() && is_counted(&delivery.properties) {
            self.copies = Some(self.copies().await?);
        }
        if let Some(copies) = &mut self.copies {
            let key = self.browser.queue.queue.clone();
            let properties = without_count(&delivery.properties);
            copies.publish("".into(), key, delivery.data.clone(), properties).await?;
        }
        let body = std::mem::take(&mut delivery.data);
        look(body::text(body, &delivery.properties).and_then(Notification::open));
        if self.copies.is_some() {
            self.copied = Some(delivery.acker);
        } else {
            self.back = Some(delivery.acker);
        }
        Ok(())
    }

    async fn copies(&mut self) -> Result<Sending> {
        let channel = self.browser.link.channel(self.operation).await?;
        answer(self.operation, channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(Sending::new(self.operation, channel))
    }

    /// Leaves the queue as it was.
    async fn give_back(mut self) -> Result<()> {
        let confirmed = match &mut self.copies {
            Some(copies) => copies.confirm().await,
            None => Ok(()),
        };
        let all = BasicNackOptions { multiple: true, requeue: true };
        if let Some(acker) = &self.back {
            answer(self.operation, acker.nack(all)).await?;
        }
        if let Some(acker) = &self.copied {
            match &confirmed {
                Ok(()) => answer(self.operation, acker.ack(BasicAckOptions { multiple: true })).await?,
                Err(_) => answer(self.operation, acker.nack(all)).await?,
            };
        }
        // What was delivered too much goes back with the channel.
        answer(self.operation, self.channel.close(200, "OK".into())).await?;
        confirmed
    }
}

fn is_counted(properties: &BasicProperties) -> bool {
    properties.headers().as_ref().is_some_and(|headers| headers.inner().contains_key(DELIVERY_COUNT))
}

fn without_count(properties: &BasicProperties) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in properties.headers().iter().flat_map(FieldTable::inner) {
        if name.as_str() != DELIVERY_COUNT {
            headers.insert(name.clone(), value.clone());
        }
    }
    properties.clone().with_headers(headers)
}
