//! Patterns of SQL's `LIKE`.

/// Whether a text matches a pattern: `%` is any text, `_` any character, `\` quotes the next. In time of the product of
/// both lengths at worst.
pub fn like_matches(pattern: &str, text: &str) -> bool {
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
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Any,
    One,
    Char(char),
}

impl Part {
    fn takes(self, char: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Char(own) => own == char,
        }
    }
}

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
