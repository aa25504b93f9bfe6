//! One trace or all of them.

use nephoscope_telemetry::{Driver, Id, Result, TraceFilter};

use crate::cli::Selection;

/// The ids that are selected, oldest first so that a copy keeps the order of time.
pub(crate) async fn ids(selection: &Selection, driver: &dyn Driver) -> Result<Vec<Id>> {
    match &selection.id {
        Some(id) => Ok(vec![Id::new(id)]),
        None => {
            let list = driver.list(&TraceFilter::default()).await?;
            Ok(list.into_iter().rev().map(|trace| trace.base_id).collect())
        }
    }
}
