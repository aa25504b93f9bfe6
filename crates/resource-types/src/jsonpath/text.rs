//! What is done to texts: split, substitute, match.

use std::fmt;
use std::sync::LazyLock;

use fancy_regex::{Captures, Regex, RegexBuilder};

/// How many steps back a regular expression may go on one text, so that no definition can stop the service.
const MAX_BACKTRACKS: usize = 100_000;
/// The longest text that an operation may make.
pub(super) const MAX_TEXT: usize = 1 << 20;

static SPLIT: LazyLock<Regex> = LazyLock::new(|| constant(r"\Asplit\((.),\s+(\d+),\s+(\d+|-1)\)"));
static SUBSTITUTION: LazyLock<Regex> = LazyLock::new(|| constant(r"\Asub\(/(.*)/,\s+(.*)\)"));

fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern that tests compile")
}

/// `split(#, 0, 1)`: which piece of a text, when that is cut at a character so many times; `-1` at all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) at: char,
    pub(super) segment: usize,
    /// Nothing: at all of them.
    pub(super) cuts: Option<usize>,
}

impl Split {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let found = SPLIT.captures(text).ok()??;
        let number = |nth| found.get(nth).map(|text| text.as_str().parse().unwrap_or(usize::MAX));
        Some(Self {
            at: found.get(1)?.as_str().chars().next()?,
            segment: number(2)?,
            cuts: if found.get(3)?.as_str() == "-1" { None } else { number(3) },
        })
    }

    pub(super) fn of<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self.cuts {
            None => text.split(self.at).nth(self.segment),
            Some(cuts) => text.splitn(cuts.saturating_add(1), self.at).nth(self.segment),
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "split({}, {}, ", self.at, self.segment)?;
        match self.cuts {
            None => f.write_str("-1)"),
            Some(cuts) => write!(f, "{cuts})"),
        }
    }
}

/// `sub(/pattern/, replacement)`.
#[derive(Clone, Debug)]
pub(super) struct Substitution {
    pub(super) pattern: Pattern,
    pub(super) replacement: String,
}

impl PartialEq for Substitution {
    fn eq(&self, other: &Self) -> bool {
        self.pattern.text == other.pattern.text && self.replacement == other.replacement
    }
}

impl Substitution {
    /// Nothing, when it is not of this form; the reason, when the pattern is none.
    pub(super) fn parse(text: &str) -> Option<Result<Self, String>> {
        let found = SUBSTITUTION.captures(text).ok()??;
        let part = |nth| found.get(nth).map(|text| text.as_str().trim());
        let (pattern, replacement) = (part(1)?, part(2)?.to_owned());
        Some(Pattern::new(pattern).map(|pattern| Self { pattern, replacement }))
    }

    /// Nothing, when nothing changes.
    pub(super) fn of(&self, text: &str) -> Option<String> {
        let mut changed = String::with_capacity(text.len());
        let (mut copied, mut at) = (0, 0);
        // As Python does since 3.7: an empty match counts behind one that is not, but not behind another empty one.
        while at <= text.len() {
            let Some(found) = self.pattern.regex.captures_from_pos(text, at).ok()? else { break };
            let whole = found.get(0)?;
            changed.push_str(&text[copied..whole.start()]);
            expand(&self.replacement, &found, &mut changed)?;
            copied = whole.end();
            at = whole.end();
            if whole.start() == whole.end() {
                at += text[at..].chars().next().map_or(1, char::len_utf8);
            }
            if changed.len() > MAX_TEXT {
                return None;
            }
        }
        changed.push_str(&text[copied..]);
        (changed != text).then_some(changed)
    }
}

impl fmt::Display for Substitution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sub(/{}/, {})", self.pattern.text, self.replacement)
    }
}

/// Appends a replacement in the way Python writes it: `\1`, `\g<1>`, `\g<name>`, `\n`. Nothing, when it names what is not
/// there.
fn expand(replacement: &str, found: &Captures<'_, str>, out: &mut String) -> Option<()> {
    let mut rest = replacement;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escaped = &rest[at + 1..];
        if let Some(named) = escaped.strip_prefix("g<") {
            let (name, behind) = named.split_once('>')?;
            out.push_str(group(found, name)?);
            rest = behind;
            continue;
        }
        let digits = escaped.bytes().take(2).take_while(u8::is_ascii_digit).count();
        if digits > 0 && !escaped.starts_with('0') {
            out.push_str(group(found, &escaped[..digits])?);
            rest = &escaped[digits..];
            continue;
        }
        let character = escaped.chars().next()?;
        rest = &escaped[character.len_utf8()..];
        match character {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            '\\' => out.push('\\'),
            letter if letter.is_ascii_alphanumeric() => return None,
            other => out.extend(['\\', other]),
        }
    }
    out.push_str(rest);
    Some(())
}

/// The text of a group, by number or name; empty, when it took no part in the match.
fn group<'a>(found: &'a Captures<'_, str>, name: &str) -> Option<&'a str> {
    match name.parse::<usize>() {
        Ok(number) if number >= found.len() => None,
        Ok(number) => Some(found.get(number).map_or("", |text| text.as_str())),
        Err(_) => found.name(name).map(|text| text.as_str()),
    }
}

/// A regular expression as Python has them, look-around and back references included.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) text: String,
    regex: Regex,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        compile(text).map(|regex| Self { text: text.into(), regex })
    }
}

/// Whether a pattern matches from the beginning of a text; nothing, when it is no pattern or cannot be decided.
pub(super) fn matches_from_start(pattern: &str, text: &str) -> Option<bool> {
    compile(&format!("\\A(?:{pattern})")).ok()?.is_match(text).ok()
}

fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).backtrack_limit(MAX_BACKTRACKS).build().map_err(|error| error.to_string())
}
