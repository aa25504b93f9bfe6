//! What the other Nephoscope is and can.

use nephoscope_http::{Http, StatusCode};
use nephoscope_telemetry::{Capabilities, Result};
use serde::Deserialize;

/// What `GET /api` answers. Fields that are not known belong to a later version.
#[derive(Debug, Deserialize)]
pub(super) struct About {
    /// Its version, which also says that it is one.
    #[serde(rename = "nephoscope")]
    _version: String,
    traces: Can,
    /// How many bytes it takes at once.
    pub(super) max_body: usize,
    /// How many traces it lists at once.
    pub(super) max_limit: usize,
}

/// What is not there is not claimed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Can {
    read: bool,
    list: bool,
    indexed_list: bool,
    search_errors: bool,
    error_records: bool,
    deduplicates: bool,
    purge: bool,
    durable: bool,
}

impl About {
    pub(super) async fn ask(http: &Http) -> Result<Self> {
        let answer = http.get("connect", "/api").accept(&[404]).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(answer.strange(&"it has nothing at /api"));
        }
        let about: Self = answer.json()?;
        if about.max_limit < 2 || about.max_body == 0 {
            return Err(answer.strange(&"it takes nothing"));
        }
        Ok(about)
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        let Can { read, list, indexed_list, search_errors, error_records, deduplicates, purge, durable } =
            self.traces;
        Capabilities { read, list, indexed_list, search_errors, error_records, deduplicates, purge, durable }
    }
}
