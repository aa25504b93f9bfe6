//! The daemon's own metrics, in OpenMetrics text.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use nephoscope_collector::{DeliveryCounts, Intake};
use nephoscope_drivers::guard::{Meter, OperationMeter};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::App;
use crate::traces::Traces;

type Labels = Vec<(&'static str, String)>;

/// Counters of the daemon, and those of its drivers.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    points: Family<Labels, Counter>,
    spans: Family<Labels, Counter>,
    requests: Family<Labels, Counter>,
    grpc_requests: Family<Labels, Counter>,
}

impl Metrics {
    pub(crate) fn new(
        traces: &Traces,
        intake: Option<Intake>,
        sources: Vec<SourceCounts>,
        dispatchers: Vec<DispatcherCounts>,
    ) -> Self {
        let mut registry = Registry::with_prefix("nephoscope");
        let (points, spans) = (Family::default(), Family::default());
        let (requests, grpc_requests) = (Family::default(), Family::default());
        registry.register("trace_points", "Trace points that came in", points.clone());
        registry.register("otlp_spans", "Spans that came in over OTLP", spans.clone());
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register("grpc_requests", "Calls answered over gRPC", grpc_requests.clone());
        let meters = traces.meters().map(|(name, meter)| (name.to_owned(), meter)).collect();
        registry.register_collector(Box::new(Drivers { meters }));
        registry.register_collector(Box::new(Sources(sources)));
        if let Some(intake) = intake {
            registry.register_collector(Box::new(Samples { intake, dispatchers }));
        }
        Self { registry, points, spans, requests, grpc_requests }
    }

    pub(crate) fn count_points(&self, stored: usize, bad: usize) {
        count(&self.points, [("stored", stored as u64), ("bad", bad as u64)]);
    }

    pub(crate) fn count_spans(&self, stored: u64, refused: u64) {
        count(&self.spans, [("stored", stored), ("refused", refused)]);
    }

    /// Counts a call by its path and the number of its status.
    pub(crate) fn count_call(&self, path: &str, status: &str) {
        let labels = vec![("method", path.to_owned()), ("status", status.to_owned())];
        self.grpc_requests.get_or_create(&labels).inc();
    }

    pub(crate) fn encode(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a String takes all");
        text
    }
}

fn count<const N: usize>(family: &Family<Labels, Counter>, results: [(&str, u64); N]) {
    for (result, count) in results {
        family.get_or_create(&vec![("result", result.to_owned())]).inc_by(count);
    }
}

/// Counts every request by its route and status.
pub(crate) async fn count_requests(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("none", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let labels = vec![("route", route), ("status", response.status().as_str().to_owned())];
    app.metrics.requests.get_or_create(&labels).inc();
    response
}

/// Reads the meters of the drivers when it is asked.
#[derive(Debug)]
struct Drivers {
    meters: Vec<(String, Arc<Meter>)>,
}

impl Collector for Drivers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        type Read = fn(&OperationMeter) -> &AtomicU64;
        let counts: [(&str, &str, Read); 4] = [
            ("driver_operations_done", "Operations of a trace driver that ended well", |meter| &meter.done),
            ("driver_operations_failed", "Operations of a trace driver that failed for good", |meter| {
                &meter.failed
            }),
            ("driver_operations_retried", "Operations of a trace driver tried again", |meter| &meter.retried),
            ("driver_operations_micros", "Time in operations of a trace driver, in microseconds", |meter| {
                &meter.micros
            }),
        ];
        for (name, help, read) in counts {
            let mut family = encoder.encode_descriptor(name, help, None::<&Unit>, MetricType::Counter)?;
            for (driver, meter) in &self.meters {
                for (operation, meter) in operations(meter) {
                    let labels = [("driver", driver.as_str()), ("operation", operation)];
                    let count = ConstCounter::new(read(meter).load(Ordering::Relaxed));
                    count.encode(family.encode_family(&labels)?)?;
                }
            }
        }
        Ok(())
    }
}

fn operations(meter: &Meter) -> [(&'static str, &OperationMeter); 4] {
    [("notify", &meter.notify), ("points", &meter.points), ("list", &meter.list), ("purge", &meter.purge)]
}

/// What one source has done so far.
pub struct SourceCounts {
    /// Its name, without secrets.
    pub source: String,
    /// Counts what happened: each kind of event, and how often.
    pub counts: Box<dyn Fn() -> Vec<(&'static str, u64)> + Send + Sync>,
}

impl fmt::Debug for SourceCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceCounts").field("source", &self.source).finish_non_exhaustive()
    }
}

/// Asks the sources when it is asked.
#[derive(Debug)]
struct Sources(Vec<SourceCounts>);

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let help = "What happened to the messages of a source, and how often it was away";
        let mut family =
            encoder.encode_descriptor("source_events", help, None::<&Unit>, MetricType::Counter)?;
        for source in &self.0 {
            for (event, count) in (source.counts)() {
                let labels = [("source", source.source.as_str()), ("event", event)];
                ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

/// What one dispatcher was sent so far.
#[derive(Clone, Debug)]
pub struct DispatcherCounts {
    /// Its name, without secrets.
    pub dispatcher: String,
    /// The counts, which go on changing.
    pub counts: Arc<DeliveryCounts>,
}

/// Asks the way of samples when it is asked.
#[derive(Debug)]
struct Samples {
    intake: Intake,
    dispatchers: Vec<DispatcherCounts>,
}

impl Collector for Samples {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = self.intake.counts();
        let mut family = encoder.encode_descriptor(
            "taken_in",
            "Samples and events that were spooled, and what was bad among them",
            None::<&Unit>,
            MetricType::Counter,
        )?;
        for (what, count) in [("samples", &counts.samples), ("events", &counts.events), ("bad", &counts.bad)]
        {
            ConstCounter::new(read(count)).encode(family.encode_family(&[("what", what)])?)?;
        }
        let spool = self.intake.spooled();
        let gauges = [
            ("spool_bytes", "Bytes that the spool holds", spool.bytes),
            ("spool_max_bytes", "Bytes that the spool may hold", spool.max_bytes),
            ("spool_full", "Whether what comes has to wait for room in the spool", spool.is_full.into()),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None::<&Unit>, MetricType::Gauge)?)?;
        }
        let mut behind = encoder.encode_descriptor(
            "dispatcher_behind_bytes",
            "Bytes of the spool that are not sent on yet",
            None::<&Unit>,
            MetricType::Gauge,
        )?;
        for (name, bytes) in &spool.behind {
            let gauge = ConstGauge::new(i64::try_from(*bytes).unwrap_or(i64::MAX));
            gauge.encode(behind.encode_family(&[("dispatcher", name.as_str())])?)?;
        }
        let mut lag = encoder.encode_descriptor(
            "dispatcher_lag_seconds",
            "How long the oldest has waited that is not sent on yet",
            None::<&Unit>,
            MetricType::Gauge,
        )?;
        for one in &self.dispatchers {
            ConstGauge::new(one.counts.lag())
                .encode(lag.encode_family(&[("dispatcher", one.dispatcher.as_str())])?)?;
        }
        let mut sent = encoder.encode_descriptor(
            "dispatched",
            "What became of what a dispatcher was sent",
            None::<&Unit>,
            MetricType::Counter,
        )?;
        for one in &self.dispatchers {
            let counts = &one.counts;
            for (what, count) in [
                ("samples", &counts.samples),
                ("events", &counts.events),
                ("refused", &counts.refused),
                ("failures", &counts.failures),
                ("damaged", &counts.damaged),
            ] {
                let labels = [("dispatcher", one.dispatcher.as_str()), ("what", what)];
                ConstCounter::new(read(count)).encode(sent.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
