//! Paths into JSON, in the dialect of Ceilometer's definition files.
//!
//! The dialect is that of the Python libraries jsonpath-rw 1.4 and jsonpath-rw-ext 1.2, which is none of the standards:
//! `$.a.b`, `a.(b|c)`, `[*]`, `[0]`, `[1:3]`, `a[?key = image_id]`, `a[?(@.name='x')].value * 100`, `a + "_" + b`,
//! ``a.`split(#, 0, 1)` ``, ``a.`sub(/x/, y)` ``, `` `len` ``, `` `sorted` ``, `[/a,\b]`, `..`, `where`. What the libraries
//! make of a path is what is found here, down to the precedence of their operators, which nobody would guess: `a.b|c` is
//! `a.(b|c)`, and arithmetic groups to the right.
//!
//! Three things differ. `/` divides: their grammar has it, but their lexer never lets it through. Where their code raises
//! an error, for want of an index or of a number, nothing is found. And there are bounds: on the length of a path, on how
//! deep it is nested, and on how much one search may look at.
//!
//! A document is searched as text, without making a tree of it.

mod evaluation;
mod lexer;
mod node;
mod number;
mod parser;
mod simple;
mod text;
mod value;

use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

use evaluation::{Datum, Search};
use node::Node;
pub(crate) use simple::Chains;
pub use value::Value;

/// The longest path, in bytes. Those in use have fewer than 100; some are made by joining many fields.
const MAX_LENGTH: usize = 4096;

/// A text that is no path of the dialect, and where it stops being one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {at}")]
pub struct InvalidPath {
    /// What is wrong.
    pub problem: String,
    /// How many bytes before the place.
    pub at: usize,
}

impl InvalidPath {
    fn new(problem: impl Into<String>, at: usize) -> Self {
        Self { problem: problem.into(), at }
    }
}

/// A path, ready to be followed in any number of documents.
///
/// `Display` spells it in a way that reads back as the same path, though not always as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    node: Node,
    chains: Option<Chains>,
}

/// One value that a path has found.
#[derive(Clone, Debug)]
pub struct Match<'a> {
    datum: Datum<'a>,
}

impl<'a> Match<'a> {
    /// The value.
    pub fn value(&self) -> &Value<'a> {
        &self.datum.value
    }

    /// The value.
    pub fn into_value(self) -> Value<'a> {
        self.datum.value
    }

    /// Where it was found: the keys and indexes on the way, with points between them, `a.[0].b`. Empty for the whole
    /// document, and for what was calculated.
    pub fn place(&self) -> String {
        self.datum.place()
    }
}

impl Path {
    /// All that the path finds in a document, in its order: values that are `null`, too.
    ///
    /// The document is JSON text that was checked. In other text anything may be found.
    pub fn find<'a>(&'a self, document: &'a str) -> Vec<Match<'a>> {
        let top = Rc::new(Datum::top(Value::Json(document.trim_ascii())));
        let found = Search::default().find(&self.node, &top).unwrap_or_default();
        found.into_iter().map(|datum| Match { datum }).collect()
    }

    /// The first value that is not `null`.
    ///
    /// A path that consists of names only, with alternatives among them, is followed in one pass over the text.
    pub fn first<'a>(&'a self, document: &'a str) -> Option<Value<'a>> {
        match &self.chains {
            Some(chains) => chains.first(document).map(Value::Json),
            None => self.find(document).into_iter().map(Match::into_value).find(|value| !value.is_null()),
        }
    }

    /// The names that lead to what it finds, where it consists of nothing else: alternatives, in their order.
    pub(crate) fn chains(&self) -> Option<&Chains> {
        self.chains.as_ref()
    }
}

impl FromStr for Path {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidPath::new(format!("longer than {MAX_LENGTH} bytes"), MAX_LENGTH));
        }
        let node = parser::parse(text)?;
        let chains = Chains::of(&node);
        Ok(Self { node, chains })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

#[cfg(test)]
mod tests;
