//! Which resources may fulfil a condition: as few as the indexes can tell.

use std::collections::BTreeSet;
use std::ops::Bound;

use nephoscope_gnocchi::Comparison;

use super::attributes::{Bounds, Common};
use super::filter::Condition;
use super::record::TypeRecord;
use super::rows::ResourceAttribute;
use super::state::{GENERIC_KEY, Slot, State};
use super::value::Value;

/// What a search looks for.
pub(super) struct Search<'a> {
    pub(super) state: &'a State,
    pub(super) own: &'a TypeRecord,
    /// Revisions are looked for, too: only what all revisions of a resource have in common tells which.
    pub(super) with_history: bool,
}

impl Search<'_> {
    /// Resources that may fulfil a condition, or have a revision that does; each once, in no order that matters.
    pub(super) fn candidates(&self, condition: Option<&Condition<ResourceAttribute>>) -> Vec<Slot> {
        let all = self.state.attributes.count_of_type(self.own.key);
        let all = if self.own.key == GENERIC_KEY { self.state.resource_count() } else { all };
        match condition.and_then(|condition| self.narrow(condition, all)) {
            Some(slots) => slots.into_iter().filter(|slot| self.is_of_type(*slot)).collect(),
            None => self.state.attributes.of_type(self.own.key).collect(),
        }
    }

    fn is_of_type(&self, slot: Slot) -> bool {
        self.own.key == GENERIC_KEY
            || self.state.resource(slot).is_some_and(|row| row.record.resource_type == self.own.key)
    }

    /// Fewer than so many resources, among which all are that may fulfil the condition. Nothing when no index tells.
    fn narrow(&self, condition: &Condition<ResourceAttribute>, fewer_than: usize) -> Option<BTreeSet<Slot>> {
        match condition {
            Condition::And(all) => {
                let mut best: Option<BTreeSet<Slot>> = None;
                for condition in all {
                    let fewer_than = best.as_ref().map_or(fewer_than, BTreeSet::len);
                    best = self.narrow(condition, fewer_than).or(best);
                }
                best
            }
            Condition::Or(any) => {
                let mut found = BTreeSet::new();
                for condition in any {
                    found.append(&mut self.narrow(condition, fewer_than)?);
                    if found.len() >= fewer_than {
                        return None;
                    }
                }
                Some(found)
            }
            Condition::Unknown => Some(BTreeSet::new()),
            Condition::IsNull(attribute) => self.within(attribute, [equal(&Value::Null)], fewer_than),
            Condition::In(attribute, values) => self.within(attribute, values.iter().map(equal), fewer_than),
            Condition::Compare(comparison, attribute, value) => {
                let bounds = match comparison {
                    Comparison::Equal => equal(value),
                    Comparison::NotEqual => return None,
                    Comparison::Less => below(Bound::Excluded(value.clone())),
                    Comparison::LessOrEqual => below(Bound::Included(value.clone())),
                    Comparison::Greater => above(Bound::Excluded(value.clone())),
                    Comparison::GreaterOrEqual => above(Bound::Included(value.clone())),
                };
                self.within(attribute, [bounds], fewer_than)
            }
            Condition::Like(..) | Condition::Not(_) => None,
        }
    }

    fn within(
        &self,
        attribute: &ResourceAttribute,
        bounds: impl IntoIterator<Item = Bounds>,
        fewer_than: usize,
    ) -> Option<BTreeSet<Slot>> {
        let mut found = BTreeSet::new();
        for bounds in bounds {
            let limit = fewer_than.saturating_sub(found.len());
            let before = found.len();
            match attribute {
                ResourceAttribute::Id => {
                    let Bound::Included(Value::Uuid(id)) = bounds.from else { return None };
                    let Bound::Included(Value::Uuid(to)) = bounds.to else { return None };
                    if id != to {
                        return None;
                    }
                    found.extend(self.state.slot(id));
                }
                ResourceAttribute::Common(common @ (Common::OriginalId | Common::Creator)) => {
                    found.extend(
                        self.state.attributes.common(*common, &bounds).into_iter().flatten().take(limit),
                    );
                }
                _ if self.with_history => return None,
                ResourceAttribute::Common(common) => {
                    found.extend(
                        self.state.attributes.common(*common, &bounds).into_iter().flatten().take(limit),
                    );
                }
                ResourceAttribute::Own(column) => {
                    let slots = self.state.attributes.own(self.own.key, column.number, &bounds);
                    found.extend(slots.into_iter().flatten().take(limit));
                }
                _ => return None,
            }
            if limit == 0 || found.len() - before >= limit {
                return None;
            }
        }
        Some(found)
    }
}

fn equal(value: &Value) -> Bounds {
    Bounds { from: Bound::Included(value.clone()), to: Bound::Included(value.clone()) }
}

/// Without what is missing, which is before everything.
fn below(to: Bound<Value>) -> Bounds {
    Bounds { from: Bound::Excluded(Value::LEAST), to }
}

fn above(from: Bound<Value>) -> Bounds {
    Bounds { from, to: Bound::Unbounded }
}
