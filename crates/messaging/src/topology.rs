//! Exchanges, queues and bindings, declared as oslo.messaging declares them.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind};
use nephoscope_telemetry::{Error, ErrorKind, Result};

use crate::connection::Link;
use crate::failure::{ACCESS_REFUSED, PRECONDITION_FAILED, answer, code, failure};
use crate::transport::Options;

/// The priority of OSProfiler's notifications and of most others, as a queue has it in its name.
pub const INFO: &str = "info";

/// The longest name that AMQP can say.
const LONGEST_NAME: usize = 255;

/// How queues are declared. Who declares one otherwise than it is there is refused by the broker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queues {
    pub(crate) durable: bool,
    auto_delete: bool,
    arguments: FieldTable,
}

impl Queues {
    /// Reads the options, by their names in oslo.messaging. A quorum queue is always durable.
    pub(crate) fn read(options: &Options<'_>) -> Result<Self> {
        let (quorum, mirrored) = (options.flag("rabbit_quorum_queue")?, options.flag("rabbit_ha_queues")?);
        if quorum && mirrored {
            return Err(options.wrong("a queue is either of rabbit_quorum_queue or of rabbit_ha_queues"));
        }
        let mut arguments = FieldTable::default();
        let mut set = |name: &str, value| {
            arguments.insert(name.into(), value);
        };
        if mirrored {
            set("x-ha-policy", AMQPValue::LongString("all".into()));
        }
        if quorum {
            set("x-queue-type", AMQPValue::LongString("quorum".into()));
        }
        for (option, argument) in [
            ("rabbit_quorum_delivery_limit", "x-delivery-limit"),
            ("rabbit_quorum_max_memory_length", "x-max-in-memory-length"),
            ("rabbit_quorum_max_memory_bytes", "x-max-in-memory-bytes"),
        ] {
            let Some(text) = options.get(option) else { continue };
            let number: u32 = text
                .parse()
                .map_err(|_| options.wrong(format!("option `{option}` is a number, not `{text}`")))?;
            if quorum && number > 0 {
                set(argument, AMQPValue::LongLongInt(number.into()));
            }
        }
        let durable = options.flag("amqp_durable_queues")? || quorum;
        Ok(Self { durable, auto_delete: options.flag("amqp_auto_delete")?, arguments })
    }
}

/// An exchange, and the queue of one topic and priority, `<topic>.<priority>`, bound to it by its own name.
#[derive(Clone, Debug)]
pub struct Destination {
    pub(crate) exchange: ShortString,
    /// Of a queue with the name of its routing key, or of the pool that has its own copy.
    pub(crate) queue: ShortString,
    pub(crate) routing_key: ShortString,
}

impl Destination {
    /// Of this control exchange, topic and priority (in lower case).
    pub fn new(exchange: &str, topic: &str, priority: &str) -> Result<Self> {
        name(topic)?;
        let routing_key = name(&format!("{topic}.{priority}"))?;
        Ok(Self { exchange: name(exchange)?, queue: routing_key.clone(), routing_key })
    }

    /// The same messages, but copies of them in a queue with the name of this pool.
    pub fn pooled(mut self, pool: &str) -> Result<Self> {
        self.queue = name(pool)?;
        Ok(self)
    }
}

fn name(text: &str) -> Result<ShortString> {
    if text.is_empty() || text.len() > LONGEST_NAME {
        return Err(Error::new(
            ErrorKind::Config,
            "name a queue",
            format!("an exchange, topic or pool has 1 to {LONGEST_NAME} bytes, its priority included"),
        ));
    }
    Ok(text.into())
}

/// What is declared, in this order.
#[derive(Clone, Copy)]
enum Step {
    Exchange,
    Queue,
    Binding,
}

/// Declares exchange, queue and binding on a new channel, and returns a channel on which that was accepted.
///
/// What is there already, but with other properties, is used as it is; so is what this user may not declare.
pub(crate) async fn declare(link: &Link, operation: &'static str, to: &Destination) -> Result<Channel> {
    let queues = &link.transport().queues;
    let mut channel = link.channel(operation).await?;
    for step in [Step::Exchange, Step::Queue, Step::Binding] {
        let refused = match declare_step(operation, &channel, queues, to, step, false).await? {
            Ok(()) => continue,
            Err(error) => error,
        };
        if !matches!(code(&refused), Some(PRECONDITION_FAILED | ACCESS_REFUSED)) {
            return Err(failure(operation, &refused));
        }
        tracing::debug!(%refused, "using what is there");
        // The refusal has closed the channel.
        channel = link.channel(operation).await?;
        if declare_step(operation, &channel, queues, to, step, true).await?.is_err() {
            return Err(failure(operation, &refused));
        }
    }
    Ok(channel)
}

/// Declares one of them, or only asks whether it is there. What the broker says to it, unless it says nothing.
async fn declare_step(
    operation: &'static str,
    channel: &Channel,
    queues: &Queues,
    to: &Destination,
    step: Step,
    passive: bool,
) -> Result<lapin::Result<()>> {
    let (durable, auto_delete) = (queues.durable, queues.auto_delete);
    let none = FieldTable::default();
    let declared = async {
        Ok(match step {
            Step::Exchange => {
                let options = ExchangeDeclareOptions { passive, durable, auto_delete, ..Default::default() };
                channel.exchange_declare(to.exchange.clone(), ExchangeKind::Topic, options, none).await
            }
            Step::Queue => {
                let options = QueueDeclareOptions { passive, durable, auto_delete, ..Default::default() };
                let arguments = queues.arguments.clone();
                channel.queue_declare(to.queue.clone(), options, arguments).await.map(drop)
            }
            // What this user may not bind is bound, or the broker returns what is published.
            Step::Binding if passive => Ok(()),
            Step::Binding => {
                let (exchange, key) = (to.exchange.clone(), to.routing_key.clone());
                channel.queue_bind(to.queue.clone(), exchange, key, QueueBindOptions::default(), none).await
            }
        })
    };
    answer(operation, declared).await
}
