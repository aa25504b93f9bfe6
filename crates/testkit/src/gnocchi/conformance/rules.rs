//! Archive policy rules.

use nephoscope_gnocchi::{ArchivePolicyRule, Error, NewMetric};

use super::Case;
use super::bench::{Bench, assert_refused, definition, methods};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_rule_is_there_as_it_was_made,
        rules_are_tried_by_pattern_from_behind,
        a_rule_is_made_once_and_of_a_policy_that_is_there,
        a_rule_gets_another_name,
        a_rule_that_is_not_there_is_told,
        a_metric_without_policy_needs_a_rule,
    ]
}

impl Bench {
    async fn rule(&self, name: &str, pattern: &str, policy: &str) -> ArchivePolicyRule {
        let (name, metric_pattern) = (self.own(name), self.own(pattern));
        let rule = ArchivePolicyRule { name, metric_pattern, archive_policy_name: policy.into() };
        self.gnocchi.create_archive_policy_rule(rule.clone()).await.expect("a rule can be made");
        rule
    }

    /// The name of the policy that a metric gets.
    async fn policy_by_rule(&self, name: &str) -> Result<String, Error> {
        let metric = NewMetric { name: Some(self.own(name)), ..NewMetric::default() };
        Ok(self.gnocchi.create_metric(metric).await?.archive_policy.name)
    }
}

async fn a_rule_is_there_as_it_was_made(bench: Bench) {
    let policy = bench.policy().await;
    let rule = bench.rule("rule", "[a-c]?*", &policy.name).await;
    assert_eq!(bench.gnocchi.archive_policy_rule(&rule.name).await.expect("it is there"), rule);
    assert!(bench.gnocchi.archive_policy_rules().await.expect("they are listed").contains(&rule));
    bench.gnocchi.delete_archive_policy_rule(&rule.name).await.expect("it is deleted");
    assert_refused!(bench.gnocchi.archive_policy_rule(&rule.name).await, Error::NoSuchArchivePolicyRule(_));
}

async fn rules_are_tried_by_pattern_from_behind(bench: Bench) {
    let fine = bench.policy_of("fine", vec![definition(1, None)], methods(&["mean"])).await;
    let coarse = bench.policy_of("coarse", vec![definition(60, None)], methods(&["mean"])).await;
    bench.rule("a", "disk.*", &coarse.name).await;
    bench.rule("c", "disk.io.*", &fine.name).await;
    bench.rule("b", "disk.io.*", &coarse.name).await;
    let all = bench.gnocchi.archive_policy_rules().await.expect("they are listed");
    let own: Vec<_> = all.iter().filter_map(|rule| bench.given(&rule.name)).collect();
    assert_eq!(own, ["b", "c", "a"]);
    bench.gnocchi.delete_archive_policy_rule(&bench.own("b")).await.expect("it is deleted");
    assert_eq!(bench.policy_by_rule("disk.io.read").await.expect("it is made"), fine.name);
    assert_eq!(bench.policy_by_rule("disk.size").await.expect("it is made"), coarse.name);
}

async fn a_rule_is_made_once_and_of_a_policy_that_is_there(bench: Bench) {
    let policy = bench.policy().await;
    let rule = bench.rule("rule", "*", &policy.name).await;
    let again = bench.gnocchi.create_archive_policy_rule(rule.clone()).await;
    assert_refused!(again, Error::ArchivePolicyRuleAlreadyExists(name) if *name == rule.name);
    let nowhere = bench.own("nowhere");
    let other = ArchivePolicyRule { name: bench.own("other"), archive_policy_name: nowhere.clone(), ..rule };
    let made = bench.gnocchi.create_archive_policy_rule(other).await;
    assert_refused!(made, Error::NoSuchArchivePolicy(name) if *name == nowhere);
}

async fn a_rule_gets_another_name(bench: Bench) {
    let policy = bench.policy().await;
    let rule = bench.rule("rule", "*", &policy.name).await;
    let new = bench.own("new name/?#");
    let renamed = bench.gnocchi.rename_archive_policy_rule(&rule.name, &new).await.expect("it is renamed");
    assert_eq!(renamed, ArchivePolicyRule { name: new.clone(), ..rule.clone() });
    assert_eq!(bench.gnocchi.archive_policy_rule(&new).await.expect("it is there"), renamed);
    assert_refused!(bench.gnocchi.archive_policy_rule(&rule.name).await, Error::NoSuchArchivePolicyRule(_));
    let taken = bench.rule("taken", "x", &policy.name).await;
    let other = bench.rule("other", "y", &policy.name).await;
    let renamed = bench.gnocchi.rename_archive_policy_rule(&other.name, &taken.name).await;
    assert_refused!(renamed, Error::UnsupportedArchivePolicyRuleChange(name, _) if *name == other.name);
}

async fn a_rule_that_is_not_there_is_told(bench: Bench) {
    let name = bench.own("nowhere");
    let read = bench.gnocchi.archive_policy_rule(&name).await;
    assert_refused!(read, Error::NoSuchArchivePolicyRule(it) if *it == name);
    let renamed = bench.gnocchi.rename_archive_policy_rule(&name, &bench.own("x")).await;
    assert_refused!(renamed, Error::NoSuchArchivePolicyRule(it) if *it == name);
    let deleted = bench.gnocchi.delete_archive_policy_rule(&name).await;
    assert_refused!(deleted, Error::NoSuchArchivePolicyRule(it) if *it == name);
}

async fn a_metric_without_policy_needs_a_rule(bench: Bench) {
    let made = bench.policy_by_rule("cpu").await;
    assert_refused!(made, Error::NoArchivePolicyRuleMatch(name) if *name == bench.own("cpu"));
    let nameless = bench.gnocchi.create_metric(NewMetric::default()).await;
    assert_refused!(nameless, Error::NoArchivePolicyRuleMatch(_));
    let nowhere = bench.own("nowhere");
    let metric = NewMetric { archive_policy_name: Some(nowhere.clone()), ..NewMetric::default() };
    let made = bench.gnocchi.create_metric(metric).await;
    assert_refused!(made, Error::NoSuchArchivePolicy(name) if *name == nowhere);
}
