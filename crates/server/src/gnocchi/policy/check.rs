//! The language of oslo.policy: `role:admin or (user:%(creator)s and not project_id:x)`.

mod read;
mod template;

use super::super::identity::Identity;
use super::{Policy, Target};
use read::NoCheck;
use template::Template;

/// How deep rules may name each other, and checks may stand in parentheses: nobody needs more, and a circle ends.
const MAX_DEPTH: usize = 32;

/// A condition on who does something, and with what.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::gnocchi) enum Check {
    /// Always holds.
    Always,
    /// Never holds.
    Never,
    /// They have this role, in whatever case.
    Role(Template),
    /// As this rule says.
    Rule(String),
    /// What is known of them under this name is this text, or one of what is known.
    Match(String, Template),
    /// This text is that text.
    Same(String, Template),
    /// It does not hold.
    Not(Box<Self>),
    /// All hold.
    And(Vec<Self>),
    /// One holds.
    Or(Vec<Self>),
}

impl Check {
    /// Whether it holds for what something else is not.
    pub(super) fn has_not(&self) -> bool {
        match self {
            Self::Not(_) => true,
            Self::And(checks) | Self::Or(checks) => checks.iter().any(Self::has_not),
            _ => false,
        }
    }

    /// The rules that it names.
    pub(super) fn rules(&self) -> Vec<&str> {
        match self {
            Self::Rule(name) => vec![name],
            Self::Not(check) => check.rules(),
            Self::And(checks) | Self::Or(checks) => checks.iter().flat_map(Self::rules).collect(),
            _ => Vec::new(),
        }
    }
}

impl Policy {
    pub(super) fn holds(&self, rule: &str, identity: &Identity, target: &Target<'_>, depth: usize) -> bool {
        let check = self.rule(rule).filter(|_| depth < MAX_DEPTH);
        check.is_some_and(|check| self.takes(check, identity, target, depth))
    }

    fn takes(&self, check: &Check, identity: &Identity, target: &Target<'_>, depth: usize) -> bool {
        match check {
            Check::Always => true,
            Check::Never => false,
            Check::Role(role) => role.fill(target).is_some_and(|role| identity.has_role(&role)),
            Check::Rule(rule) => self.holds(rule, identity, target, depth + 1),
            Check::Match(name, template) => {
                template.fill(target).is_some_and(|value| identity.is_known_as(name, &value))
            }
            Check::Same(text, template) => template.fill(target).is_some_and(|value| value == *text),
            Check::Not(check) => !self.takes(check, identity, target, depth),
            Check::And(checks) => checks.iter().all(|check| self.takes(check, identity, target, depth)),
            Check::Or(checks) => checks.iter().any(|check| self.takes(check, identity, target, depth)),
        }
    }
}

#[cfg(test)]
mod tests;
