//! The language of oslo.policy: `role:admin or (user:%(creator)s and not project_id:x)`.

use std::str::FromStr;

use super::super::identity::Identity;
use super::{Policy, Target};

/// How deep rules may name each other, and checks may stand in parentheses: nobody needs more, and a circle ends.
const MAX_DEPTH: usize = 32;

/// A condition on who does something, and with what.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Check {
    /// Always holds.
    Always,
    /// Never holds.
    Never,
    /// They have this role, in whatever case.
    Role(String),
    /// As this rule says.
    Rule(String),
    /// What is known of them under this name is this text, in which `%(name)s` stands for a property of the target.
    Match(String, String),
    /// It does not hold.
    Not(Box<Self>),
    /// All hold.
    And(Vec<Self>),
    /// One holds.
    Or(Vec<Self>),
}

impl Policy {
    pub(super) fn holds(&self, rule: &str, identity: &Identity, target: &Target<'_>, depth: usize) -> bool {
        let check = self.rules.get(rule).filter(|_| depth < MAX_DEPTH);
        check.is_some_and(|check| self.takes(check, identity, target, depth))
    }

    fn takes(&self, check: &Check, identity: &Identity, target: &Target<'_>, depth: usize) -> bool {
        match check {
            Check::Always => true,
            Check::Never => false,
            Check::Role(role) => identity.roles.iter().any(|known| known.eq_ignore_ascii_case(role)),
            Check::Rule(rule) => self.holds(rule, identity, target, depth + 1),
            Check::Match(name, template) => {
                let known = identity.property(name).filter(|known| !known.is_empty());
                known.is_some_and(|known| fill(template, target).is_some_and(|value| value == known))
            }
            Check::Not(check) => !self.takes(check, identity, target, depth),
            Check::And(checks) => checks.iter().all(|check| self.takes(check, identity, target, depth)),
            Check::Or(checks) => checks.iter().any(|check| self.takes(check, identity, target, depth)),
        }
    }
}

/// The text with the properties of the target in it; nothing, where it has not all of them.
fn fill(template: &str, target: &Target<'_>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once("%(") {
        let (name, behind) = behind.split_once(")s")?;
        filled.push_str(before);
        filled.push_str(&target.property(name)?);
        rest = behind;
    }
    filled.push_str(rest);
    Some(filled)
}

/// A text that is no check.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct NoCheck(String);

impl std::fmt::Display for NoCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
        let first = part(self)?;
        let mut checks = vec![first];
        while self.peek().is_some_and(|token| token.eq_ignore_ascii_case(word)) {
            self.next();
            checks.push(part(self)?);
        }
        match checks.len() {
            1 => Ok(checks.remove(0)),
            _ => Ok(join(checks)),
        }
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
            Some("@") => Ok(Check::Always),
            Some("!") => Ok(Check::Never),
            Some(word) => match word.split_once(':') {
                Some(("role", role)) => Ok(Check::Role(role.to_owned())),
                Some(("rule", rule)) => Ok(Check::Rule(rule.to_owned())),
                Some((name, template)) if !name.is_empty() => Ok(Check::Match(name.into(), template.into())),
                _ => Err(NoCheck(format!("`{word}` is no check; one is written kind:value"))),
            },
        };
        self.depth -= 1;
        check
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn role(name: &str) -> Check {
        Check::Role(name.into())
    }

    #[test]
    fn checks_are_read_as_oslo_policy_reads_them() {
        for (text, check) in [
            ("", Check::Always),
            ("@", Check::Always),
            ("!", Check::Never),
            ("role:a", role("a")),
            ("role:a or role:b and role:c", {
                Check::Or(vec![role("a"), Check::And(vec![role("b"), role("c")])])
            }),
            ("(role:a or role:b) and not role:c", {
                let either = Check::Or(vec![role("a"), role("b")]);
                Check::And(vec![either, Check::Not(Box::new(role("c")))])
            }),
            ("user:%(creator)s", Check::Match("user".into(), "%(creator)s".into())),
            ("(rule:x)", Check::Rule("x".into())),
        ] {
            assert_eq!(text.parse(), Ok(check), "{text}");
        }
    }

    #[test]
    fn what_is_no_check_is_refused() {
        for text in ["role", "role:a role:b", "(role:a", "role:a)", "not", "role:a or", ":x", "and role:a"] {
            assert!(text.parse::<Check>().is_err(), "{text}");
        }
        assert!("(".repeat(100_000).parse::<Check>().is_err());
        assert!("not ".repeat(100_000).parse::<Check>().is_err());
    }

    #[test]
    fn rules_that_go_in_a_circle_do_not_hold() {
        let mut policy = Policy::default();
        policy.rules.insert("creator".into(), Check::Rule("admin_or_creator".into()));
        assert!(!policy.holds("creator", &Identity::default(), &Target::Nothing, 0));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(role:a|not |and |or |[(]|[)]|%[(]|[@!:é ])*") {
            let policy = Policy::default();
            if let Ok(check) = text.parse::<Check>() {
                policy.takes(&check, &Identity::default(), &Target::Nothing, 0);
            }
        }
    }
}
