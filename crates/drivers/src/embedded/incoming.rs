//! A trace point on its way into the store: encoded by whoever brings it, so that the one writer has less to do.

use nephoscope_telemetry::{Timestamp, TracePoint};
use smol_str::SmolStr;
use xxhash_rust::xxh3::xxh3_64;

use super::{keys, record};

#[derive(Clone, Debug)]
pub(super) struct Incoming {
    /// The key of its trace.
    pub(super) trace: Vec<u8>,
    pub(super) time: Timestamp,
    /// Of the body: where to look for the same point.
    pub(super) hash: u32,
    pub(super) body: Vec<u8>,
    pub(super) is_stop: bool,
    pub(super) is_error: bool,
    pub(super) operation: SmolStr,
    pub(super) service: Option<SmolStr>,
    pub(super) project: Option<SmolStr>,
}

impl Incoming {
    /// Encodes a point; nothing when its base id is longer than a key may be.
    pub(super) fn new(point: &TracePoint) -> Option<Self> {
        let body = record::body(point);
        let [_, _, _, _, hash @ ..] = xxh3_64(&body).to_be_bytes();
        Some(Self {
            trace: keys::trace_key(&point.base_id)?,
            time: point.timestamp,
            hash: u32::from_be_bytes(hash),
            body,
            is_stop: point.is_stop(),
            is_error: point.is_error(),
            operation: point.operation().into(),
            service: point.service.clone(),
            project: point.project.clone(),
        })
    }
}
