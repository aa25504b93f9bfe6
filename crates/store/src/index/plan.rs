//! A change in the making.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use indexmap::IndexMap;
use nephoscope_gnocchi::{Error, Glob, NamedMetric, Result, Timestamp};
use uuid::Uuid;

use super::record::{Change, Counters, MetricRecord, ResourceRecord, TypeKey};
use super::state::State;
use crate::series::MetricKey;

/// What is going to change in a state.
pub(super) struct Plan<'a> {
    pub(super) state: &'a State,
    changes: Vec<Change>,
    /// Each once, however often it changes on the way.
    metrics: IndexMap<MetricKey, MetricRecord>,
    counters: Counters,
}

impl<'a> Plan<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        Self { state, changes: Vec::new(), metrics: IndexMap::new(), counters: state.counters }
    }

    pub(super) fn push(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// All changes, in an order in which nothing refers to what is not there yet.
    pub(super) fn finish(mut self) -> Vec<Change> {
        // Resources that go do so after their metrics.
        let (gone, mut changes): (Vec<_>, Vec<_>) =
            self.changes.drain(..).partition(|change| matches!(change, Change::NoResource(_)));
        changes.extend(self.metrics.into_values().map(Change::Metric));
        changes.extend(gone);
        if self.counters != self.state.counters {
            changes.push(Change::Counters(self.counters));
        }
        changes
    }

    pub(super) fn next_type(&mut self) -> TypeKey {
        let key = TypeKey(self.counters.resource_type);
        self.counters.resource_type += 1;
        key
    }

    pub(super) fn next_revision(&mut self) -> u64 {
        let number = self.counters.revision;
        self.counters.revision += 1;
        number
    }

    /// A new metric.
    pub(super) fn create_metric(
        &mut self,
        creator: Option<Arc<str>>,
        archive_policy: &str,
        name: Option<&str>,
        unit: Option<&str>,
        resource: Option<Uuid>,
    ) -> MetricKey {
        let key = MetricKey(self.counters.metric);
        self.counters.metric += 1;
        let record = MetricRecord {
            key,
            id: Uuid::new_v4(),
            creator,
            archive_policy: archive_policy.into(),
            name: name.map(Into::into),
            unit: unit.map(Into::into),
            resource,
            is_deleted: false,
        };
        self.metrics.insert(key, record);
        key
    }

    /// A metric as it is going to be.
    pub(super) fn metric(&self, key: MetricKey) -> Option<MetricRecord> {
        self.metrics.get(&key).cloned().or_else(|| Some(self.state.metric(key)?.record()))
    }

    pub(super) fn put_metric(&mut self, record: MetricRecord) {
        self.metrics.insert(record.key, record);
    }

    pub(super) fn delete_metric(&mut self, key: MetricKey) {
        if let Some(mut record) = self.metric(key) {
            record.is_deleted = true;
            record.resource = None;
            self.put_metric(record);
        }
    }

    /// Takes a metric from its resource. It keeps its name.
    pub(super) fn detach_metric(&mut self, key: MetricKey) {
        if let Some(mut record) = self.metric(key) {
            record.resource = None;
            self.put_metric(record);
        }
    }

    /// Deletes a resource and its metrics.
    pub(super) fn delete_resource(&mut self, id: Uuid) {
        let Some(row) = self.state.resource_with_id(id) else { return };
        let keys: Vec<_> = self.state.metrics_of(row).map(|(_, key)| key).collect();
        for key in keys {
            self.delete_metric(key);
        }
        self.push(Change::NoResource(id));
    }

    /// Gives a resource metrics besides those it has, which are given by name.
    pub(super) fn set_metrics(
        &mut self,
        resource: &ResourceRecord,
        mut names: BTreeMap<Arc<str>, MetricKey>,
        metrics: &IndexMap<String, NamedMetric>,
    ) -> Result<()> {
        for (name, metric) in metrics {
            let key = match metric {
                NamedMetric::Existing(id) => {
                    let key = self.state.metric_key(*id);
                    let found = key.and_then(|key| self.metric(key));
                    // Nobody may take another creator's metric.
                    let mut record = found
                        .filter(|found| found.creator == resource.creator)
                        .ok_or_else(|| Error::NoSuchMetric(id.to_string()))?;
                    if names.get(name.as_str()).is_some_and(|key| *key != record.key) {
                        return Err(Error::NamedMetricAlreadyExists(name.clone()));
                    }
                    names.retain(|_, key| *key != record.key);
                    record.resource = Some(resource.id);
                    record.name = Some(name.as_str().into());
                    let key = record.key;
                    self.put_metric(record);
                    key
                }
                NamedMetric::New { archive_policy_name, unit } => {
                    check_name(name)?;
                    if names.contains_key(name.as_str()) {
                        return Err(Error::NamedMetricAlreadyExists(name.clone()));
                    }
                    let policy = self.policy_for(archive_policy_name.as_deref(), Some(name))?;
                    let creator = resource.creator.clone();
                    self.create_metric(creator, &policy, Some(name), unit.as_deref(), Some(resource.id))
                }
            };
            names.insert(name.as_str().into(), key);
        }
        Ok(())
    }

    /// The name of the policy that a metric gets.
    pub(super) fn policy_for(&self, policy: Option<&str>, metric: Option<&str>) -> Result<String> {
        if let Some(policy) = policy {
            let known = self.state.policy(policy);
            return match known {
                Some(_) => Ok(policy.into()),
                None => Err(Error::NoSuchArchivePolicy(policy.into())),
            };
        }
        let name = metric.unwrap_or_default();
        let rule = self.state.rules().iter().find(|rule| Glob::new(&rule.metric_pattern).matches(name));
        match rule {
            Some(rule) => Ok(rule.archive_policy_name.clone()),
            // As Python has a name that is not there.
            None => Err(Error::NoArchivePolicyRuleMatch(metric.unwrap_or("None").into())),
        }
    }
}

/// Refuses names that no path could have.
pub(super) fn check_name(name: &str) -> Result<()> {
    if name.contains('/') {
        return Err(Error::Invalid("'/' is not supported in metric name".into()));
    }
    Ok(())
}

/// The time, to the microsecond as databases have it.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX / 1000);
    Timestamp::from_nanos(micros.saturating_mul(1000))
}
