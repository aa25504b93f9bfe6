//! `GET /api`

use std::sync::Arc;

use axum::extract::State;
use serde_json::{Value, json};

use super::traces::MAX_LIMIT;
use crate::App;
use crate::body::MAX_BODY_BYTES;

/// Which Nephoscope this is, what its trace drivers can do together, and its bounds: for one Nephoscope that uses
/// another.
pub(crate) async fn about(State(app): State<Arc<App>>) -> axum::Json<Value> {
    let can = app.traces.capabilities();
    axum::Json(json!({
        "nephoscope": env!("CARGO_PKG_VERSION"),
        "traces": {
            "read": can.read,
            "list": can.list,
            "indexed_list": can.indexed_list,
            "search_errors": can.search_errors,
            "error_records": can.error_records,
            "deduplicates": can.deduplicates,
            "purge": can.purge,
            "durable": can.durable,
        },
        "max_body": MAX_BODY_BYTES,
        "max_limit": MAX_LIMIT,
    }))
}
