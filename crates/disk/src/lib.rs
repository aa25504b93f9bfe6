//! What the stores of one machine stand on: a directory that one process has at a time, and the engine that keeps their
//! records, with what it has to be held to.
//!
//! - [`Directory`]: whose a directory is, which version made it, and that it is locked
//! - [`engine`]: opening, waiting for and closing fjall, and the journal that it may lose something of
//! - [`fields`]: the pieces that records are made of
//! - [`Error`]: what went wrong, told by what the caller can do

mod directory;
pub mod engine;
mod error;
pub mod fields;
mod journal;

pub use directory::{Directory, Layout, is_store};
pub use error::{Error, ErrorKind, Result, damaged, engine_failure, io_failure, is_damage};
