//! The embedded Gnocchi: resources, metrics and their aggregates in a directory of this machine.
//!
//! - `index`: archive policies, rules, resource types, resources with their history, metrics: who there is
//! - `series`: what was measured: journal, raw measures of the back window, aggregates, blocks
//! - `calculation`: what is made of several series on reading
//!
//! Knows no HTTP.

mod calculation;
mod failure;
mod index;
mod number_map;
mod reading;
pub mod series;
mod session;
mod store;
mod upkeep;

pub use session::Session;
pub use store::{Options, Stats, Store};
