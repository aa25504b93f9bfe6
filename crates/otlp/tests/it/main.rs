//! The promises of the crate, over all that there may be.
#![expect(clippy::unwrap_used, reason = "what goes wrong in a test is a failed test")]

mod any;
mod json;
mod meaning;
mod round_trip;
