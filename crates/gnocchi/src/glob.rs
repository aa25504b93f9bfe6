//! Shell patterns on names, as Python's `fnmatch` has them.

/// A shell pattern: `*` is any text, `?` any character, `[a-c_]` one of these and `[!a-c_]` none of them. Case counts.
///
/// What opens a bracket and does not close it means itself; a range that runs backwards has nothing in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text,
    Any,
    Char(char),
    Set { but: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    /// Every text is a pattern.
    pub fn new(pattern: &str) -> Self {
        let pattern: Vec<char> = pattern.chars().collect();
        let mut tokens = Vec::with_capacity(pattern.len());
        let mut at = 0;
        while let Some(c) = pattern.get(at) {
            at += 1;
            match c {
                '*' if tokens.last() == Some(&Token::Text) => {}
                '*' => tokens.push(Token::Text),
                '?' => tokens.push(Token::Any),
                '[' => match set(&pattern[at..]) {
                    Some((set, length)) => {
                        tokens.push(set);
                        at += length;
                    }
                    None => tokens.push(Token::Char('[')),
                },
                c => tokens.push(Token::Char(*c)),
            }
        }
        Self(tokens)
    }

    /// Whether it matches the whole of a text. In time of the product of their lengths at worst.
    pub fn matches(&self, text: &str) -> bool {
        let mut tokens = self.0.as_slice();
        let mut rest = text.chars();
        // Behind the last `*`: what follows it, and where that was last tried. Trying earlier ones again would not help.
        let mut again: Option<(&[Token], std::str::Chars<'_>)> = None;
        loop {
            if let Some((Token::Text, behind)) = tokens.split_first() {
                tokens = behind;
                again = Some((behind, rest.clone()));
                continue;
            }
            match (tokens.split_first(), rest.next()) {
                (None, None) => return true,
                (Some((token, behind)), Some(c)) if token.takes(c) => tokens = behind,
                _ => {
                    let Some((behind, tried)) = &mut again else { return false };
                    if tried.next().is_none() {
                        return false;
                    }
                    (tokens, rest) = (behind, tried.clone());
                }
            }
        }
    }
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Text | Self::Any => true,
            Self::Char(own) => *own == c,
            Self::Set { but, ranges } => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *but,
        }
    }
}

/// The set that stands behind a bracket, and its length with the closing one.
fn set(pattern: &[char]) -> Option<(Token, usize)> {
    let but = pattern.first() == Some(&'!');
    let start = usize::from(but);
    // A bracket that closes at once is one of the set.
    let end = (start + 1..pattern.len()).find(|at| pattern[*at] == ']')?;
    let mut ranges = Vec::new();
    let mut rest = &pattern[start..end];
    loop {
        (rest, _) = match rest {
            [] => return Some((Token::Set { but, ranges }, end + 1)),
            [from, '-', to, behind @ ..] => (behind, ranges.push((*from, *to))),
            [one, behind @ ..] => (behind, ranges.push((*one, *one))),
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_match_what_python_says_they_match() {
        let mut cases = 0;
        for line in include_str!("../tests/golden/globs.txt").lines() {
            let [pattern, text, expected]: [serde_json::Value; 3] = serde_json::from_str(line).unwrap();
            let (pattern, text) = (pattern.as_str().unwrap(), text.as_str().unwrap());
            assert_eq!(Glob::new(pattern).matches(text), expected == true, "{line}");
            cases += 1;
        }
        assert!(cases > 1000);
    }

    #[test]
    fn a_hostile_pattern_takes_no_longer_than_pattern_times_text() {
        let pattern = "*a".repeat(2_000) + "b";
        assert!(!Glob::new(&pattern).matches(&"a".repeat(4_000)));
    }

    proptest! {
        #[test]
        fn a_text_without_special_characters_matches_itself_alone(text in "[^*?\\[]{0,10}", other in "[^*?\\[]{0,10}") {
            prop_assert!(Glob::new(&text).matches(&text));
            prop_assert_eq!(Glob::new(&text).matches(&other), text == other);
        }
    }
}
