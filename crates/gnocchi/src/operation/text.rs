//! The Lisp form: `(+ 2 (metric cpu mean))`.

use serde_json::Value as Json;

use super::{MAX_OPERATION_DEPTH, OperationError};

/// The list that the first expression of a text is; what is behind it means nothing.
///
/// All members are text, numbers too. A quoted text is one member, with its quotes.
pub(super) fn parse(text: &str) -> Result<Json, OperationError> {
    let mut scanner = Scanner { text, at: 0, unclosed: [false; 2] };
    scanner.skip_space();
    if scanner.next() != Some('(') {
        return Err(scanner.expected('('));
    }
    // The lists that are open, outermost first.
    let mut open = Vec::new();
    let mut list = Vec::new();
    scanner.at += 1;
    loop {
        scanner.skip_space();
        match scanner.next() {
            None => return Err(scanner.expected(')')),
            Some('(') => {
                if open.len() + 1 == MAX_OPERATION_DEPTH {
                    return Err(OperationError::TooDeep);
                }
                scanner.at += 1;
                open.push(std::mem::take(&mut list));
            }
            Some(')') => {
                scanner.at += 1;
                let closed = Json::Array(list);
                match open.pop() {
                    Some(outer) => list = outer,
                    None => return Ok(closed),
                }
                list.push(closed);
            }
            Some(_) => list.push(Json::String(scanner.word().into())),
        }
    }
}

struct Scanner<'a> {
    text: &'a str,
    /// Bytes that are read.
    at: usize,
    /// That no quoted text of this quote ends any more, so that the text is not searched over and over.
    unclosed: [bool; 2],
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(is_space).len();
    }

    /// A quoted text, or what reaches to the next space, parenthesis or quoted text.
    fn word(&mut self) -> &'a str {
        let start = self.at;
        if let Some(length) = self.quoted() {
            self.at += length;
        } else {
            while let Some(c) = self.next() {
                if is_space(c) || matches!(c, '(' | ')') || self.quoted().is_some() {
                    break;
                }
                self.at += c.len_utf8();
            }
        }
        &self.text[start..self.at]
    }

    /// How long the quoted text is that begins here, if one does: it ends in its line, and a backslash takes the next
    /// character along.
    fn quoted(&mut self) -> Option<usize> {
        let mut chars = self.rest().char_indices();
        let (_, quote) = chars.next().filter(|(_, c)| matches!(c, '"' | '\''))?;
        let unclosed = &mut self.unclosed[usize::from(quote == '"')];
        if *unclosed {
            return None;
        }
        while let Some((at, c)) = chars.next() {
            match c {
                '\n' | '\r' => return None,
                '\\' => {
                    chars.next();
                }
                c if c == quote => return Some(at + 1),
                _ => {}
            }
        }
        *unclosed = true;
        None
    }

    fn expected(&self, what: char) -> OperationError {
        let found = match self.next() {
            None if self.at == 0 => String::new(),
            None => ", found end of text".into(),
            Some(c) if c.is_alphanumeric() || c == '_' => {
                let word = self.rest().chars().take_while(|c| c.is_alphanumeric() || *c == '_');
                format!(", found '{}'", word.take(LONGEST_FOUND).collect::<String>())
            }
            Some(c) => format!(", found '{c}'"),
        };
        let before = &self.text[..self.at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let at = before.chars().count();
        OperationError::Text(format!("Expected '{what}'{found}  (at char {at}), (line:{line}, col:{column})"))
    }
}

/// Characters of a word that an error repeats, as Gnocchi's parser has it.
const LONGEST_FOUND: usize = 16;

/// What parts words, for Gnocchi's parser.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}
