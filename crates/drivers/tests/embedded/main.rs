//! The embedded store in bad situations and under load: what the conformance suite, which every driver passes, cannot
//! know of.
#![cfg(feature = "embedded")]

mod measure;
mod points;

use std::path::Path;
use std::sync::Arc;

use nephoscope_drivers::registry;
use nephoscope_telemetry::{ConnectionString, Driver, Error};

/// Opens the store in a directory.
async fn open(path: &Path) -> Result<Arc<dyn Driver>, Error> {
    open_with(path, "").await
}

async fn open_with(path: &Path, options: &str) -> Result<Arc<dyn Driver>, Error> {
    let text = format!("embedded://{}{options}", path.display());
    registry().connect(&ConnectionString::parse(&text).unwrap()).await
}
