//! Who there is: archive policies, rules, resource types, resources with their history, metrics.
//!
//! Everything is in memory but the revisions that have ended, and every change is on disk before it is answered. A
//! change is planned against what there is, written as one batch, and then carried out in memory by the same code that
//! reads the disk when the store is opened: `State::apply`.

mod attributes;
mod convert;
mod filter;
mod measures;
mod metrics;
mod names;
mod order;
mod pattern;
mod plan;
mod policies;
mod record;
mod resources;
mod rows;
mod search;
mod state;
mod types;
mod value;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use nephoscope_gnocchi::{Creator, Result};

use plan::Plan;
use record::RevisionRecord;
use state::State;
use uuid::Uuid;

pub(crate) use measures::Batch;
pub(crate) use record::MetricKey;

/// The index of a store. Blocking: not for threads that run futures.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Held from the planning of a change until it is carried out, so that no other comes between. A plain lock: nothing
    /// is awaited.
    writer: Mutex<()>,
    /// Written for as long as it takes to carry out a change that is on disk; read by everything else.
    state: RwLock<State>,
}

impl Index {
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The revisions of a resource that have ended, in their order.
    fn revisions(&self, resource: Uuid) -> Result<Vec<RevisionRecord>> {
        let state = self.state();
        Ok(state.revisions.iter().filter(|revision| revision.resource.id == resource).cloned().collect())
    }

    /// Plans a change and carries it out: all of it or nothing, and on disk when it returns.
    fn change<T>(&self, plan: impl FnOnce(&mut Plan<'_>) -> Result<T>) -> Result<T> {
        let writer = self.writer();
        let (planned, changes) = {
            let state = self.state();
            let mut new = Plan::new(&state);
            let planned = plan(&mut new)?;
            (planned, new.finish())
        };
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            state.apply(change);
        }
        drop((state, writer));
        Ok(planned)
    }
}

/// Who made something, as it is kept.
fn creator_text(creator: &Creator) -> Option<Arc<str>> {
    Some(creator.to_string().into())
}
