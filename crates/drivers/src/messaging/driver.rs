//! The bus as a [`Driver`].

use std::collections::HashSet;

use nephoscope_messaging::{BadMessage, Browser, Notification, Outgoing, Publisher, fingerprint};
use nephoscope_telemetry::{
    BoxFuture, Capabilities, Driver, Error, ErrorKind, Id, Points, Purged, Result, Timestamp, TraceFilter,
    TracePoint, TraceSummary, json,
};

use super::list::Outlines;

/// Sends points to a queue and looks at those that wait there.
#[derive(Debug)]
pub(super) struct Messaging {
    publisher: Publisher,
    browser: Browser,
}

impl Messaging {
    pub(super) fn new(publisher: Publisher, browser: Browser) -> Self {
        Self { publisher, browser }
    }

    /// Shows the payload of every notification once.
    async fn payloads(&self, operation: &'static str, mut look: impl FnMut(&str)) -> Result<()> {
        let mut seen = HashSet::new();
        let mut look_at = |message: Result<Notification, BadMessage>| {
            let notification = message?;
            let payload = notification.payload()?;
            if seen.insert(fingerprint(payload)) {
                look(payload);
            }
            Ok(())
        };
        let look = |message| {
            if let Err::<(), BadMessage>(bad) = look_at(message) {
                tracing::debug!(%bad, "passing by a message that is no notification");
            }
        };
        self.browser.look_at_all(operation, look).await
    }

    async fn read(&self, operation: &'static str, base_id: &Id) -> Result<Points> {
        let mut points = Points::default();
        let look = |payload: &str| match TracePoint::from_json(payload) {
            Ok(point) if point.base_id == *base_id => points.good.push(point),
            Ok(_) => {}
            Err(bad) if claims(payload, base_id) => points.bad.push(bad),
            Err(_) => {}
        };
        self.payloads(operation, look).await?;
        Ok(points)
    }

    async fn outlines(&self, operation: &'static str) -> Result<Outlines> {
        let mut outlines = Outlines::default();
        let look = |payload: &str| {
            if let Ok(point) = TracePoint::from_json(payload) {
                outlines.add(point);
            }
        };
        self.payloads(operation, look).await?;
        Ok(outlines)
    }
}

/// Whether what is no point says that it belongs to this trace.
fn claims(payload: &str, base_id: &Id) -> bool {
    let claimed = json::entries(payload).find(|(key, _)| key == "base_id");
    claimed.and_then(|(_, value)| json::decode(value)).is_some_and(|id| Id::new(&id) == *base_id)
}

/// As OSProfiler sends it: for a point without a service, Python writes `None`.
fn outgoing(point: &TracePoint) -> Outgoing {
    Outgoing {
        event_type: format!("profiler.{}", point.service.as_deref().unwrap_or("None")),
        publisher_id: point.host().unwrap_or_default().into_owned(),
        payload: point.to_json(),
    }
}

impl Driver for Messaging {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            read: true,
            list: true,
            search_errors: true,
            deduplicates: true,
            durable: true,
            ..Capabilities::default()
        }
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let messages: Vec<_> = points.iter().map(outgoing).collect();
            self.publisher.send("store trace points", &messages).await
        })
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(self.read("read a trace", base_id))
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(async move { Ok(self.outlines("list traces").await?.list(filter, |_| true)) })
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(async move {
            let outlines = self.outlines("list traces with errors").await?;
            Ok(outlines.list(filter, |points| points.iter().any(TracePoint::is_error)))
        })
    }

    fn purge(&self, _: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        let problem = "a queue gives its messages up to consumers only; give it a message-ttl by a policy of the broker";
        Box::pin(async move { Err(Error::new(ErrorKind::Unsupported, "purge traces", problem)) })
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            self.browser.close().await;
            Ok(())
        })
    }
}
