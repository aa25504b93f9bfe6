//! Traces in Ceilometer or Panko, by their event API: `ceilometer://host[:8777][/path]`, `ceilometer+https://…`.
//!
//! Without an address it is found in the catalog of Keystone, as a service of type `event` or `metering`:
//! `ceilometer://user:password@?auth_url=https://keystone:5000/v3&project=service`.
//!
//! | option | meaning |
//! |---|---|
//! | `auth_url` | Keystone, which user and password are for |
//! | `project`, `project_domain`, `user_domain` | which project, and domains of project and user (`Default`) |
//! | `application_credential`, `application_credential_secret` | instead of user and password |
//! | `cloud` | a cloud of `clouds.yaml`, which says all of that |
//! | `token` | instead of user and password; without `auth_url` it is used as it is |
//! | `region`, `interface` | which endpoint of the catalog; `interface` is `public` otherwise |
//! | `timeout`, `connect_timeout` | seconds that a server may be silent (20), and to reach it (5) |
//! | `cacert`, `cert`, `key`, `insecure` | TLS, as OpenStack's clients call it |
//! | `transport_url` | the bus that Ceilometer listens to, as a connection string of `rabbit://` with its options |
//! | `filter_error_trace` | taken and without effect |
//!
//! Ceilometer keeps an event of each `profiler.*` notification; the API does not take any, so points are written as such
//! notifications to the bus that `transport_url` names, and without it not at all. They are read when Ceilometer has
//! taken them off the bus. A trace is found by the trait `base_id`, as OSProfiler's driver did until 1.15. A list has to
//! look at all events of the time that is asked for, and is refused when they are too many; a Nephoscope refuses it, and
//! has `http://` for that.

mod api;
mod bus;
mod event;
mod list;
mod trace;

use std::sync::Arc;

use nephoscope_telemetry::{
    BoxFuture, Capabilities, Connecting, ConnectionString, Driver, Error, ErrorKind, Id, Points, Purged,
    Result, Timestamp, TraceFilter, TracePoint, TraceSummary,
};

use api::Api;

/// Connects `ceilometer://` and `ceilometer+https://`.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move {
        let bus = bus::read(to)?;
        let api = Api::open(to).await?;
        let lists = list::is_possible(&api).await?;
        let bus = match &bus {
            Some(bus) => Some(crate::messaging::connect(bus).await?),
            None => None,
        };
        Ok(Arc::new(Ceilometer { api, bus, lists }) as Arc<dyn Driver>)
    })
}

#[derive(Debug)]
struct Ceilometer {
    api: Api,
    /// Where Ceilometer takes notifications from.
    bus: Option<Arc<dyn Driver>>,
    /// Whether the other side looks at the events of all traces.
    lists: bool,
}

impl Driver for Ceilometer {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            read: true,
            list: self.lists,
            search_errors: self.lists,
            // The id of a message is a hash of its point, and Ceilometer keeps one event of an id.
            deduplicates: self.bus.is_some(),
            durable: self.bus.is_some(),
            ..Capabilities::default()
        }
    }

    fn notify<'a>(&'a self, points: &'a [TracePoint]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let told = "Ceilometer's API takes no trace points; name the bus that it listens to with `transport_url`";
            match &self.bus {
                Some(bus) => bus.notify(points).await,
                None if points.is_empty() => Ok(()),
                None => Err(unsupported("store trace points", told)),
            }
        })
    }

    fn points<'a>(&'a self, base_id: &'a Id) -> BoxFuture<'a, Result<Points>> {
        Box::pin(trace::read("read a trace", &self.api, base_id))
    }

    fn list<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(list::list("list traces", &self.api, filter, |_| true))
    }

    fn list_errors<'a>(&'a self, filter: &'a TraceFilter) -> BoxFuture<'a, Result<Vec<TraceSummary>>> {
        Box::pin(list::list("list traces with errors", &self.api, filter, TracePoint::is_error))
    }

    fn purge(&self, _older_than: Timestamp) -> BoxFuture<'_, Result<Purged>> {
        let told = "Ceilometer deletes events by itself, after its option `event_time_to_live`";
        Box::pin(async move { Err(unsupported("purge traces", told)) })
    }

    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match &self.bus {
                Some(bus) => bus.close().await,
                None => Ok(()),
            }
        })
    }
}

fn unsupported(operation: &'static str, told: &str) -> Error {
    Error::new(ErrorKind::Unsupported, operation, told)
}

#[cfg(test)]
mod tests;
