//! Paths to tokens.

use super::InvalidPath;
use super::node::Comparison;

/// A piece of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name, bare or in quotes.
    Name(String),
    /// What stands between backquotes.
    Named(String),
    Integer(i128),
    Float(f64),
    Bool(bool),
    Where,
    Comparison(Comparison),
    /// `..`
    TwoDots,
    /// A slash or backslash, with or without a comma before it. It begins a key to sort by; a slash alone divides, too.
    Sort {
        backslash: bool,
        comma: bool,
    },
    /// A character that means itself.
    Mark(char),
}

/// Characters that are tokens of their own.
const MARKS: &str = "*.[]()$,:|&?@+-";

/// All tokens of a path, each with the byte at which it begins.
///
/// The order in which kinds are tried is that of the lexer of jsonpath-rw-ext 1.2, so `true` begins a boolean even in
/// `trueish`, and `a -1` is a name and a number.
pub(super) fn tokens(path: &str) -> Result<Vec<(usize, Token)>, InvalidPath> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = path[at..].chars().next() {
        if matches!(first, ' ' | '\t' | '\n') && sort(&path[at..]).is_none() {
            at += 1;
            continue;
        }
        let (token, length) = token(&path[at..], first).map_err(|problem| InvalidPath::new(problem, at))?;
        tokens.push((at, token));
        at += length;
    }
    Ok(tokens)
}

type Found = Result<(Token, usize), &'static str>;

fn token(rest: &str, first: char) -> Found {
    if let Some(word) = ["true", "false"].into_iter().find(|word| rest.starts_with(word)) {
        return Ok((Token::Bool(word == "true"), word.len()));
    }
    if let Some(found) = sort(rest).or_else(|| name(rest)) {
        return Ok(found);
    }
    if let Some(found) = number(rest) {
        return found;
    }
    match first {
        '\'' | '"' => quoted(rest, first).map(|(text, length)| (Token::Name(text), length)),
        '`' => quoted(rest, first).map(|(text, length)| (Token::Named(text), length)),
        _ => mark(rest, first),
    }
}

fn mark(rest: &str, first: char) -> Found {
    if rest.starts_with("..") {
        return Ok((Token::TwoDots, 2));
    }
    if let Some((comparison, length)) = Comparison::spelled(rest) {
        return Ok((Token::Comparison(comparison), length));
    }
    if MARKS.contains(first) { Ok((Token::Mark(first), 1)) } else { Err("no such character belongs here") }
}

/// Where the text begins with a space or tab, those are passed beforehand and no part of the token.
fn sort(rest: &str) -> Option<(Token, usize)> {
    if rest.starts_with([' ', '\t']) {
        return None;
    }
    let behind = rest.strip_prefix(',');
    let comma = behind.is_some();
    let behind = behind.unwrap_or(rest).trim_start_matches(|c: char| c.is_whitespace());
    let backslash = match behind.chars().next()? {
        '/' => false,
        '\\' => true,
        _ => return None,
    };
    Some((Token::Sort { backslash, comma }, rest.len() - behind.len() + 1))
}

/// Whether a text is a name that needs no quotes.
pub(super) fn is_name(text: &str) -> bool {
    let plain = name(text).is_some_and(|(token, length)| length == text.len() && token != Token::Where);
    plain && !text.starts_with("true") && !text.starts_with("false")
}

fn name(rest: &str) -> Option<(Token, usize)> {
    let bare = rest.strip_prefix('@').unwrap_or(rest);
    if !bare.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    let behind = bare.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '@' | '-'));
    let length = rest.len() - behind.len();
    let token = match &rest[..length] {
        "where" => Token::Where,
        name => Token::Name(name.into()),
    };
    Some((token, length))
}

fn number(rest: &str) -> Option<Found> {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let sign = usize::from(rest.starts_with('-'));
    let whole = digits(&rest[sign..]);
    if whole == 0 {
        return None;
    }
    let whole = sign + whole;
    let fraction = rest[whole..].strip_prefix('.').map_or(0, digits);
    Some(if fraction > 0 {
        let length = whole + 1 + fraction;
        rest[..length].parse().map(|float| (Token::Float(float), length)).map_err(|_| "no number")
    } else {
        let integer = rest[..whole].parse().map(|integer| (Token::Integer(integer), whole));
        integer.map_err(|_| "the number is too long")
    })
}

/// What stands between two of these quotes; a backslash takes the next character as it is.
fn quoted(rest: &str, quote: char) -> Result<(String, usize), &'static str> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, '\n')) => return Err("a backslash stands before the end of a line"),
                Some((_, escaped)) => text.push(escaped),
                None => break,
            },
            _ if character == quote => return Ok((text, at + 1)),
            _ => text.push(character),
        }
    }
    Err("the quotes are not closed")
}
