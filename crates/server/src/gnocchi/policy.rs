//! Who may do what.

mod check;
mod overrides;
mod target;

use std::collections::HashMap;

use check::Check;
use overrides::DEFAULT_RULE;
pub(super) use target::Target;

use super::identity::Identity;

/// What may be asked for: `Action::GetStatus` is Gnocchi's rule `get status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Action {
    GetStatus,
    CreateResource,
    GetResource,
    UpdateResource,
    DeleteResource,
    DeleteResources,
    ListResource,
    SearchResource,
    CreateResourceType,
    GetResourceType,
    UpdateResourceType,
    DeleteResourceType,
    ListResourceType,
    CreateArchivePolicy,
    GetArchivePolicy,
    UpdateArchivePolicy,
    DeleteArchivePolicy,
    ListArchivePolicy,
    CreateArchivePolicyRule,
    GetArchivePolicyRule,
    UpdateArchivePolicyRule,
    DeleteArchivePolicyRule,
    ListArchivePolicyRule,
    CreateMetric,
    GetMetric,
    DeleteMetric,
    ListMetric,
    SearchMetric,
    PostMeasures,
    GetMeasures,
}

const ANYONE: &str = "";
const ADMIN: &str = "role:admin";
const ADMIN_OR_SERVICE: &str = "rule:admin_or_service";
const ADMIN_OR_CREATOR: &str = "rule:admin_or_creator";
const WRITER: &str = "rule:admin_or_service or rule:creator";
const RESOURCE_READER: &str = "rule:admin_or_creator or rule:resource_owner";
const RESOURCE_SEARCHER: &str = "rule:admin_or_service or rule:creator or rule:resource_owner";
const METRIC_LISTER: &str = "rule:admin_or_creator or rule:metric_owner";
const METRIC_READER: &str = "rule:admin_or_service or rule:creator or rule:metric_owner";

/// Rules that others name.
const NAMED: [(&str, &str); 6] = [
    ("context_is_admin", ADMIN),
    ("admin_or_creator", "role:admin or rule:creator"),
    ("admin_or_service", "role:admin or role:service"),
    ("creator", "user:%(creator)s or project_id:%(created_by_project_id)s"),
    ("resource_owner", "project_id:%(project_id)s"),
    ("metric_owner", "project_id:%(resource.project_id)s"),
];

/// Who may do what, where nobody says otherwise: Gnocchi's default policy.
const ACTIONS: [(Action, &str, &str); 30] = [
    (Action::GetStatus, "get status", ADMIN),
    (Action::CreateResource, "create resource", ANYONE),
    (Action::GetResource, "get resource", RESOURCE_READER),
    (Action::UpdateResource, "update resource", WRITER),
    (Action::DeleteResource, "delete resource", ADMIN_OR_CREATOR),
    (Action::DeleteResources, "delete resources", ADMIN_OR_CREATOR),
    (Action::ListResource, "list resource", RESOURCE_READER),
    (Action::SearchResource, "search resource", RESOURCE_SEARCHER),
    (Action::CreateResourceType, "create resource type", ADMIN_OR_SERVICE),
    (Action::GetResourceType, "get resource type", ANYONE),
    (Action::UpdateResourceType, "update resource type", ADMIN_OR_SERVICE),
    (Action::DeleteResourceType, "delete resource type", ADMIN),
    (Action::ListResourceType, "list resource type", ANYONE),
    (Action::CreateArchivePolicy, "create archive policy", ADMIN_OR_SERVICE),
    (Action::GetArchivePolicy, "get archive policy", ANYONE),
    (Action::UpdateArchivePolicy, "update archive policy", ADMIN),
    (Action::DeleteArchivePolicy, "delete archive policy", ADMIN),
    (Action::ListArchivePolicy, "list archive policy", ANYONE),
    (Action::CreateArchivePolicyRule, "create archive policy rule", ADMIN),
    (Action::GetArchivePolicyRule, "get archive policy rule", ANYONE),
    (Action::UpdateArchivePolicyRule, "update archive policy rule", ADMIN),
    (Action::DeleteArchivePolicyRule, "delete archive policy rule", ADMIN),
    (Action::ListArchivePolicyRule, "list archive policy rule", ANYONE),
    (Action::CreateMetric, "create metric", ANYONE),
    (Action::GetMetric, "get metric", METRIC_READER),
    (Action::DeleteMetric, "delete metric", ADMIN_OR_CREATOR),
    (Action::ListMetric, "list metric", METRIC_LISTER),
    (Action::SearchMetric, "search metric", METRIC_LISTER),
    (Action::PostMeasures, "post measures", WRITER),
    (Action::GetMeasures, "get measures", METRIC_READER),
];

/// Which checks decide over what users ask for: Gnocchi's default policy, or another.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// By the names of the rules.
    rules: HashMap<String, Check>,
    /// Whether any of them holds for what something else is not.
    has_not: bool,
}

impl Default for Policy {
    fn default() -> Self {
        let actions = ACTIONS.iter().map(|(_, name, check)| (name, check));
        let rules = NAMED.iter().map(|(name, check)| (name, check)).chain(actions);
        let read = |check: &str| check.parse().expect("the default policy can be read");
        let rules = rules.map(|(name, check)| ((*name).to_owned(), read(check))).collect();
        Self { rules, has_not: false }
    }
}

impl Policy {
    /// Whether somebody may do that with this.
    pub(super) fn allows(&self, action: Action, identity: &Identity, target: &Target<'_>) -> bool {
        let named = ACTIONS.iter().find(|(known, _, _)| *known == action);
        named.is_some_and(|(_, name, _)| self.holds(name, identity, target, 0))
    }

    /// Whether somebody may do that with whatever it is: then nobody has to look it up. A rule that says `not` may hold
    /// for nothing and not for something.
    pub(super) fn allows_all(&self, action: Action, identity: &Identity) -> bool {
        !self.has_not && self.allows(action, identity, &Target::Nothing)
    }

    /// The check of a rule, or that which stands in for rules that are not there.
    fn rule(&self, name: &str) -> Option<&Check> {
        self.rules.get(name).or_else(|| self.rules.get(DEFAULT_RULE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(user: &str, project: Option<&str>, roles: &[&str]) -> Identity {
        Identity {
            user: user.to_owned(),
            project_id: project.map(str::to_owned),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..Identity::default()
        }
    }

    #[test]
    fn each_action_has_a_rule_and_each_rule_can_be_read() {
        let policy = Policy::default();
        for (action, name, _) in ACTIONS {
            assert!(policy.rules.contains_key(name));
            assert!(policy.allows(action, &identity("x", None, &["admin"]), &Target::Nothing), "{name}");
        }
        assert_eq!(policy.rules.len(), ACTIONS.len() + NAMED.len());
    }

    #[test]
    fn what_is_somebodys_is_for_the_creator_the_owner_and_the_admin() {
        let policy = Policy::default();
        let target = Target::Anything(&[
            ("creator", "jd:nova"),
            ("created_by_project_id", "nova"),
            ("project_id", "tenant"),
            ("resource.project_id", "tenant"),
        ]);
        let allowed = |action, user: &str, project, roles: &[&str]| {
            policy.allows(action, &identity(user, project, roles), &target)
        };
        for (user, project, roles, reads, writes) in [
            ("jd:nova", None, vec![], true, true),
            ("other:nova", Some("nova"), vec!["member"], true, true),
            ("other:tenant", Some("tenant"), vec!["member"], true, false),
            ("other:else", Some("else"), vec!["member"], false, false),
            ("other:else", Some("else"), vec!["ADMIN"], true, true),
            ("other", None, vec![], false, false),
        ] {
            assert_eq!(allowed(Action::GetResource, user, project, &roles), reads, "{user} {roles:?}");
            assert_eq!(allowed(Action::GetMeasures, user, project, &roles), reads, "{user} {roles:?}");
            assert_eq!(allowed(Action::UpdateResource, user, project, &roles), writes, "{user} {roles:?}");
        }
        assert!(allowed(Action::PostMeasures, "else", None, &["service"]));
        assert!(!allowed(Action::DeleteMetric, "else", None, &["service"]));
    }

    #[test]
    fn who_has_no_project_does_not_own_what_has_none() {
        let policy = Policy::default();
        let target = Target::Anything(&[("creator", "jd"), ("created_by_project_id", "")]);
        assert!(!policy.allows(Action::GetResource, &identity("x", Some(""), &[]), &target));
        assert!(!policy.allows(Action::GetResource, &identity("x", None, &[]), &target));
    }
}
