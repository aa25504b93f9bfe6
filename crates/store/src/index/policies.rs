//! Archive policies, and the rules which of them a metric gets.

use std::sync::Arc;

use nephoscope_gnocchi::{ArchivePolicy, ArchivePolicyRule, Definition, Error, Result};

use super::Index;
use super::record::Change;

impl Index {
    pub(crate) fn archive_policies(&self) -> Vec<ArchivePolicy> {
        self.state().policies().map(|policy| policy.as_ref().clone()).collect()
    }

    pub(crate) fn archive_policy(&self, name: &str) -> Result<Arc<ArchivePolicy>> {
        let no_such = || Error::NoSuchArchivePolicy(name.into());
        self.state().policy(name).cloned().ok_or_else(no_such)
    }

    pub(crate) fn create_archive_policy(&self, policy: ArchivePolicy) -> Result<ArchivePolicy> {
        check_definition(&policy.definition)?;
        self.change(|plan| {
            if plan.state.policy(&policy.name).is_some() {
                return Err(Error::ArchivePolicyAlreadyExists(policy.name.clone()));
            }
            plan.push(Change::ArchivePolicy(policy.clone()));
            Ok(policy)
        })
    }

    /// The policy as it is then.
    pub(crate) fn update_archive_policy(
        &self,
        name: &str,
        definition: Vec<Definition>,
        back_window: Option<u32>,
    ) -> Result<ArchivePolicy> {
        self.change(|plan| {
            let known = plan.state.policy(name);
            let known = known.ok_or_else(|| Error::NoSuchArchivePolicy(name.into()))?;
            let unsupported = |reason: String| Error::UnsupportedArchivePolicyChange(name.into(), reason);
            let (was, is) = (granularities(&known.definition), granularities(&definition));
            if was.len() != is.len() {
                return Err(unsupported("Cannot add or drop granularities".into()));
            }
            if let Some((was, _)) = was.iter().zip(&is).find(|(was, is)| was != is) {
                // As Python shows a double.
                return Err(unsupported(format!("{:?} granularity interval was changed", was.as_seconds())));
            }
            let policy = ArchivePolicy {
                definition,
                back_window: back_window.unwrap_or(known.back_window),
                ..known.as_ref().clone()
            };
            plan.push(Change::ArchivePolicy(policy.clone()));
            Ok(policy)
        })
    }

    pub(crate) fn delete_archive_policy(&self, name: &str) -> Result<()> {
        self.change(|plan| {
            if plan.state.policy(name).is_none() {
                return Err(Error::NoSuchArchivePolicy(name.into()));
            }
            if plan.state.is_policy_used(name) {
                return Err(Error::ArchivePolicyInUse(name.into()));
            }
            plan.push(Change::NoArchivePolicy(name.into()));
            Ok(())
        })
    }

    pub(crate) fn archive_policy_rules(&self) -> Vec<ArchivePolicyRule> {
        self.state().rules().to_vec()
    }

    pub(crate) fn archive_policy_rule(&self, name: &str) -> Result<ArchivePolicyRule> {
        self.state().rule(name).cloned().ok_or_else(|| Error::NoSuchArchivePolicyRule(name.into()))
    }

    pub(crate) fn create_archive_policy_rule(&self, rule: ArchivePolicyRule) -> Result<()> {
        self.change(|plan| {
            if plan.state.policy(&rule.archive_policy_name).is_none() {
                return Err(Error::NoSuchArchivePolicy(rule.archive_policy_name));
            }
            if plan.state.rule(&rule.name).is_some() {
                return Err(Error::ArchivePolicyRuleAlreadyExists(rule.name));
            }
            plan.push(Change::Rule(rule));
            Ok(())
        })
    }

    pub(crate) fn rename_archive_policy_rule(&self, name: &str, new_name: &str) -> Result<ArchivePolicyRule> {
        self.change(|plan| {
            let known = plan.state.rule(name);
            let known = known.ok_or_else(|| Error::NoSuchArchivePolicyRule(name.into()))?;
            if name == new_name {
                return Ok(known.clone());
            }
            if plan.state.rule(new_name).is_some() {
                let reason = format!("Archive policy rule {new_name} already exists.");
                return Err(Error::UnsupportedArchivePolicyRuleChange(name.into(), reason));
            }
            let rule = ArchivePolicyRule { name: new_name.into(), ..known.clone() };
            plan.push(Change::NoRule(name.into()));
            plan.push(Change::Rule(rule.clone()));
            Ok(rule)
        })
    }

    pub(crate) fn delete_archive_policy_rule(&self, name: &str) -> Result<()> {
        self.change(|plan| {
            if plan.state.rule(name).is_none() {
                return Err(Error::NoSuchArchivePolicyRule(name.into()));
            }
            plan.push(Change::NoRule(name.into()));
            Ok(())
        })
    }
}

fn granularities(definition: &[Definition]) -> Vec<nephoscope_gnocchi::Timespan> {
    let mut granularities: Vec<_> = definition.iter().map(|definition| definition.granularity).collect();
    granularities.sort();
    granularities
}

fn check_definition(definition: &[Definition]) -> Result<()> {
    let granularities = granularities(definition);
    if granularities.is_empty() {
        return Err(Error::Invalid("an archive policy needs at least one definition".into()));
    }
    if let Some(twice) = granularities.windows(2).find(|pair| pair[0] == pair[1]) {
        let seconds = twice[0].as_seconds();
        let message = format!("More than one archive policy uses granularity `{seconds:?}'");
        return Err(Error::Invalid(message));
    }
    Ok(())
}
