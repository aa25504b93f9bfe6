//! The store as its users see it.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod crash;
mod faults;
mod metrics;
mod model;
mod reopening;
mod resources;
mod upkeep;

use nephoscope_gnocchi::{
    AggregationMethod, ArchivePolicy, ArchivePolicyRule, Creator, Definition, Function, Gnocchi, NamedMetric,
    Range, Timespan, Timestamp,
};
use nephoscope_store::{Options, Session, Store};
use tempfile::TempDir;

/// A store that is gone after the test, as its first user sees it.
struct Fresh {
    store: Store,
    user: Session,
    _directory: TempDir,
}

fn fresh() -> Fresh {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store"), Options::default()).unwrap();
    let user = store.as_user(creator("jd"));
    Fresh { store, user, _directory: directory }
}

fn creator(user: &str) -> Creator {
    Creator { user_id: user.into(), project_id: Some("p".into()) }
}

fn low() -> ArchivePolicy {
    let methods = [Function::Mean, Function::Max, Function::Count];
    ArchivePolicy {
        name: "low".into(),
        back_window: 0,
        definition: vec![Definition { granularity: Timespan::from_seconds(300).unwrap(), points: Some(12) }],
        aggregation_methods: methods.map(|function| AggregationMethod { rate: false, function }).into(),
    }
}

/// A store with an archive policy and a rule for all metrics.
async fn with_policy() -> Fresh {
    let fresh = fresh();
    fresh.user.create_archive_policy(low()).await.unwrap();
    let rule = ArchivePolicyRule {
        name: "default".into(),
        metric_pattern: "*".into(),
        archive_policy_name: "low".into(),
    };
    fresh.user.create_archive_policy_rule(rule).await.unwrap();
    fresh
}

fn mean() -> Range {
    let aggregation = AggregationMethod::MEAN;
    Range { start: None, stop: None, aggregation, granularity: None, resample: None }
}

fn new_metric() -> NamedMetric {
    NamedMetric::New { archive_policy_name: None, unit: None }
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000)
}
