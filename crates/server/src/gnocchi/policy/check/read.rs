//! Reading checks.
//!
//! What oslo.policy cannot read never holds there, with a line in a log; here it is a mistake in the policy.

use std::fmt;
use std::str::FromStr;

use super::{Check, MAX_DEPTH};

/// Kinds that would ask somebody else: another server, over the network, while the request waits.
const REMOTE: [&str; 3] = ["http", "https", "remote"];

/// A text that is no check.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::gnocchi) struct NoCheck(pub(super) String);

impl fmt::Display for NoCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Check {
    type Err = NoCheck;

    fn from_str(text: &str) -> Result<Self, NoCheck> {
        if text.trim().is_empty() {
            return Ok(Self::Always);
        }
        let mut tokens = Tokens { rest: text, depth: 0 };
        let check = tokens.or()?;
        match tokens.next() {
            None => Ok(check),
            Some(token) => Err(NoCheck(format!("`{token}` is one too many"))),
        }
    }
}

impl Check {
    /// A list of lists, as the oldest policies are written: one of the outer list has to hold, all of an inner one.
    pub(in super::super) fn from_lists(lists: &[Vec<String>]) -> Result<Self, NoCheck> {
        if lists.is_empty() {
            return Ok(Self::Always);
        }
        let mut any = Vec::new();
        for list in lists.iter().filter(|list| !list.is_empty()) {
            let all = list.iter().map(|text| word(text)).collect::<Result<Vec<_>, _>>()?;
            any.push(joined(all, Self::And));
        }
        Ok(if any.is_empty() { Self::Never } else { joined(any, Self::Or) })
    }
}

fn joined(mut checks: Vec<Check>, join: fn(Vec<Check>) -> Check) -> Check {
    if checks.len() == 1 { checks.remove(0) } else { join(checks) }
}

/// What is left to read.
struct Tokens<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Tokens<'a> {
    fn peek(&self) -> Option<&'a str> {
        Tokens { rest: self.rest, depth: 0 }.next()
    }

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_start();
        let end = match rest.chars().next()? {
            '(' | ')' => 1,
            _ => end_of_word(rest),
        };
        let (token, rest) = rest.split_at(end);
        self.rest = rest;
        Some(token)
    }

    fn or(&mut self) -> Result<Check, NoCheck> {
        self.several("or", Self::and, Check::Or)
    }

    fn and(&mut self) -> Result<Check, NoCheck> {
        self.several("and", Self::one, Check::And)
    }

    fn several(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Result<Check, NoCheck>,
        join: fn(Vec<Check>) -> Check,
    ) -> Result<Check, NoCheck> {
        let mut checks = vec![part(self)?];
        while self.peek().is_some_and(|token| token.eq_ignore_ascii_case(word)) {
            self.next();
            checks.push(part(self)?);
        }
        Ok(joined(checks, join))
    }

    fn one(&mut self) -> Result<Check, NoCheck> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(NoCheck("it is too deep".into()));
        }
        let check = match self.next() {
            None => Err(NoCheck("it ends too early".into())),
            Some("(") => {
                let check = self.or()?;
                match self.next() {
                    Some(")") => Ok(check),
                    _ => Err(NoCheck("a parenthesis is not closed".into())),
                }
            }
            Some(not) if not.eq_ignore_ascii_case("not") => Ok(Check::Not(Box::new(self.one()?))),
            Some(text) => word(text),
        };
        self.depth -= 1;
        check
    }
}

/// Reads a check without any parts.
fn word(word: &str) -> Result<Check, NoCheck> {
    match word {
        "@" => return Ok(Check::Always),
        "!" => return Ok(Check::Never),
        _ => {}
    }
    let unread = || NoCheck(format!("`{word}` is no check; one is written kind:value"));
    let (kind, value) = word.split_once(':').filter(|(kind, _)| !kind.is_empty()).ok_or_else(unread)?;
    // Whole in quotes it is a text and nothing more.
    if is_quoted(word) {
        return Err(unread());
    }
    match kind {
        "role" => Ok(Check::Role(value.parse()?)),
        "rule" => Ok(Check::Rule(value.to_owned())),
        kind if REMOTE.contains(&kind) => Err(NoCheck(format!(
            "`{word}` would leave the decision to another server, and that is not done here; write the rule out"
        ))),
        kind => Ok(match literal(kind) {
            Some(text) => Check::Same(text, value.parse()?),
            None => Check::Match(kind.to_owned(), value.parse()?),
        }),
    }
}

fn is_quoted(word: &str) -> bool {
    let mut characters = word.chars();
    matches!((characters.next(), characters.next_back()), (Some('"'), Some('"')) | (Some('\''), Some('\'')))
}

/// The text of what Python takes for a value of its own, where it stands instead of a name: `'Member':%(name)s`.
fn literal(kind: &str) -> Option<String> {
    if is_quoted(kind) {
        return Some(kind[1..kind.len() - 1].to_owned());
    }
    let is_value = matches!(kind, "True" | "False" | "None") || kind.parse::<u64>().is_ok();
    is_value.then(|| kind.to_owned())
}

/// A word ends at a blank or a parenthesis, but for those of `%(name)s`.
fn end_of_word(text: &str) -> usize {
    let mut inside = false;
    let mut last = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '(' if last == '%' => inside = true,
            ')' if inside => inside = false,
            '(' | ')' => return at,
            blank if blank.is_whitespace() => return at,
            _ => {}
        }
        last = character;
    }
    text.len()
}
