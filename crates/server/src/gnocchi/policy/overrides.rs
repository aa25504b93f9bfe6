//! A file of rules that are other than Gnocchi's own, as oslo.policy reads it: YAML, or JSON, which is YAML too.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{ACTIONS, Check, NAMED, Policy};

/// The rule that stands in for those that are not there.
pub(super) const DEFAULT_RULE: &str = "default";

/// A rule: a check, or a list of lists of checks.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Lists(Vec<Several>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Several {
    One(String),
    All(Vec<String>),
}

impl Policy {
    /// Gnocchi's default policy, with the rules of such a text in the place of its own. Every mistake is told.
    pub fn with_overrides(text: &str) -> Result<Self, Vec<String>> {
        // An empty file, or one of comments alone, says nothing.
        let rules: Option<Map<String, Value>> =
            serde_saphyr::from_str(text).map_err(|error| vec![error.to_string()])?;
        let (mut policy, mut mistakes) = (Self::default(), Vec::new());
        let mut names = Vec::new();
        for (name, value) in rules.unwrap_or_default() {
            match read(value) {
                Ok(check) => {
                    policy.has_not |= check.has_not();
                    policy.rules.insert(name.clone(), check);
                    names.push(name);
                }
                Err(mistake) => mistakes.push(format!("rule `{name}`: {mistake}")),
            }
        }
        mistakes.extend(
            names
                .iter()
                .filter(|name| !policy.is_used(name))
                .map(|name| format!("rule `{name}`: Gnocchi has no such rule, and no other names it")),
        );
        policy.check_names(&mut mistakes);
        if mistakes.is_empty() { Ok(policy) } else { Err(mistakes) }
    }

    /// Whether anything looks at a rule.
    fn is_used(&self, name: &str) -> bool {
        name == DEFAULT_RULE
            || NAMED.iter().any(|(known, _)| *known == name)
            || ACTIONS.iter().any(|(_, known, _)| *known == name)
            || self.rules.values().any(|check| check.rules().contains(&name))
    }

    /// Tells of rules that name none, and of those that come to themselves.
    fn check_names(&self, mistakes: &mut Vec<String>) {
        let mut rules: Vec<_> = self.rules.iter().collect();
        rules.sort_unstable_by_key(|(name, _)| *name);
        for (name, check) in rules {
            for named in check.rules() {
                if self.rule(named).is_none() {
                    mistakes.push(format!("rule `{name}`: it names the rule `{named}`, which is not there"));
                }
            }
            if self.comes_to_itself(name) {
                mistakes.push(format!("rule `{name}`: it comes to itself by way of the rules that it names"));
            }
        }
    }

    fn comes_to_itself(&self, name: &str) -> bool {
        let mut seen: Vec<&str> = Vec::new();
        let mut next: Vec<&str> = self.rules.get(name).map(Check::rules).unwrap_or_default();
        while let Some(named) = next.pop() {
            if named == name {
                return true;
            }
            if !seen.contains(&named) {
                seen.push(named);
                next.extend(self.rules.get(named).map(Check::rules).unwrap_or_default());
            }
        }
        false
    }
}

fn read(value: Value) -> Result<Check, String> {
    let wrong = |_| "it is a text such as \"role:admin\", or a list of lists of such texts".to_owned();
    let read = match serde_json::from_value(value).map_err(wrong)? {
        Written::Text(text) => text.parse(),
        Written::Lists(lists) => {
            let lists = lists.into_iter().map(|several| match several {
                Several::One(text) => vec![text],
                Several::All(texts) => texts,
            });
            Check::from_lists(&lists.collect::<Vec<_>>())
        }
    };
    read.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Action, Identity, Target};
    use super::*;

    fn may(text: &str, action: Action, roles: &[&str]) -> bool {
        let identity =
            Identity { roles: roles.iter().map(ToString::to_string).collect(), ..Identity::default() };
        Policy::with_overrides(text).unwrap().allows(action, &identity, &Target::Nothing)
    }

    #[test]
    fn rules_of_a_file_take_the_place_of_the_defaults() {
        let text =
            "# who may look\n\"get status\": \"role:reader or rule:operators\"\noperators: 'role:operator'\n";
        assert!(may(text, Action::GetStatus, &["reader"]) && may(text, Action::GetStatus, &["operator"]));
        assert!(!may(text, Action::GetStatus, &["admin"]));
        assert!(may(text, Action::DeleteArchivePolicy, &["admin"]));
        for empty in ["", "# nothing\n", "{}"] {
            assert!(!may(empty, Action::GetStatus, &["reader"]), "{empty}");
        }
        let json = r#"{"get status": [["role:a", "role:b"], "role:c"], "list metric": ""}"#;
        assert!(may(json, Action::GetStatus, &["a", "b"]) && may(json, Action::GetStatus, &["c"]));
        assert!(!may(json, Action::GetStatus, &["a"]));
        assert!(may(json, Action::ListMetric, &[]));
        let default = "default: role:last\n\"get status\": rule:nowhere\n";
        assert!(may(default, Action::GetStatus, &["last"]) && !may(default, Action::GetStatus, &["admin"]));
    }

    #[test]
    fn every_mistake_is_told() {
        let text = "\"get status\": \"role:a or\"\n\"get metrc\": \"role:a\"\ncreator: rule:nowhere\n\
                    \"get metric\": http://policies/\nresource_owner: rule:owner\nowner: rule:resource_owner\n\
                    \"list metric\": 5\n";
        let mistakes = Policy::with_overrides(text).unwrap_err();
        for told in [
            "rule `get status`: it ends too early",
            "rule `get metrc`: Gnocchi has no such rule",
            "rule `creator`: it names the rule `nowhere`, which is not there",
            "rule `get metric`: `http://policies/` would leave the decision to another server",
            "rule `owner`: it comes to itself",
            "rule `resource_owner`: it comes to itself",
            "rule `list metric`: it is a text",
        ] {
            assert!(mistakes.iter().any(|mistake| mistake.starts_with(told)), "{told}: {mistakes:#?}");
        }
        assert_eq!(mistakes.len(), 7, "{mistakes:#?}");
        for text in ["- a", "a: b: c", "get status: \"\"\nget status: \"\""] {
            assert!(Policy::with_overrides(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "([a-z \"':@!{}\\[\\]#,%()]|\n|role|rule|: ){0,60}") {
            let _read = Policy::with_overrides(&text);
        }
    }
}
