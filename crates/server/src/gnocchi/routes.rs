//! What each path of the API does.

pub(super) mod aggregates;
pub(super) mod aggregation;
pub(super) mod archive_policies;
mod arrivals;
pub(super) mod batch;
mod calculation;
pub(super) mod influxdb;
pub(super) mod measures;
pub(super) mod metrics;
pub(super) mod prometheus;
pub(super) mod resource_types;
pub(super) mod resources;
pub(super) mod search_metric;
pub(super) mod versions;

use nephoscope_gnocchi::FilterError;

use super::fault::Fault;

/// A condition in a query that cannot be read.
pub(super) fn filter_fault(error: FilterError) -> Fault {
    match error {
        FilterError::Schema(error) => error.into(),
        text @ FilterError::Text(_) => Fault::bad_request(text.to_string()),
    }
}
