//! The embedded store in bad situations and under load: what the conformance suite, which every driver passes, cannot
//! know of.
#![cfg(feature = "embedded")]
#![expect(clippy::unwrap_used, reason = "what a test does not expect ends it")]

mod children;
mod crash;
mod damage;
mod fixture;
mod goldens;
mod measure;
mod once;
mod opening;
mod points;
mod retention;
mod room;

use std::path::Path;
use std::sync::Arc;

use nephoscope_drivers::registry;
use nephoscope_telemetry::{ConnectionString, Driver, Error, Result, TraceFilter, TraceSummary};

/// Opens the store in a directory.
async fn open(path: &Path) -> Result<Arc<dyn Driver>> {
    open_with(path, "").await
}

async fn open_with(path: &Path, options: &str) -> Result<Arc<dyn Driver>> {
    let text = format!("embedded://{}{options}", path.display());
    registry().connect(&ConnectionString::parse(&text).unwrap()).await
}

/// An error with all its causes, as the command line shows it.
fn chain(error: &Error) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

async fn list(driver: &dyn Driver) -> Vec<TraceSummary> {
    driver.list(&TraceFilter::default()).await.unwrap()
}

/// Holds every line of the list to the points of its trace.
async fn assert_list_and_points_agree(driver: &dyn Driver) {
    for line in list(driver).await {
        let points = driver.points(&line.base_id).await.unwrap();
        assert_eq!(points.bad.count(), 0);
        assert_eq!(TraceSummary::of(&points.good), Some(line));
    }
}
