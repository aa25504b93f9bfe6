//! A queue on disk: what one side appends, several readers take out in order, each at its own pace.
//!
//! [`Spool::append`] returns when its records are on disk, so that whoever brought them may be told. A [`Reader`] keeps its
//! place by its name, over restarts too, and what all readers have passed is deleted. The spool has a size; while it is
//! full, appending waits.
//!
//! On disk are segments, files that only grow, of frames that tell of themselves whether they are whole. Nothing is ever
//! written into a file of an earlier run. `docs/spool-format.md` has the bytes.

mod failure;
mod frame;
mod place;
mod reader;
mod segments;
mod spool;
mod writer;

pub use frame::Record;
pub use place::Place;
pub use reader::{Chunk, Reader};
pub use spool::{Spool, Stats};
