//! oslo.messaging's notifications over AMQP 0-9-1, as its `rabbit` driver sends and receives them.
//!
//! A [`Transport`] says where the brokers are. A [`Publisher`] sends notifications to one topic, a [`Browser`] looks at
//! what waits in a queue and leaves it there, and a [`Consumer`] takes notifications off queues for good.
//!
//! Source of the forms: oslo.messaging 18.3, `_drivers/impl_rabbit.py`, `_drivers/amqp.py`, `_drivers/common.py` and
//! `notify/messaging.py`, compared with it on a real RabbitMQ by the tests of the drivers.

mod body;
mod browser;
mod connection;
mod consumer;
mod failure;
mod notification;
mod probe;
mod publisher;
mod tls;
mod topology;
mod transport;

pub use body::BadMessage;
pub use browser::{Browser, connect};
pub use consumer::{Batch, Consumer};
pub use notification::{Notification, Outgoing, fingerprint};
pub use probe::{QueueState, probe};
pub use publisher::Publisher;
pub use topology::{Destination, INFO};
pub use transport::Transport;
