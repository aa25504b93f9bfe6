//! Traces as OSProfiler kept them before 2.8: a key for each point.

use std::time::{Duration, Instant};

use nephoscope_telemetry::{BadRecord, Id, Points, Result};
use redis::Value;
use tokio::sync::Mutex;

use super::connection::Connection;
use super::keys::{LEGACY, Scan, all, legacy_points};
use super::read::{Record, record, texts};

/// How long it is believed that there are no such keys. Services that old could still write some, and to look for
/// them is to walk through all keys of the database.
const BELIEVED: Duration = Duration::from_secs(60);

/// What is known about the keys of old.
#[derive(Debug, Default)]
pub(super) struct Legacy {
    /// When there were none. Held while that is found out, so that many readers cause one walk.
    none_at: Mutex<Option<Instant>>,
}

impl Legacy {
    /// The points of this trace, in order of time. A key with this id at its beginning may be of another trace: the
    /// point in it tells.
    pub(super) async fn points(
        &self,
        operation: &'static str,
        connection: &Connection,
        base_id: &Id,
    ) -> Result<Points> {
        let mut points = Points::default();
        let pattern = legacy_points(base_id);
        let take = |_: &[u8], record: Record| match record {
            Ok(point) if point.base_id == *base_id => points.good.push(point),
            Ok(_) => {}
            Err(bad) => points.bad.push(bad),
        };
        self.visit(operation, connection, pattern, take).await?;
        points.sort_by_time();
        Ok(points)
    }

    /// Shows every key of old with the point in it.
    pub(super) async fn visit_all(
        &self,
        operation: &'static str,
        connection: &Connection,
        visit: impl FnMut(&[u8], Record) + Send,
    ) -> Result<()> {
        self.visit(operation, connection, all(LEGACY), visit).await
    }

    async fn visit(
        &self,
        operation: &'static str,
        connection: &Connection,
        pattern: String,
        mut visit: impl FnMut(&[u8], Record) + Send,
    ) -> Result<()> {
        if !self.any(operation, connection).await? {
            return Ok(());
        }
        let mut scan = Scan::new(pattern);
        while let Some(keys) = scan.next(operation, connection).await? {
            if keys.is_empty() {
                continue;
            }
            for (key, text) in keys.iter().zip(texts(operation, connection, &keys).await?) {
                visit(key, record_of(key, text.as_ref()));
            }
        }
        Ok(())
    }

    async fn any(&self, operation: &'static str, connection: &Connection) -> Result<bool> {
        let mut none_at = self.none_at.lock().await;
        if none_at.is_some_and(|at| at.elapsed() < BELIEVED) {
            return Ok(false);
        }
        let mut scan = Scan::new(all(LEGACY));
        while let Some(keys) = scan.next(operation, connection).await? {
            if !keys.is_empty() {
                return Ok(true);
            }
        }
        *none_at = Some(Instant::now());
        Ok(false)
    }
}

fn record_of(key: &[u8], text: Option<&Value>) -> Record {
    match text {
        None => Err(BadRecord::whole(format!("the key `{}` holds no text", key.escape_ascii()))),
        Some(text) => record(text),
    }
}
