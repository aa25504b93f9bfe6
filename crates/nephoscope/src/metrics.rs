//! The embedded Gnocchi of the daemon.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use nephoscope_gnocchi::{
    AggregationMethod, ArchivePolicy, ArchivePolicyRule, Creator, Definition, Error, Function, Gnocchi,
    MethodChoice, Timespan,
};
use nephoscope_server::GnocchiOf;
use nephoscope_store::{Options, Store};

use crate::config::Config;

/// The directory under the data directory where metrics are kept.
const METRICS: &str = "metrics";

/// Where the store of a data directory is.
pub fn place(data_dir: &Path) -> PathBuf {
    data_dir.join(METRICS)
}

/// Opens the store in the data directory.
pub async fn open(data_dir: &Path, options: Options) -> anyhow::Result<Store> {
    open_at(place(data_dir), options).await
}

/// Opens the store of a configuration, as the daemon does at its start.
pub async fn open_configured(config: &Config) -> anyhow::Result<Store> {
    let store = open(&config.data_dir.value, config.store.options()).await?;
    if config.store.default_archive_policies.value {
        make_default_policies(&store).await?;
    }
    Ok(store)
}

/// Says how to go on where a daemon has the store open: with this flag.
pub(crate) fn through_the_daemon(error: anyhow::Error, flag: &str) -> anyhow::Error {
    let is_open = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(Error::Unavailable { .. }))
    };
    if error.chain().any(is_open) {
        return error.context(format!("go through the daemon, with {flag}"));
    }
    error
}

/// Opens the store in a directory of its own.
pub async fn open_at(path: PathBuf, options: Options) -> anyhow::Result<Store> {
    let opened = tokio::task::spawn_blocking(move || Store::open(&path, options)).await;
    opened.context("opening the store of metrics was cut short")?.context("cannot open the store of metrics")
}

/// The store as each user sees it.
pub fn gnocchi_of(store: Store) -> GnocchiOf {
    Box::new(move |creator| Arc::new(store.as_user(creator)))
}

/// Gives a store without any policy and rule those that a new Gnocchi has.
pub async fn make_default_policies(store: &Store) -> anyhow::Result<()> {
    let gnocchi = store.as_user(Creator::default());
    if !gnocchi.archive_policies().await?.is_empty() || !gnocchi.archive_policy_rules().await?.is_empty() {
        return Ok(());
    }
    for policy in default_policies() {
        gnocchi.create_archive_policy(policy).await?;
    }
    let rule = ArchivePolicyRule {
        name: "default".into(),
        metric_pattern: "*".into(),
        archive_policy_name: "low".into(),
    };
    Ok(gnocchi.create_archive_policy_rule(rule).await?)
}

/// As `gnocchi-upgrade` makes them.
pub(crate) fn default_policies() -> [ArchivePolicy; 4] {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    let definition = |granularity: i64, timespan: i64| Definition {
        granularity: Timespan::from_seconds(granularity).expect("it is longer than nothing"),
        points: u64::try_from(timespan / granularity).ok(),
    };
    let policy = |name: &str, definition: Vec<Definition>| ArchivePolicy {
        name: name.into(),
        back_window: 0,
        definition,
        aggregation_methods: MethodChoice::choose(&[]),
    };
    let bool = ArchivePolicy {
        back_window: 3600,
        aggregation_methods: vec![AggregationMethod { rate: false, function: Function::Last }],
        ..policy("bool", vec![definition(1, 365 * DAY)])
    };
    [
        bool,
        policy("low", vec![definition(5 * MINUTE, 30 * DAY)]),
        policy("medium", vec![definition(MINUTE, 7 * DAY), definition(HOUR, 365 * DAY)]),
        policy("high", vec![definition(1, HOUR), definition(MINUTE, 7 * DAY), definition(HOUR, 365 * DAY)]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_new_store_gets_default_policies_once() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path(), Options::default()).await.unwrap();
        make_default_policies(&store).await.unwrap();
        let gnocchi = store.as_user(Creator::default());
        let names: Vec<_> =
            gnocchi.archive_policies().await.unwrap().into_iter().map(|policy| policy.name).collect();
        assert_eq!(names, ["bool", "high", "low", "medium"]);
        gnocchi.delete_archive_policy("high").await.unwrap();
        make_default_policies(&store).await.unwrap();
        assert_eq!(gnocchi.archive_policies().await.unwrap().len(), 3);
        let low = gnocchi.archive_policy("low").await.unwrap();
        assert_eq!(low.definition[0].timespan().unwrap().to_string(), "30 days, 0:00:00");
    }
}
