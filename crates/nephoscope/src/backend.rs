//! From a connection string to a connected driver.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nephoscope_drivers::guard::Guarded;
use nephoscope_telemetry::{ConnectionString, Driver, Registry, Result};

use crate::cli::BackendArgs;
use crate::exit::Failure;

/// The directory under [`data_dir`] where `embedded://` keeps traces.
const TRACES: &str = "traces";

/// Where data is kept when nothing else is said: `$XDG_DATA_HOME/nephoscope`, or `~/.local/share/nephoscope`.
pub fn data_dir() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("NEPHOSCOPE_DATA_DIR")
        .or_else(|| set("XDG_DATA_HOME").map(|home| home.join("nephoscope")))
        .or_else(|| set("HOME").map(|home| home.join(".local/share/nephoscope")))
        .unwrap_or_else(|| "nephoscope-data".into())
}

/// Gives `embedded://` its place in the data directory; everything else stays as it is.
pub fn locate(to: &ConnectionString, data_dir: &Path) -> ConnectionString {
    if to.scheme() == "embedded" && to.location().is_empty() {
        to.with_location(&data_dir.join(TRACES).to_string_lossy())
    } else {
        to.clone()
    }
}

/// The connection string of a command, which has to have one.
pub fn chosen(backend: &BackendArgs) -> Result<&ConnectionString, Failure> {
    let place = backend.connection_string.as_ref().map(|place| &place.0);
    place.ok_or_else(|| {
        Failure::Usage(
            "no backend: give --connection-string or set OSPROFILER_CONNECTION_STRING, \
             for example to redis://127.0.0.1:6379, or to embedded:// for the store of this machine"
                .into(),
        )
    })
}

/// Connects the driver of a command, guarded.
pub async fn connect(registry: &Registry, to: &ConnectionString) -> Result<Arc<dyn Driver>> {
    let driver = registry.connect(&locate(to, &data_dir())).await?;
    Ok(Arc::new(Guarded::new(driver)))
}
