//! For tests only.
//!
//! [`server`] starts and stops private real servers; [`http`] is a double of one that misbehaves; [`gnocchi`] runs Gnocchi's
//! own suite, and holds ours and remote ones to one; [`conformance`] holds every driver to the promises of
//! [`Driver`](nephoscope_telemetry::Driver), [`dispatchers`] every dispatcher to those of
//! [`Dispatcher`](nephoscope_telemetry::Dispatcher); [`osprofiler`] asks the real OSProfiler.
//!
//! What goes wrong here is a failed test, so most functions panic and say why.

pub mod ceilometer;
pub mod ceilometerclient;
pub mod conformance;
pub mod dispatchers;
mod failures;
pub mod gnocchi;
pub mod http;
pub mod opentelemetry;
pub mod osprofiler;
pub mod random;
pub mod server;
mod suite;
mod trial;

pub use libtest_mimic::{Arguments, Trial};
pub use suite::Excuse;
pub use trial::{conclude, trial};
