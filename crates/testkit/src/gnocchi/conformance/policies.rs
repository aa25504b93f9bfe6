//! Archive policies.

use nephoscope_gnocchi::{ArchivePolicy, ArchivePolicyRule, Error};

use super::Case;
use super::bench::{Bench, assert_refused, definition, methods};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_policy_is_there_as_it_was_made,
        policies_are_listed_by_name,
        a_policy_is_made_once,
        a_policy_can_keep_its_aggregates_longer,
        the_granularities_of_a_policy_stay,
        a_policy_that_is_used_stays,
        a_policy_that_is_not_there_is_told,
    ]
}

async fn a_policy_is_there_as_it_was_made(bench: Bench) {
    let policy = ArchivePolicy {
        name: bench.own("a"),
        back_window: 3,
        definition: vec![
            definition(1, Some(3600)),
            definition(90_000, Some(1)),
            definition(86_400 * 400, None),
        ],
        aggregation_methods: methods(&["mean", "rate:95pct", "1pct", "last"]),
    };
    let made = bench.gnocchi.create_archive_policy(policy.clone()).await.expect("it is made");
    assert_eq!(sorted(made), sorted(policy.clone()));
    let read = bench.gnocchi.archive_policy(&policy.name).await.expect("it is there");
    assert_eq!(sorted(read), sorted(policy.clone()));
    bench.gnocchi.delete_archive_policy(&policy.name).await.expect("nobody uses it");
    assert_refused!(bench.gnocchi.archive_policy(&policy.name).await, Error::NoSuchArchivePolicy(_));
}

/// Methods have no order.
fn sorted(mut policy: ArchivePolicy) -> ArchivePolicy {
    policy.aggregation_methods.sort();
    policy
}

async fn policies_are_listed_by_name(bench: Bench) {
    for name in ["b", "c", "a"] {
        bench.policy_of(name, vec![definition(60, Some(5))], methods(&["max"])).await;
    }
    let all = bench.gnocchi.archive_policies().await.expect("they are listed");
    let own: Vec<_> = all.iter().filter_map(|policy| bench.given(&policy.name)).collect();
    assert_eq!(own, ["a", "b", "c"]);
    let one = all.into_iter().find(|policy| policy.name == bench.own("b")).expect("it is there");
    assert_eq!(one, bench.gnocchi.archive_policy(&one.name).await.expect("it is there"));
}

async fn a_policy_is_made_once(bench: Bench) {
    let policy = bench.policy().await;
    let again = bench.gnocchi.create_archive_policy(policy.clone()).await;
    assert_refused!(again, Error::ArchivePolicyAlreadyExists(name) if *name == policy.name);
}

async fn a_policy_can_keep_its_aggregates_longer(bench: Bench) {
    let short = vec![definition(60, Some(10)), definition(3600, Some(10))];
    let policy = bench.policy_of("p", short, methods(&["mean"])).await;
    let long = vec![definition(60, Some(20)), definition(3600, None)];
    let changed = bench.gnocchi.update_archive_policy(&policy.name, long.clone(), None).await;
    let changed = changed.expect("it is changed");
    assert_eq!((changed.definition, changed.back_window), (long.clone(), 0));
    let changed = bench.gnocchi.update_archive_policy(&policy.name, long.clone(), Some(7)).await;
    assert_eq!(changed.expect("it is changed").back_window, 7);
    let read = bench.gnocchi.archive_policy(&policy.name).await.expect("it is there");
    assert_eq!((read.definition, read.back_window), (long.clone(), 7));
    let changed = bench.gnocchi.update_archive_policy(&policy.name, long, None).await;
    assert_eq!(changed.expect("it is changed").back_window, 7);
}

async fn the_granularities_of_a_policy_stay(bench: Bench) {
    let definitions = vec![definition(60, Some(10)), definition(3600, Some(10))];
    let policy = bench.policy_of("p", definitions.clone(), methods(&["mean"])).await;
    for other in [
        vec![definition(60, Some(10))],
        vec![definition(60, Some(10)), definition(7200, Some(10))],
        [definitions.clone(), vec![definition(7200, Some(10))]].concat(),
    ] {
        let changed = bench.gnocchi.update_archive_policy(&policy.name, other, None).await;
        assert_refused!(changed, Error::UnsupportedArchivePolicyChange(name, _) if *name == policy.name);
    }
    let read = bench.gnocchi.archive_policy(&policy.name).await.expect("it is there");
    assert_eq!(read.definition, definitions);
}

async fn a_policy_that_is_used_stays(bench: Bench) {
    let policy = bench.policy().await;
    let metric = bench.metric(&policy).await;
    let deleted = bench.gnocchi.delete_archive_policy(&policy.name).await;
    assert_refused!(deleted, Error::ArchivePolicyInUse(name) if *name == policy.name);
    bench.gnocchi.metric(metric).await.expect("it is there");
    let ruled = bench.policy_of("ruled", vec![definition(60, None)], methods(&["mean"])).await;
    let rule = ArchivePolicyRule {
        name: bench.own("rule"),
        metric_pattern: bench.own("*"),
        archive_policy_name: ruled.name.clone(),
    };
    bench.gnocchi.create_archive_policy_rule(rule.clone()).await.expect("it is made");
    assert_refused!(
        bench.gnocchi.delete_archive_policy(&ruled.name).await,
        Error::ArchivePolicyInUse(name) if *name == ruled.name
    );
    bench.gnocchi.delete_archive_policy_rule(&rule.name).await.expect("it is deleted");
    bench.gnocchi.delete_archive_policy(&ruled.name).await.expect("nothing uses it any more");
}

async fn a_policy_that_is_not_there_is_told(bench: Bench) {
    let name = bench.own("nowhere");
    assert_refused!(bench.gnocchi.archive_policy(&name).await, Error::NoSuchArchivePolicy(it) if *it == name);
    let changed = bench.gnocchi.update_archive_policy(&name, vec![definition(60, None)], None).await;
    assert_refused!(changed, Error::NoSuchArchivePolicy(it) if *it == name);
    let deleted = bench.gnocchi.delete_archive_policy(&name).await;
    assert_refused!(deleted, Error::NoSuchArchivePolicy(it) if *it == name);
}
