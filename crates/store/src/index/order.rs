//! Lists in an order, and a part of them.

use std::cmp::Ordering;

use nephoscope_gnocchi::{Direction, Error, Nulls, Page, Result, Sort};

use super::filter::{Attribute, Attributes};
use super::value::Value;

/// The keys of an order, the last of them unique.
#[derive(Clone, Debug)]
pub(super) struct Order<A> {
    keys: Vec<Key<A>>,
}

#[derive(Clone, Debug)]
struct Key<A> {
    attribute: A,
    is_descending: bool,
    are_nulls_first: bool,
}

impl<A: Attribute> Order<A> {
    /// The order that a page has, or that its list has of its own; and then by what is unique.
    pub(super) fn new<R: Attributes<Attribute = A>>(
        page: &Page,
        attributes: &R,
        default: &[&str],
        unique: &[&str],
    ) -> Result<Self> {
        let mut sorts = page.sort.clone();
        if sorts.is_empty() {
            sorts.extend(default.iter().map(|key| ascending(key)));
        }
        for key in unique {
            if !sorts.iter().any(|sort| sort.key == *key) {
                sorts.push(ascending(key));
            }
        }
        let keys = sorts.into_iter().map(|sort| {
            let is_descending = sort.direction == Direction::Descending;
            let unknown = || Error::InvalidPagination(format!("Sort key supplied is invalid: {}", sort.key));
            Ok(Key {
                attribute: attributes.find(&sort.key).ok_or_else(unknown)?,
                is_descending,
                are_nulls_first: sort.nulls.map_or(is_descending, |nulls| nulls == Nulls::First),
            })
        });
        Ok(Self { keys: keys.collect::<Result<_>>()? })
    }

    /// Where a row stands.
    pub(super) fn place(&self, row: &A::Row<'_>) -> Place {
        Place(self.keys.iter().map(|key| key.attribute.value(row)).collect())
    }

    pub(super) fn compare(&self, one: &Place, other: &Place) -> Ordering {
        for (key, (one, other)) in self.keys.iter().zip(one.0.iter().zip(&other.0)) {
            let order = match (one.is_null(), other.is_null()) {
                (true, true) => Ordering::Equal,
                (false, false) if key.is_descending => other.cmp(one),
                (false, false) => one.cmp(other),
                (is_first, _) if is_first == key.are_nulls_first => Ordering::Less,
                _ => Ordering::Greater,
            };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }

    /// So many rows behind a place, in order.
    pub(super) fn page<T>(
        &self,
        mut rows: Vec<(Place, T)>,
        behind: Option<&Place>,
        limit: Option<usize>,
    ) -> Vec<T> {
        if let Some(behind) = behind {
            rows.retain(|(place, _)| self.compare(place, behind).is_gt());
        }
        let compare = |one: &(Place, T), other: &(Place, T)| self.compare(&one.0, &other.0);
        if let Some(limit) = limit
            && limit < rows.len()
        {
            rows.select_nth_unstable_by(limit, compare);
            rows.truncate(limit);
        }
        rows.sort_unstable_by(compare);
        rows.into_iter().map(|(_, row)| row).collect()
    }
}

/// Where a row stands in an order.
#[derive(Clone, Debug)]
pub(super) struct Place(Vec<Value>);

fn ascending(key: &str) -> Sort {
    Sort { key: key.into(), direction: Direction::Ascending, nulls: None }
}

/// What is said of a marker that is not in the list.
pub(super) fn no_marker(marker: &str) -> Error {
    Error::InvalidPagination(format!("Invalid marker: `{marker}'"))
}
