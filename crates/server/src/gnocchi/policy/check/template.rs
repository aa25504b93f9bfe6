//! Texts with places in them: `%(project_id)s`, as Python fills them.

use std::str::FromStr;

use super::super::Target;
use super::NoCheck;

/// A text in which `%(name)s` stands for a property of what something is to be done with.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::gnocchi) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Property(String),
}

impl Template {
    /// The text with the properties in it; nothing, where there are not all of them.
    pub(super) fn fill(&self, target: &Target<'_>) -> Option<String> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Property(name) => filled.push_str(&target.property(name)?),
            }
        }
        Some(filled)
    }
}

impl FromStr for Template {
    type Err = NoCheck;

    fn from_str(text: &str) -> Result<Self, NoCheck> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('%') {
            if !before.is_empty() {
                parts.push(Part::Text(before.into()));
            }
            if let Some(behind) = behind.strip_prefix('%') {
                parts.push(Part::Text("%".into()));
                rest = behind;
                continue;
            }
            let named = behind.strip_prefix('(').and_then(|behind| behind.split_once(")s"));
            let (name, behind) = named.ok_or_else(|| {
                NoCheck(format!("`{text}` has a percent sign that is not of a place such as %(project_id)s"))
            })?;
            parts.push(Part::Property(name.into()));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        Ok(Self(parts))
    }
}

#[cfg(test)]
impl Template {
    /// The text that it is read from.
    pub(super) fn written(&self) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.replace('%', "%%"),
            Part::Property(name) => format!("%({name})s"),
        };
        self.0.iter().map(part).collect()
    }
}
