//! Everything there is, in memory: the sum of all changes, and nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use nephoscope_gnocchi::{ArchivePolicy, ArchivePolicyRule};
use uuid::Uuid;

use super::attributes::Attributes;
use super::names::{Name, Names};
use super::record::{Change, Counters, MetricRecord, ResourceRecord, TypeKey, TypeRecord};
use crate::number_map::NumberMap;
use crate::series::MetricKey;

/// The type that all resources have, too.
pub(super) const GENERIC: &str = "generic";
pub(super) const GENERIC_KEY: TypeKey = TypeKey(0);

/// Where a resource is.
pub(super) type Slot = u32;

#[derive(Debug)]
pub(super) struct State {
    pub(super) counters: Counters,
    policies: BTreeMap<String, usize>,
    policy_rows: Vec<Option<PolicyRow>>,
    /// In the order in which they are tried.
    rules: Vec<ArchivePolicyRule>,
    types: HashMap<TypeKey, TypeRecord>,
    type_names: BTreeMap<String, TypeKey>,
    resources: Vec<Option<ResourceRow>>,
    free_slots: Vec<Slot>,
    slots: HashMap<Uuid, Slot>,
    pub(super) attributes: Attributes,
    metrics: NumberMap<MetricKey, MetricRow>,
    /// Every batch by id looks here for each of its metrics.
    metric_keys: NumberMap<u128, MetricKey>,
    /// In the order of lists.
    metric_ids: BTreeSet<Uuid>,
    deleted: BTreeSet<MetricKey>,
    names: Names,
}

/// An archive policy, and how many metrics have it: deleted ones, too, until they are expunged.
#[derive(Debug)]
struct PolicyRow {
    policy: Arc<ArchivePolicy>,
    metrics: usize,
}

/// A resource and its metrics.
#[derive(Debug)]
pub(super) struct ResourceRow {
    pub(super) record: Arc<ResourceRecord>,
    /// By name, in the order of the names' numbers.
    links: Vec<Link>,
}

/// A metric of a resource: what a batch of measures needs of it.
#[derive(Clone, Copy, Debug)]
struct Link {
    name: Name,
    policy: u32,
    key: MetricKey,
}

/// A metric, as small as it gets: there are fifty times as many as resources.
#[derive(Clone, Copy, Debug)]
struct MetricRow {
    id: Uuid,
    /// Of its resource.
    slot: Option<Slot>,
    name: Option<Name>,
    unit: Option<Name>,
    creator: Option<Name>,
    policy: u32,
    is_deleted: bool,
}

impl Default for State {
    fn default() -> Self {
        let generic =
            TypeRecord { key: GENERIC_KEY, name: GENERIC.into(), columns: Vec::new(), next_column: 0 };
        Self {
            counters: Counters::default(),
            policies: BTreeMap::new(),
            policy_rows: Vec::new(),
            rules: Vec::new(),
            types: HashMap::from([(GENERIC_KEY, generic)]),
            type_names: BTreeMap::from([(GENERIC.into(), GENERIC_KEY)]),
            resources: Vec::new(),
            free_slots: Vec::new(),
            slots: HashMap::new(),
            attributes: Attributes::default(),
            metrics: NumberMap::default(),
            metric_keys: NumberMap::default(),
            metric_ids: BTreeSet::new(),
            deleted: BTreeSet::new(),
            names: Names::default(),
        }
    }
}

/// Archive policies and rules.
impl State {
    pub(super) fn policies(&self) -> impl Iterator<Item = &Arc<ArchivePolicy>> {
        self.policies.values().filter_map(|number| self.policy_row(*number)).map(|row| &row.policy)
    }

    pub(super) fn policy(&self, name: &str) -> Option<&Arc<ArchivePolicy>> {
        self.policies.get(name).and_then(|number| self.policy_row(*number)).map(|row| &row.policy)
    }

    /// Whether a metric or a rule has it.
    pub(super) fn is_policy_used(&self, name: &str) -> bool {
        let row = self.policies.get(name).and_then(|number| self.policy_row(*number));
        row.is_some_and(|row| row.metrics > 0)
            || self.rules.iter().any(|rule| rule.archive_policy_name == name)
    }

    pub(super) fn rules(&self) -> &[ArchivePolicyRule] {
        &self.rules
    }

    pub(super) fn rule(&self, name: &str) -> Option<&ArchivePolicyRule> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    fn policy_row(&self, number: usize) -> Option<&PolicyRow> {
        self.policy_rows.get(number).and_then(Option::as_ref)
    }

    fn put_policy(&mut self, policy: ArchivePolicy) {
        if let Some(number) = self.policies.get(&policy.name) {
            if let Some(Some(row)) = self.policy_rows.get_mut(*number) {
                row.policy = Arc::new(policy);
            }
            return;
        }
        let number = self.policy_rows.iter().position(Option::is_none).unwrap_or_else(|| {
            self.policy_rows.push(None);
            self.policy_rows.len() - 1
        });
        self.policies.insert(policy.name.clone(), number);
        self.policy_rows[number] = Some(PolicyRow { policy: Arc::new(policy), metrics: 0 });
    }

    fn remove_policy(&mut self, name: &str) {
        if let Some(number) = self.policies.remove(name) {
            self.policy_rows[number] = None;
        }
    }

    fn put_rule(&mut self, rule: ArchivePolicyRule) {
        self.rules.retain(|other| other.name != rule.name);
        self.rules.push(rule);
        // Descending in the pattern's text, ascending in the name.
        self.rules.sort_by(|one, other| {
            other.metric_pattern.cmp(&one.metric_pattern).then_with(|| one.name.cmp(&other.name))
        });
    }

    fn count_metric(&mut self, policy: u32, by: isize) {
        if let Some(Some(row)) = self.policy_rows.get_mut(policy as usize) {
            row.metrics = row.metrics.saturating_add_signed(by);
        }
    }
}

/// Resource types.
impl State {
    pub(super) fn types(&self) -> impl Iterator<Item = &TypeRecord> {
        self.type_names.values().filter_map(|key| self.types.get(key))
    }

    pub(super) fn type_named(&self, name: &str) -> Option<&TypeRecord> {
        self.type_names.get(name).and_then(|key| self.types.get(key))
    }

    pub(super) fn type_of(&self, record: &ResourceRecord) -> Option<&TypeRecord> {
        self.types.get(&record.resource_type)
    }

    fn put_type(&mut self, record: TypeRecord) {
        let known = self.types.get(&record.key);
        let added: Vec<_> = record
            .columns
            .iter()
            .filter(|column| {
                !known.is_some_and(|known| known.columns.iter().any(|other| other.number == column.number))
            })
            .cloned()
            .collect();
        let removed: Vec<_> = known
            .into_iter()
            .flat_map(|known| &known.columns)
            .filter(|column| !record.columns.iter().any(|other| other.number == column.number))
            .map(|column| column.number)
            .collect();
        for number in removed {
            self.attributes.drop_column(record.key, number);
        }
        for column in &added {
            let slots: Vec<_> = self.attributes.of_type(record.key).collect();
            for slot in slots {
                if let Some(row) = &self.resources[slot as usize] {
                    self.attributes.insert_own(record.key, column, &row.record, slot);
                }
            }
        }
        self.type_names.insert(record.name.clone(), record.key);
        self.types.insert(record.key, record);
    }

    fn remove_type(&mut self, key: TypeKey) {
        if let Some(record) = self.types.remove(&key) {
            self.type_names.remove(&record.name);
            for column in record.columns {
                self.attributes.drop_column(key, column.number);
            }
        }
    }
}

/// Resources.
impl State {
    pub(super) fn slot(&self, id: Uuid) -> Option<Slot> {
        self.slots.get(&id).copied()
    }

    pub(super) fn resource(&self, slot: Slot) -> Option<&ResourceRow> {
        self.resources.get(slot as usize).and_then(Option::as_ref)
    }

    pub(super) fn resource_with_id(&self, id: Uuid) -> Option<&ResourceRow> {
        self.slot(id).and_then(|slot| self.resource(slot))
    }

    /// Names and ids of the metrics of a resource.
    pub(super) fn metrics_of<'a>(
        &'a self,
        row: &'a ResourceRow,
    ) -> impl Iterator<Item = (&'a Arc<str>, MetricKey)> + 'a {
        row.links.iter().map(|link| (self.names.text(link.name), link.key))
    }

    /// A metric of a resource, and how it is kept. Neither allocates nor locks.
    pub(super) fn metric_named(
        &self,
        row: &ResourceRow,
        name: &str,
    ) -> Option<(MetricKey, &Arc<ArchivePolicy>)> {
        let link = row.link(self.names.find(name)?)?;
        Some((link.key, &self.policy_row(link.policy as usize)?.policy))
    }

    pub(super) fn resource_count(&self) -> usize {
        self.slots.len()
    }

    fn put_resource(&mut self, record: ResourceRecord) {
        let record = Arc::new(record);
        let slot = match self.slot(record.id) {
            Some(slot) => slot,
            None => self.free_slots.pop().unwrap_or_else(|| {
                self.resources.push(None);
                Slot::try_from(self.resources.len() - 1).expect("memory ends before four billion resources")
            }),
        };
        let links = match self.resources[slot as usize].take() {
            Some(old) => {
                self.unindex(&old.record, slot);
                old.links
            }
            None => Vec::new(),
        };
        if let Some(own) = self.types.get(&record.resource_type) {
            self.attributes.insert(own, &record, slot);
        }
        self.slots.insert(record.id, slot);
        self.resources[slot as usize] = Some(ResourceRow { record, links });
    }

    fn remove_resource(&mut self, id: Uuid) {
        let Some(slot) = self.slots.remove(&id) else { return };
        if let Some(old) = self.resources[slot as usize].take() {
            self.unindex(&old.record, slot);
        }
        self.free_slots.push(slot);
    }

    fn unindex(&mut self, record: &ResourceRecord, slot: Slot) {
        if let Some(own) = self.types.get(&record.resource_type) {
            self.attributes.remove(own, record, slot);
        }
    }
}

impl ResourceRow {
    fn link(&self, name: Name) -> Option<&Link> {
        let found = self.links.binary_search_by_key(&name, |link| link.name);
        found.ok().map(|at| &self.links[at])
    }

    fn put_link(&mut self, link: Link) {
        match self.links.binary_search_by_key(&link.name, |link| link.name) {
            Ok(at) => self.links[at] = link,
            Err(at) => self.links.insert(at, link),
        }
    }

    /// Takes a name away, unless another metric has it by now.
    fn remove_link(&mut self, name: Name, key: MetricKey) {
        self.links.retain(|link| link.name != name || link.key != key);
    }
}

/// Metrics.
impl State {
    /// The key of a metric that is there.
    pub(super) fn metric_key(&self, id: Uuid) -> Option<MetricKey> {
        self.metric_with_id(id).map(|metric| metric.key)
    }

    /// A metric that is there.
    pub(super) fn metric_with_id(&self, id: Uuid) -> Option<MetricView<'_>> {
        let key = *self.metric_keys.get(&id.as_u128())?;
        self.metric(key).filter(|metric| !metric.row.is_deleted)
    }

    pub(super) fn metric(&self, key: MetricKey) -> Option<MetricView<'_>> {
        self.metrics.get(&key).map(|row| MetricView { state: self, key, row })
    }

    /// Metrics in the order of their ids, deleted ones among them, behind one of them.
    pub(super) fn metrics_behind(&self, id: Option<Uuid>) -> impl Iterator<Item = MetricView<'_>> {
        use std::ops::Bound;
        let start = id.map_or(Bound::Unbounded, Bound::Excluded);
        let ids = self.metric_ids.range((start, Bound::Unbounded));
        ids.filter_map(|id| self.metric(*self.metric_keys.get(&id.as_u128())?))
    }

    pub(super) fn deleted_metrics(&self) -> impl Iterator<Item = MetricKey> {
        self.deleted.iter().copied()
    }

    pub(super) fn metric_count(&self) -> usize {
        self.metrics.len() - self.deleted.len()
    }

    fn put_metric(&mut self, record: &MetricRecord) {
        if let Some(old) = self.metrics.get(&record.key).copied() {
            self.unlink(record.key, &old);
        }
        let policy = self.policies.get(record.archive_policy.as_ref()).copied().unwrap_or(usize::MAX);
        let policy = u32::try_from(policy).unwrap_or(u32::MAX);
        let slot = record.resource.and_then(|id| self.slot(id));
        let mut name = |text: &Option<Arc<str>>| text.as_ref().map(|text| self.names.intern(text));
        let row = MetricRow {
            id: record.id,
            slot,
            name: name(&record.name),
            unit: name(&record.unit),
            creator: name(&record.creator),
            policy,
            is_deleted: record.is_deleted,
        };
        if let (Some(slot), Some(name), false) = (slot, row.name, row.is_deleted)
            && let Some(Some(resource)) = self.resources.get_mut(slot as usize)
        {
            resource.put_link(Link { name, policy, key: record.key });
        }
        if row.is_deleted {
            self.deleted.insert(record.key);
        }
        self.count_metric(policy, 1);
        self.metric_ids.insert(row.id);
        self.metric_keys.insert(row.id.as_u128(), record.key);
        self.metrics.insert(record.key, row);
    }

    fn remove_metric(&mut self, key: MetricKey) {
        if let Some(old) = self.metrics.remove(&key) {
            self.unlink(key, &old);
            self.metric_ids.remove(&old.id);
            self.metric_keys.remove(&old.id.as_u128());
        }
    }

    fn unlink(&mut self, key: MetricKey, old: &MetricRow) {
        self.deleted.remove(&key);
        self.count_metric(old.policy, -1);
        if let (Some(slot), Some(name)) = (old.slot, old.name)
            && let Some(Some(resource)) = self.resources.get_mut(slot as usize)
        {
            resource.remove_link(name, key);
        }
    }
}

/// A metric, with all that it refers to.
#[derive(Clone, Copy, Debug)]
pub(super) struct MetricView<'a> {
    state: &'a State,
    pub(super) key: MetricKey,
    row: &'a MetricRow,
}

impl<'a> MetricView<'a> {
    pub(super) fn id(&self) -> Uuid {
        self.row.id
    }

    pub(super) fn name(&self) -> Option<&'a Arc<str>> {
        self.row.name.map(|name| self.state.names.text(name))
    }

    pub(super) fn unit(&self) -> Option<&'a Arc<str>> {
        self.row.unit.map(|name| self.state.names.text(name))
    }

    pub(super) fn creator(&self) -> Option<&'a Arc<str>> {
        self.row.creator.map(|name| self.state.names.text(name))
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.row.is_deleted
    }

    pub(super) fn policy(&self) -> Option<&'a Arc<ArchivePolicy>> {
        self.state.policy_row(self.row.policy as usize).map(|row| &row.policy)
    }

    pub(super) fn resource(&self) -> Option<&'a ResourceRow> {
        self.row.slot.and_then(|slot| self.state.resource(slot))
    }

    pub(super) fn resource_id(&self) -> Option<Uuid> {
        self.resource().map(|row| row.record.id)
    }

    pub(super) fn record(&self) -> MetricRecord {
        MetricRecord {
            key: self.key,
            id: self.row.id,
            creator: self.creator().cloned(),
            archive_policy: self.policy().map_or("", |policy| &policy.name).into(),
            name: self.name().cloned(),
            unit: self.unit().cloned(),
            resource: self.resource_id(),
            is_deleted: self.row.is_deleted,
        }
    }
}

impl State {
    /// Carries out a change that is on disk.
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::ArchivePolicy(policy) => self.put_policy(policy),
            Change::NoArchivePolicy(name) => self.remove_policy(&name),
            Change::Rule(rule) => self.put_rule(rule),
            Change::NoRule(name) => self.rules.retain(|rule| rule.name != name),
            Change::ResourceType(record) => self.put_type(record),
            Change::NoResourceType(key) => self.remove_type(key),
            Change::Resource(record) => self.put_resource(record),
            Change::NoResource(id) => self.remove_resource(id),
            Change::Metric(record) => self.put_metric(&record),
            Change::NoMetric(key) => self.remove_metric(key),
            Change::Counters(counters) => self.counters = counters,
            // Revisions that ended are on disk alone.
            Change::Revision(_) | Change::NoRevision(..) => {}
        }
    }
}
