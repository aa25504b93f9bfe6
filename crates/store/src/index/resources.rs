//! Resources, their revisions and the lists of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nephoscope_gnocchi::{
    AttributeValue, Creator, Error, Filter, NamedMetric, NewResource, Page, Resource, ResourceChange,
    ResourceSelection, Result, Timestamp, parse_uuid, resource_uuid,
};
use uuid::Uuid;

use super::filter::Condition;
use super::order::{Order, Place, no_marker};
use super::plan::{Plan, now};
use super::record::{Change, ResourceRecord, RevisionRecord, TypeRecord};
use super::rows::{self, ResourceAttribute, ResourceAttributes};
use super::search::Search;
use super::state::{GENERIC_KEY, ResourceRow, State};
use super::{Index, creator_text};
use crate::series::MetricKey;

/// The order of lists of resources where nobody asks for another.
const DEFAULT_ORDER: [&str; 2] = ["revision_start", "started_at"];

impl Index {
    pub(crate) fn resources(
        &self,
        type_name: &str,
        selection: &ResourceSelection,
        creator: &Creator,
    ) -> Result<Vec<Resource>> {
        let state = self.state();
        let own = find_type(&state, type_name)?;
        let attributes = ResourceAttributes { own, with_history: selection.history };
        let condition = selection.filter.as_ref();
        let condition = condition.map(|filter| Condition::new(filter, &attributes, creator)).transpose()?;
        let unique: &[_] = if selection.history { &["id", "revision"] } else { &["id"] };
        let order = Order::new(&selection.page, &attributes, &DEFAULT_ORDER, unique)?;
        let listing = Listing { index: self, state: &state, own, condition, order, selection };
        listing.resources()
    }

    pub(crate) fn resource(&self, type_name: &str, id: &str, creator: &Creator) -> Result<Resource> {
        let state = self.state();
        let own = find_type(&state, type_name)?;
        let row = find_resource(&state, own, id, creator)?;
        Ok(describe(&state, row, None, own.key != GENERIC_KEY))
    }

    /// All revisions of a resource.
    pub(crate) fn history(
        &self,
        type_name: &str,
        id: &str,
        page: &Page,
        creator: &Creator,
    ) -> Result<Vec<Resource>> {
        let id = {
            let state = self.state();
            let own = find_type(&state, type_name)?;
            find_resource(&state, own, id, creator)?.record.id.to_string()
        };
        let is_it = Filter::Compare(
            nephoscope_gnocchi::Comparison::Equal,
            "id".into(),
            nephoscope_gnocchi::Value::String(id),
        );
        let selection =
            ResourceSelection { filter: Some(is_it), details: false, history: true, page: page.clone() };
        self.resources(type_name, &selection, creator)
    }

    pub(crate) fn create_resource(
        &self,
        type_name: &str,
        new: &NewResource,
        creator: &Creator,
    ) -> Result<Resource> {
        let id = resource_uuid(&new.id, creator).map_err(|error| Error::Invalid(error.to_string()))?;
        self.change(|plan| {
            let own = find_type(plan.state, type_name)?;
            own.check(&new.attributes, true)?;
            let now = now();
            let started_at = new.started_at.map_or(now, Timestamp::rounded_to_micros);
            let ended_at = new.ended_at.map(Timestamp::rounded_to_micros);
            if ended_at.is_some_and(|ended_at| started_at > ended_at) {
                let message = "Start timestamp cannot be after end timestamp";
                return Err(Error::Invalid(message.into()));
            }
            if plan.state.slot(id).is_some() {
                return Err(Error::ResourceAlreadyExists(id.to_string()));
            }
            let record = ResourceRecord {
                id,
                original_id: new.id.as_str().into(),
                resource_type: own.key,
                creator: creator_text(creator),
                user_id: new.user_id.as_deref().map(Into::into),
                project_id: new.project_id.as_deref().map(Into::into),
                started_at,
                ended_at,
                revision_start: now,
                attributes: own
                    .columns
                    .iter()
                    .map(|column| {
                        let value = new.attributes.get(&column.name).unwrap_or(&AttributeValue::Null);
                        (column.number, value.into())
                    })
                    .collect(),
            };
            plan.set_metrics(&record, BTreeMap::new(), &new.metrics)?;
            plan.push(Change::Resource(record));
            Ok(())
        })?;
        self.resource(type_name, &id.to_string(), creator)
    }

    pub(crate) fn update_resource(
        &self,
        type_name: &str,
        id: &str,
        change: &ResourceChange,
        creator: &Creator,
    ) -> Result<Resource> {
        self.change(|plan| {
            let own = find_type(plan.state, type_name)?;
            let row = find_resource(plan.state, own, id, creator)?;
            let record = &row.record;
            if change.if_revision_start.is_some_and(|start| start != record.revision_start) {
                return Err(Error::RevisionChanged);
            }
            own.check(&change.attributes, false)?;
            let mut changed = changed(record, own, change);
            if changed.ended_at.is_some_and(|ended_at| changed.started_at > ended_at) {
                return Err(Error::InvalidAttributeValue {
                    resource_type: type_name.into(),
                    attribute: "ended_at".into(),
                    value: changed.ended_at.map(shown).unwrap_or_default(),
                });
            }
            if let Some(metrics) = &change.metrics {
                let keys: Vec<_> = plan.state.metrics_of(row).map(|(_, key)| key).collect();
                for key in keys {
                    plan.detach_metric(key);
                }
                plan.set_metrics(record, BTreeMap::new(), metrics)?;
            }
            if changed != **record {
                let now = now();
                let number = plan.next_revision();
                let resource = record.as_ref().clone();
                plan.push(Change::Revision(RevisionRecord { number, ended: now, resource }));
                changed.revision_start = now;
                plan.push(Change::Resource(changed));
            }
            Ok(())
        })?;
        self.resource(type_name, id, creator)
    }

    /// Gives a resource more metrics.
    pub(crate) fn add_metrics(
        &self,
        type_name: &str,
        id: &str,
        metrics: Vec<(String, NamedMetric)>,
        creator: &Creator,
    ) -> Result<Resource> {
        self.change(|plan| {
            let own = find_type(plan.state, type_name)?;
            let row = find_resource(plan.state, own, id, creator)?;
            let names = names(plan.state, row);
            plan.set_metrics(&row.record, names, &metrics.into_iter().collect())
        })?;
        self.resource(type_name, id, creator)
    }

    pub(crate) fn delete_resource(&self, type_name: &str, id: &str, creator: &Creator) -> Result<()> {
        self.change(|plan| {
            let own = find_type(plan.state, type_name)?;
            let id = find_resource(plan.state, own, id, creator)?.record.id;
            plan.delete_resource(id);
            Ok(())
        })
    }

    pub(crate) fn delete_resources(
        &self,
        type_name: &str,
        filter: &Filter,
        creator: &Creator,
    ) -> Result<u64> {
        self.change(|plan| {
            let own = find_type(plan.state, type_name)?;
            let attributes = ResourceAttributes { own, with_history: false };
            let condition = Condition::new(filter, &attributes, creator)?;
            let ids = matching(plan, own, &condition);
            for id in &ids {
                plan.delete_resource(*id);
            }
            Ok(ids.len() as u64)
        })
    }
}

/// A list of resources in the making.
struct Listing<'a> {
    index: &'a Index,
    state: &'a State,
    own: &'a TypeRecord,
    condition: Option<Condition<ResourceAttribute>>,
    order: Order<ResourceAttribute>,
    selection: &'a ResourceSelection,
}

/// A row of a list: a resource, and the revision of it where that is not the current one.
type Found<'a> = (&'a ResourceRow, Option<RevisionRecord>);

impl<'a> Listing<'a> {
    fn resources(&self) -> Result<Vec<Resource>> {
        let page = &self.selection.page;
        let behind = page.marker.as_ref().map(|marker| self.marker(marker)).transpose()?;
        let search = Search { state: self.state, own: self.own, with_history: self.selection.history };
        let mut found = Vec::new();
        for slot in search.candidates(self.condition.as_ref()) {
            let Some(row) = self.state.resource(slot) else { continue };
            self.take(row, None, &mut found);
            if self.selection.history {
                for revision in self.index.revisions(row.record.id)? {
                    self.take(row, Some(revision), &mut found);
                }
            }
        }
        let with_attributes = self.selection.details || self.own.key != GENERIC_KEY;
        let found = self.order.page(found, behind.as_ref(), page.limit);
        Ok(found
            .into_iter()
            .map(|(row, revision)| describe(self.state, row, revision.as_ref(), with_attributes))
            .collect())
    }

    fn take(
        &self,
        row: &'a ResourceRow,
        revision: Option<RevisionRecord>,
        found: &mut Vec<(Place, Found<'a>)>,
    ) {
        let Some(view) = view(self.state, row, revision.as_ref()) else { return };
        if self.condition.as_ref().is_none_or(|condition| condition.takes(&view)) {
            found.push((self.order.place(&view), (row, revision)));
        }
    }

    /// Where the row stands that a marker names: it need not fulfil the condition.
    fn marker(&self, marker: &str) -> Result<Place> {
        let place = || {
            let (id, number) = match (self.selection.history, marker.split_once('@')) {
                (true, Some((id, number))) => (id, number.trim().parse::<i64>().ok()?),
                (false, _) => (marker, -1),
                (true, None) => return None,
            };
            let row = self.state.resource_with_id(parse_uuid(id)?)?;
            let is_listed = self.own.key == GENERIC_KEY || self.own.key == row.record.resource_type;
            let revision = match number {
                -1 => None,
                number => {
                    let mut revisions = self.index.revisions(row.record.id).ok()?.into_iter();
                    Some(revisions.find(|revision| Ok(revision.number) == u64::try_from(number))?)
                }
            };
            let view = view(self.state, row, revision.as_ref())?;
            is_listed.then(|| self.order.place(&view))
        };
        place().ok_or_else(|| no_marker(marker))
    }
}

fn view<'a>(
    state: &'a State,
    row: &'a ResourceRow,
    revision: Option<&'a RevisionRecord>,
) -> Option<rows::ResourceRow<'a>> {
    let own = state.type_of(&row.record)?;
    Some(match revision {
        None => rows::ResourceRow { record: &row.record, own, ended: None },
        Some(revision) => rows::ResourceRow {
            record: &revision.resource,
            own,
            ended: Some((revision.number, revision.ended)),
        },
    })
}

/// The resources of a type that fulfil a condition.
fn matching(plan: &Plan<'_>, own: &TypeRecord, condition: &Condition<ResourceAttribute>) -> BTreeSet<Uuid> {
    let search = Search { state: plan.state, own, with_history: false };
    let candidates = search.candidates(Some(condition)).into_iter();
    let rows = candidates.filter_map(|slot| plan.state.resource(slot));
    let taken = rows.filter(|row| view(plan.state, row, None).is_some_and(|view| condition.takes(&view)));
    taken.map(|row| row.record.id).collect()
}

fn changed(record: &ResourceRecord, own: &TypeRecord, change: &ResourceChange) -> ResourceRecord {
    let mut changed = record.clone();
    if let Some(started_at) = change.started_at {
        changed.started_at = started_at.rounded_to_micros();
    }
    if let Some(ended_at) = change.ended_at {
        changed.ended_at = ended_at.map(Timestamp::rounded_to_micros);
    }
    if let Some(user_id) = &change.user_id {
        changed.user_id = user_id.as_deref().map(Into::into);
    }
    if let Some(project_id) = &change.project_id {
        changed.project_id = project_id.as_deref().map(Into::into);
    }
    for column in &own.columns {
        if let Some(value) = change.attributes.get(&column.name)
            && *changed.attribute(column) != value.into()
        {
            changed.set_attribute(column, value.into());
        }
    }
    changed
}

pub(super) fn find_type<'a>(state: &'a State, name: &str) -> Result<&'a TypeRecord> {
    state.type_named(name).ok_or_else(|| Error::NoSuchResourceType(name.into()))
}

/// The resource that a user means by a text, if it has that type.
fn find_resource<'a>(
    state: &'a State,
    own: &TypeRecord,
    id: &str,
    creator: &Creator,
) -> Result<&'a ResourceRow> {
    let uuid = resource_uuid(id, creator).map_err(|_| Error::NoSuchResource(id.into()))?;
    let row = state.resource_with_id(uuid);
    let row = row.filter(|row| own.key == GENERIC_KEY || row.record.resource_type == own.key);
    row.ok_or_else(|| Error::NoSuchResource(uuid.to_string()))
}

fn names(state: &State, row: &ResourceRow) -> BTreeMap<Arc<str>, MetricKey> {
    state.metrics_of(row).map(|(name, key)| (name.clone(), key)).collect()
}

/// A resource as it is answered: its current revision, or one that has ended. The metrics are always those of now.
pub(super) fn describe(
    state: &State,
    row: &ResourceRow,
    revision: Option<&RevisionRecord>,
    with_attributes: bool,
) -> Resource {
    let record = revision.map_or(row.record.as_ref(), |revision| &revision.resource);
    let text = |text: &Option<Arc<str>>| text.as_ref().map(ToString::to_string);
    let own = state.type_of(record);
    let columns = own.into_iter().flat_map(|own| &own.columns).filter(|_| with_attributes);
    let metrics = state.metrics_of(row);
    Resource {
        id: record.id,
        original_resource_id: record.original_id.to_string(),
        resource_type: own.map(|own| own.name.clone()).unwrap_or_default(),
        creator: text(&record.creator),
        user_id: text(&record.user_id),
        project_id: text(&record.project_id),
        started_at: record.started_at,
        ended_at: record.ended_at,
        revision_start: record.revision_start,
        revision_end: revision.map(|revision| revision.ended),
        revision: revision.map_or(-1, |revision| revision.number.try_into().unwrap_or(i64::MAX)),
        attributes: columns.map(|column| (column.name.clone(), record.attribute(column).into())).collect(),
        metrics: metrics
            .filter_map(|(name, key)| Some((name.to_string(), state.metric(key)?.id())))
            .collect(),
    }
}

/// A time as Python shows it.
fn shown(time: Timestamp) -> String {
    time.to_string().replace('T', " ")
}
