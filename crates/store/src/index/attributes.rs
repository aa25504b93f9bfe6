//! Resources in the order of each of their attributes: what a search looks up instead of looking at all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use super::record::{Column, ResourceRecord, TypeKey, TypeRecord};
use super::state::{GENERIC_KEY, Slot};
use super::value::Value;

/// An attribute that resources of all types have, and that is indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Common {
    OriginalId,
    Creator,
    UserId,
    ProjectId,
    StartedAt,
    EndedAt,
    RevisionStart,
}

impl Common {
    const ALL: [Self; 7] = [
        Self::OriginalId,
        Self::Creator,
        Self::UserId,
        Self::ProjectId,
        Self::StartedAt,
        Self::EndedAt,
        Self::RevisionStart,
    ];

    pub(super) fn value(self, record: &ResourceRecord) -> Value {
        match self {
            Self::OriginalId => Value::Text(record.original_id.clone()),
            Self::Creator => Value::text(record.creator.as_ref()),
            Self::UserId => Value::text(record.user_id.as_ref()),
            Self::ProjectId => Value::text(record.project_id.as_ref()),
            Self::StartedAt => Value::Time(record.started_at),
            Self::EndedAt => Value::time(record.ended_at),
            Self::RevisionStart => Value::Time(record.revision_start),
        }
    }
}

type Ordered = BTreeSet<(Value, Slot)>;

#[derive(Debug, Default)]
pub(super) struct Attributes {
    types: BTreeMap<TypeKey, BTreeSet<Slot>>,
    common: HashMap<Common, Ordered>,
    own: HashMap<(TypeKey, u32), Ordered>,
}

impl Attributes {
    pub(super) fn insert(&mut self, own: &TypeRecord, record: &ResourceRecord, slot: Slot) {
        self.types.entry(own.key).or_default().insert(slot);
        for common in Common::ALL {
            self.common.entry(common).or_default().insert((common.value(record), slot));
        }
        for column in &own.columns {
            self.insert_own(own.key, column, record, slot);
        }
    }

    pub(super) fn insert_own(&mut self, key: TypeKey, column: &Column, record: &ResourceRecord, slot: Slot) {
        let ordered = self.own.entry((key, column.number)).or_default();
        ordered.insert((record.attribute(column).clone(), slot));
    }

    pub(super) fn remove(&mut self, own: &TypeRecord, record: &ResourceRecord, slot: Slot) {
        if let Some(slots) = self.types.get_mut(&own.key) {
            slots.remove(&slot);
        }
        for common in Common::ALL {
            if let Some(ordered) = self.common.get_mut(&common) {
                ordered.remove(&(common.value(record), slot));
            }
        }
        for column in &own.columns {
            if let Some(ordered) = self.own.get_mut(&(own.key, column.number)) {
                ordered.remove(&(record.attribute(column).clone(), slot));
            }
        }
    }

    pub(super) fn drop_column(&mut self, key: TypeKey, column: u32) {
        self.own.remove(&(key, column));
    }

    /// All resources of a type; of `generic`, all there are.
    pub(super) fn of_type(&self, key: TypeKey) -> Box<dyn Iterator<Item = Slot> + '_> {
        if key == GENERIC_KEY {
            return Box::new(self.types.values().flatten().copied());
        }
        Box::new(self.types.get(&key).into_iter().flatten().copied())
    }

    /// How many resources have a type themselves.
    pub(super) fn count_of_type(&self, key: TypeKey) -> usize {
        self.types.get(&key).map_or(0, BTreeSet::len)
    }

    /// Resources, of any type, whose common attribute lies within bounds.
    pub(super) fn common(&self, common: Common, bounds: &Bounds) -> Option<impl Iterator<Item = Slot> + '_> {
        self.common.get(&common).and_then(|ordered| within(ordered, bounds))
    }

    /// Resources of a type one of whose own attributes lies within bounds.
    pub(super) fn own(
        &self,
        key: TypeKey,
        column: u32,
        bounds: &Bounds,
    ) -> Option<impl Iterator<Item = Slot> + '_> {
        self.own.get(&(key, column)).and_then(|ordered| within(ordered, bounds))
    }
}

/// Which values are looked for.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    pub(super) from: Bound<Value>,
    pub(super) to: Bound<Value>,
}

/// Nothing where no value can be within the bounds.
fn within<'a>(ordered: &'a Ordered, bounds: &Bounds) -> Option<impl Iterator<Item = Slot> + use<'a>> {
    let from = match &bounds.from {
        Bound::Included(value) => Bound::Included((value.clone(), 0)),
        Bound::Excluded(value) => Bound::Excluded((value.clone(), Slot::MAX)),
        Bound::Unbounded => Bound::Unbounded,
    };
    let to = match &bounds.to {
        Bound::Included(value) => Bound::Included((value.clone(), Slot::MAX)),
        Bound::Excluded(value) => Bound::Excluded((value.clone(), 0)),
        Bound::Unbounded => Bound::Unbounded,
    };
    // The map panics where its bounds cross.
    let is_crossed = match (&from, &to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
            from >= to
        }
        _ => false,
    };
    (!is_crossed).then(|| ordered.range((from, to)).map(|(_, slot)| *slot))
}
