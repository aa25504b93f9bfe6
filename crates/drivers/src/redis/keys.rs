//! The names of keys, and how they are found.

use std::sync::Arc;

use nephoscope_telemetry::{Id, Result};
use redis::cmd;

use super::connection::Connection;
use super::node::Node;

/// Before the base id of a trace: the list of its points.
pub(super) const TRACE: &str = "osprofiler_opt:";
/// Before the base id of a trace: the note of its last exception.
pub(super) const ERROR: &str = "osprofiler_error:";
/// Before base id, trace id and time of a point, each of the latter two behind a `_`: the point, as OSProfiler before
/// 2.8 kept it.
pub(super) const LEGACY: &str = "osprofiler:";

/// How many keys the server looks at before it serves somebody else: a fraction of a millisecond.
const SCAN_COUNT: u32 = 1000;

/// The key of something of this trace.
pub(super) fn key(prefix: &str, base_id: &Id) -> String {
    base_id.with_str(|id| format!("{prefix}{id}"))
}

/// The base id in a key with this prefix, if it is text.
pub(super) fn base_id(prefix: &str, key: &[u8]) -> Option<Id> {
    let id = std::str::from_utf8(key).ok()?.strip_prefix(prefix)?;
    Some(Id::new(id))
}

/// The pattern of all keys with this prefix.
pub(super) fn all(prefix: &str) -> String {
    format!("{prefix}*")
}

/// The pattern of the points that a trace has in the form of old, and of those of traces whose id begins with this
/// one and a `_`.
pub(super) fn legacy_points(base_id: &Id) -> String {
    base_id.with_str(|id| format!("{LEGACY}{}_*", literal(id)))
}

/// A pattern that matches this text and nothing else.
fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// A walk through all keys. One that is there all the while is met, perhaps more than once.
pub(super) struct Scan {
    pattern: String,
    /// The servers that were not walked through yet; nothing before the first step.
    nodes: Option<Vec<Arc<Node>>>,
    cursor: u64,
}

impl Scan {
    pub(super) fn new(pattern: String) -> Self {
        Self { pattern, nodes: None, cursor: 0 }
    }

    /// The matching keys of the next stretch, which may be none; nothing after the last.
    pub(super) async fn next(
        &mut self,
        operation: &'static str,
        connection: &Connection,
    ) -> Result<Option<Vec<Vec<u8>>>> {
        let nodes = match &mut self.nodes {
            Some(nodes) => nodes,
            none => none.insert(connection.nodes(operation).await?),
        };
        let Some(node) = nodes.last() else { return Ok(None) };
        let mut command = cmd("SCAN");
        command.arg(self.cursor).arg("MATCH").arg(&self.pattern).arg("COUNT").arg(SCAN_COUNT);
        let (next, keys): (u64, Vec<Vec<u8>>) = node.ask(operation, &command).await?;
        self.cursor = next;
        if next == 0 {
            nodes.pop();
        }
        Ok(Some(keys))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether a pattern of Redis without classes matches.
    fn matches(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], text) => text.is_empty(),
            (['*', rest @ ..], text) => (0..=text.len()).any(|at| matches(rest, &text[at..])),
            (['?', rest @ ..], [_, others @ ..]) => matches(rest, others),
            (['[', ..], _) => panic!("begins a class"),
            (['\\', one, rest @ ..] | [one, rest @ ..], [other, others @ ..]) => {
                one == other && matches(rest, others)
            }
            _ => false,
        }
    }

    fn takes(pattern: &str, text: &str) -> bool {
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        matches(&characters(pattern), &characters(text))
    }

    #[test]
    fn an_id_of_wildcards_stands_for_itself() {
        assert_eq!(legacy_points(&Id::new("*")), r"osprofiler:\*_*");
        assert!(!takes(&legacy_points(&Id::new("?")), "osprofiler:a_b_c"));
    }

    #[test]
    fn a_key_gives_back_its_id() {
        let id = Id::new("é*");
        assert_eq!(base_id(TRACE, key(TRACE, &id).as_bytes()), Some(id));
        assert_eq!(base_id(TRACE, b"osprofiler_opt:\xff"), None);
    }

    proptest! {
        #[test]
        fn a_literal_matches_only_itself(text in r"[ab*?\[\]\\^-]{0,6}", other in r"[ab*?\[\]\\^-]{0,6}") {
            prop_assert!(takes(&literal(&text), &text));
            prop_assert_eq!(takes(&literal(&text), &other), text == other);
        }
    }
}
