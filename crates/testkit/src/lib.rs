//! For tests only.
//!
//! [`server`] starts and stops private real servers; the conformance suite holds every driver to the promises of
//! [`Driver`](nephoscope_telemetry::Driver).
//!
//! What goes wrong here is a failed test, so most functions panic and say why.

pub mod conformance;
pub mod server;
mod trial;

pub use libtest_mimic::{Arguments, Trial};
pub use trial::{conclude, trial};
