//! How samples, events and trace points travel.
//!
//! A [`Source`] takes telemetry in: off the message bus, from datagrams, from connections. What it brings is looked at once
//! ([`Load`]) and handed to the [`Intake`], which has it on disk before the source lets go of it; trace points go to where
//! traces are stored. From the spool a [`Delivery`] for each dispatcher sends on what is its to send, at its own pace. What
//! nobody will ever take goes to the [`DeadLetters`].
//!
//! A message is acknowledged when its contents are on disk or stored, so that nothing is lost when either end goes away;
//! then some are delivered, and stored, once more, which does no harm.

mod backoff;
mod dead_letters;
mod delivery;
mod intake;
mod load;
mod meter;
mod msgpack;
mod run;
mod signature;
mod source;

pub use dead_letters::{DeadLetters, Letter, REFUSED};
pub use delivery::{Delivery, DeliveryCounts};
pub use intake::{Intake, IntakeCounts};
pub use load::{Bad, Load, Packed};
pub use meter::Meter;
pub use msgpack::{NotMessagePack, to_json};
pub use run::Run;
pub use signature::{BadSignature, Verifier};
pub use source::{Probe, QueueState, Settings, Source, UDP_KERNEL_BUFFER};
