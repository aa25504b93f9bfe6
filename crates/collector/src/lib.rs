//! Where telemetry is taken in: a [`Source`] takes trace points off the message bus and has them stored.
//!
//! A message is acknowledged when its point is stored, so that nothing is lost when either end goes away; then some are
//! delivered, and stored, once more, which does no harm.

mod backoff;
mod dead_letters;
mod delivery;
mod load;
mod meter;
mod settings;
mod signature;
mod source;

pub use dead_letters::{DeadLetters, Letter, REFUSED};
pub use delivery::{Delivery, DeliveryCounts};
pub use load::{Bad, Load};
pub use meter::Meter;
pub use settings::Settings;
pub use signature::{BadSignature, Verifier};
pub use source::Source;
