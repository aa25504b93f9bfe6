//! How a report is shown to people: as a tree of text, as a graph, as a page.
//!
//! Each writes as it goes, in time and size linear in the operations (sorting aside) whatever their depth, and none
//! recurses. What services sent is data: no text of theirs can steer a terminal, end a quoted label or become part
//! of a page.

mod dot;
mod figures;
mod html;
mod subject;
mod summary;
mod text;
mod tree;

pub use dot::write_dot;
pub use html::write_html;
pub(crate) use text::{visible, width};
pub use tree::{Style, write_tree};

#[cfg(test)]
mod tests;
