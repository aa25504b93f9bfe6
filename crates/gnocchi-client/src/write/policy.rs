//! Archive policies and rules.

use nephoscope_gnocchi::{ArchivePolicy, ArchivePolicyRule, Definition};
use serde_json::{Value as Json, json};

use super::{object, seconds};

pub(crate) fn policy(policy: &ArchivePolicy) -> Json {
    let methods: Vec<_> = policy.aggregation_methods.iter().map(ToString::to_string).collect();
    json!({
        "name": policy.name,
        "back_window": policy.back_window,
        "definition": definitions(&policy.definition),
        "aggregation_methods": methods,
    })
}

pub(crate) fn policy_change(definition: &[Definition], back_window: Option<u32>) -> Json {
    object([("definition", Some(definitions(definition))), ("back_window", back_window.map(Into::into))])
}

fn definitions(definitions: &[Definition]) -> Json {
    let written = definitions.iter().map(|definition| {
        let granularity = Some(seconds(definition.granularity));
        object([("granularity", granularity), ("points", definition.points.map(Into::into))])
    });
    written.collect()
}

pub(crate) fn rule(rule: &ArchivePolicyRule) -> Json {
    json!({
        "name": rule.name,
        "metric_pattern": rule.metric_pattern,
        "archive_policy_name": rule.archive_policy_name,
    })
}
