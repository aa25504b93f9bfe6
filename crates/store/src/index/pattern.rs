//! Patterns of the shell, as Python's `fnmatch`, and of SQL's `LIKE`.

/// Whether a text matches a pattern of the shell: `*`, `?`, `[a-z]`, `[!a-z]`; nothing quotes.
pub(crate) fn glob_matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    matches(&glob(&pattern), text)
}

/// Whether a text matches a pattern of SQL: `%` is any text, `_` any character, `\` quotes the next.
pub(crate) fn like_matches(pattern: &str, text: &str) -> bool {
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(next) = chars.next() {
        parts.push(match next {
            '%' => Part::Any,
            '_' => Part::One,
            '\\' => Part::Char(chars.next().unwrap_or('\\')),
            other => Part::Char(other),
        });
    }
    matches(&parts, text)
}

/// One piece of a pattern.
#[derive(Debug, PartialEq)]
enum Part {
    Any,
    One,
    Char(char),
    /// One of these characters, or none of them.
    Set(Vec<(char, char)>, bool),
}

impl Part {
    fn takes(&self, char: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Char(own) => *own == char,
            Self::Set(ranges, is_inverted) => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&char)) != *is_inverted
            }
        }
    }
}

fn glob(pattern: &[char]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(char) = pattern.get(at) {
        at += 1;
        parts.push(match char {
            '*' => Part::Any,
            '?' => Part::One,
            '[' => match set(&pattern[at..]) {
                Some((set, length)) => {
                    at += length;
                    set
                }
                None => Part::Char('['),
            },
            other => Part::Char(*other),
        });
    }
    parts
}

/// The set that begins behind a bracket, and how long it is with its closing bracket: a bracket that comes first, also
/// behind `!`, is a member. No closing bracket, no set.
fn set(pattern: &[char]) -> Option<(Part, usize)> {
    let is_inverted = pattern.first() == Some(&'!');
    let start = usize::from(is_inverted);
    let end = start + 1 + pattern.get(start + 1..)?.iter().position(|char| *char == ']')?;
    let members = &pattern[start..end];
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(from) = members.get(at) {
        match (members.get(at + 1), members.get(at + 2)) {
            (Some('-'), Some(to)) => {
                ranges.push((*from, *to));
                at += 3;
            }
            _ => {
                ranges.push((*from, *from));
                at += 1;
            }
        }
    }
    Some((Part::Set(ranges, is_inverted), end + 1))
}

/// Without recursion, and in time of the product of both lengths at worst.
fn matches(parts: &[Part], text: &str) -> bool {
    let (mut part, mut rest) = (0, text.chars());
    // Where to go on when what came behind the last `Any` does not fit: it then takes one character more.
    let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        if parts.get(part) == Some(&Part::Any) {
            part += 1;
            retry = Some((part, rest.clone()));
            continue;
        }
        let mut ahead = rest.clone();
        match (parts.get(part), ahead.next()) {
            (None, None) => return true,
            (Some(own), Some(char)) if own.takes(char) => {
                part += 1;
                rest = ahead;
            }
            _ => {
                let Some((behind, from)) = &mut retry else { return false };
                if from.next().is_none() {
                    return false;
                }
                part = *behind;
                rest = from.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_in_python() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("disk.*", "disk.io", true),
            ("disk.*", "Disk.io", false),
            ("disk.?o", "disk.io", true),
            ("*.io.*", "a.io.io.b", true),
            ("a*b*c", "abbc", true),
            ("a*b*c", "abb", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true),
            ("[!]]x", "ax", true),
            ("[a-]", "-", true),
            ("[abc", "[abc", true),
            ("a\\*", "a\\b", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(glob_matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn like_matches_as_in_sql() {
        for (pattern, text, expected) in [
            ("%", "", true),
            ("a%", "abc", true),
            ("%b_", "abc", true),
            ("a", "abc", false),
            ("A%", "abc", false),
            ("a\\%", "a%", true),
            ("a\\%", "ab", false),
        ] {
            assert_eq!(like_matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
