//! The sources of the daemon: what it takes off the message bus, where the build can.

#[cfg(feature = "messaging")]
mod bus;
#[cfg(not(feature = "messaging"))]
mod left_out;

#[cfg(feature = "messaging")]
pub use bus::{Sources, check};
#[cfg(not(feature = "messaging"))]
pub use left_out::{Sources, check};
