//! Sending notifications.

use std::collections::VecDeque;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation};
use nephoscope_telemetry::{Error, ErrorKind, Result};
use tokio::sync::Mutex;

use crate::connection::Link;
use crate::failure::answer;
use crate::notification::Outgoing;
use crate::topology::{Destination, declare};

/// How many bytes and messages the broker may owe its word for: enough that nobody waits for a round trip, little
/// enough that a large batch is not held twice.
const UNCONFIRMED_BYTES: usize = 8 << 20;
const UNCONFIRMED_MESSAGES: usize = 4_000;
/// Kept on disk by a durable queue. oslo.messaging says so for every queue.
const PERSISTENT: u8 = 2;

/// A message on its way: until it is written, and then until it is confirmed.
type Publishing = Pin<Box<dyn Future<Output = lapin::Result<Confirmation>> + Send>>;

/// Sends notifications to one [`Destination`], over one channel that is replaced when it breaks.
#[derive(Debug)]
pub struct Publisher {
    link: Arc<Link>,
    to: Destination,
    /// Held while a channel is opened; sending only borrows what is in it. Hence a lock that can be held across an
    /// await.
    channel: Mutex<Option<Channel>>,
}

impl Publisher {
    pub(crate) fn new(link: Arc<Link>, to: Destination) -> Self {
        Self { link, to, channel: Mutex::default() }
    }

    /// Sends notifications in order. `Ok` means that the broker has confirmed all of them: they are in the queue, and
    /// in one that is durable, on its disk.
    ///
    /// A message that the broker finds too large costs itself: the others are sent, and the error is
    /// [`ErrorKind::Invalid`].
    pub async fn send(&self, operation: &'static str, messages: &[Outgoing]) -> Result<()> {
        match self.send_together(operation, messages).await {
            Err(error) if error.kind() == ErrorKind::Invalid && messages.len() > 1 => {
                self.send_singly(operation, messages).await
            }
            sent => sent,
        }
    }

    /// The broker closes the channel at a message that it does not take, and forgets what came behind it.
    async fn send_singly(&self, operation: &'static str, messages: &[Outgoing]) -> Result<()> {
        let mut refused = Ok(());
        for message in messages {
            match self.send_together(operation, std::slice::from_ref(message)).await {
                Err(error) if error.kind() == ErrorKind::Invalid => refused = Err(error),
                sent => sent?,
            }
        }
        refused
    }

    async fn send_together(&self, operation: &'static str, messages: &[Outgoing]) -> Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut sending = Sending::new(operation, self.channel(operation).await?);
        let properties = properties();
        let send_all = async {
            for message in messages {
                let (exchange, key) = (self.to.exchange.clone(), self.to.routing_key.clone());
                sending.publish(exchange, key, message.body().into_bytes(), properties.clone()).await?;
            }
            sending.confirm().await
        };
        let sent = send_all.await;
        if sent.is_err() {
            // The next one begins anew, and declares what may have been deleted.
            *self.channel.lock().await = None;
        }
        sent
    }

    /// The channel, with everything declared.
    pub(crate) async fn channel(&self, operation: &'static str) -> Result<Channel> {
        let mut current = self.channel.lock().await;
        if let Some(open) = current.as_ref().filter(|open| open.status().connected()) {
            return Ok(open.clone());
        }
        let channel = declare(&self.link, operation, &self.to).await?;
        answer(operation, channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(current.insert(channel).clone())
    }
}

/// The properties that kombu sets.
fn properties() -> BasicProperties {
    BasicProperties::default()
        .with_content_type("application/json".into())
        .with_content_encoding("utf-8".into())
        .with_headers(FieldTable::default())
        .with_delivery_mode(PERSISTENT)
        .with_priority(0)
}

/// Messages on their way over a channel that confirms them.
///
/// The client's future of a publication ends when it is written to the socket, which another thread does. Were each
/// waited for, every message would cost a turn between the two threads; so that is waited for as late as confirmations.
pub(crate) struct Sending {
    operation: &'static str,
    channel: Arc<Channel>,
    unconfirmed: VecDeque<(usize, Publishing)>,
    bytes: usize,
}

impl Sending {
    pub(crate) fn new(operation: &'static str, channel: Channel) -> Self {
        Self { operation, channel: Arc::new(channel), unconfirmed: VecDeque::new(), bytes: 0 }
    }

    /// Sends one message; waits for the oldest ones when too many are on their way.
    pub(crate) async fn publish(
        &mut self,
        exchange: ShortString,
        routing_key: ShortString,
        body: Vec<u8>,
        properties: BasicProperties,
    ) -> Result<()> {
        let bytes = body.len();
        while self.bytes + bytes > UNCONFIRMED_BYTES || self.unconfirmed.len() >= UNCONFIRMED_MESSAGES {
            if self.unconfirmed.is_empty() {
                break;
            }
            self.confirm_oldest().await?;
        }
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let channel = self.channel.clone();
        let mut publishing: Publishing = Box::pin(async move {
            channel.basic_publish(exchange, routing_key, options, &body, properties).await?.await
        });
        // The first look puts the message behind those before it, for the other thread to write.
        let publishing = match publishing.as_mut().now_or_never() {
            None => publishing,
            Some(done) => Box::pin(ready(done)),
        };
        self.bytes += bytes;
        self.unconfirmed.push_back((bytes, publishing));
        Ok(())
    }

    /// Waits until the broker has confirmed all.
    pub(crate) async fn confirm(&mut self) -> Result<()> {
        while !self.unconfirmed.is_empty() {
            self.confirm_oldest().await?;
        }
        Ok(())
    }

    async fn confirm_oldest(&mut self) -> Result<()> {
        let Some((bytes, publishing)) = self.unconfirmed.pop_front() else { return Ok(()) };
        let confirmed = answer(self.operation, publishing).await?;
        self.bytes -= bytes;
        let problem = match confirmed {
            Confirmation::Ack(None) => return Ok(()),
            Confirmation::Ack(Some(_)) => "the broker returns it: no queue is bound to the exchange any more",
            Confirmation::Nack(_) => "the broker does not take it now; its queue may be full",
            Confirmation::NotRequested => unreachable!("the channel confirms"),
        };
        Err(Error::new(ErrorKind::Unavailable, self.operation, problem))
    }
}
