//! Jaeger's query API.

use std::collections::HashMap;

use nephoscope_http::{Http, StatusCode};
use nephoscope_otlp::proto::ResourceSpans;
use nephoscope_otlp::{ids, json};
use nephoscope_telemetry::json::{InvalidJson, Scanner};
use nephoscope_telemetry::{ErrorKind, Id, Points, Result, Timestamp};
use serde::Deserialize;

/// Where Jaeger writes what it mended in a span. It is nothing that the program said.
const WARNINGS: &str = "@jaeger@warnings";

#[derive(Debug)]
pub(super) struct Query {
    http: Http,
}

/// A span of time, the end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Microseconds since 1970.
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Query {
    pub(super) fn new(http: Http) -> Self {
        Self { http }
    }

    /// The names of all services.
    pub(super) async fn services(&self, operation: &'static str) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Services {
            services: Option<Vec<String>>,
        }
        let answer = self.http.get(operation, "/api/v3/services").send().await?;
        Ok(answer.json::<Services>()?.services.unwrap_or_default())
    }

    /// The points of a trace.
    pub(super) async fn trace(&self, base_id: &Id) -> Result<Points> {
        let id: String = ids::trace_id(base_id).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut traces =
            self.ask("read a trace", &format!("/api/v3/traces/{id}"), &[("raw_traces", "true")]).await?;
        // Several base ids may have one trace id.
        Ok(traces.remove(base_id).unwrap_or_default())
    }

    /// So many traces in which this service was busy in this time: the newest, as far as Jaeger's store knows.
    pub(super) async fn find(
        &self,
        operation: &'static str,
        service: &str,
        window: Window,
        count: usize,
    ) -> Result<HashMap<Id, Points>> {
        let from = format!("{}Z", Timestamp::from_micros(window.from));
        // The last nanosecond of the window.
        let to = format!("{}999Z", Timestamp::from_micros(window.to - 1));
        let query = [
            ("query.service_name", service),
            ("query.start_time_min", &from),
            ("query.start_time_max", &to),
            ("query.num_traces", &count.to_string()),
            ("query.raw_traces", "true"),
        ];
        self.ask(operation, "/api/v3/traces", &query).await
    }

    /// The points of each trace in the answer, once each.
    async fn ask(
        &self,
        operation: &'static str,
        path: &str,
        query: &[(&'static str, &str)],
    ) -> Result<HashMap<Id, Points>> {
        let mut request = self.http.get(operation, path);
        for (name, value) in query {
            request = request.query(name, *value);
        }
        let answer = request.accept(&[404]).send().await?;
        if answer.status() == 404 {
            return Ok(HashMap::new());
        }
        let text = std::str::from_utf8(answer.body()).map_err(|error| answer.strange(&error))?;
        let mut spans = results(text).map_err(|error| answer.strange(&error))?;
        spans.iter_mut().for_each(forget_warnings);
        Ok(traces(&spans))
    }
}

/// The spans of `{"result": {"resourceSpans": […]}}`, of which there may be several in a row.
fn results(text: &str) -> std::result::Result<Vec<ResourceSpans>, InvalidJson> {
    let mut scanner = Scanner::new(text);
    let mut spans = Vec::new();
    while scanner.peek().is_some() {
        scanner.expect(b'{', "expected an object")?;
        let mut more = !scanner.eat(b'}');
        while more {
            let key = scanner.key()?;
            let value = scanner.value()?;
            if key == "result" {
                spans.extend(json::read(value)?);
            }
            more = scanner.eat(b',');
            if !more {
                scanner.expect(b'}', "expected a comma or the end of the object")?;
            }
        }
    }
    Ok(spans)
}

fn forget_warnings(resource: &mut ResourceSpans) {
    for span in resource.scope_spans.iter_mut().flat_map(|scope| &mut scope.spans) {
        span.attributes.retain(|attribute| attribute.key != WARNINGS);
    }
}

/// The points of each trace, each of them once: Jaeger's memory store keeps a span as often as it was sent.
fn traces(spans: &[ResourceSpans]) -> HashMap<Id, Points> {
    let (points, bad) = nephoscope_otlp::points(spans);
    let mut traces: HashMap<Id, Points> = HashMap::new();
    let mut seen: HashMap<(Id, Id, Timestamp), Vec<usize>> = HashMap::new();
    for point in points {
        let good = &mut traces.entry(point.base_id.clone()).or_default().good;
        let alike = (point.base_id.clone(), point.trace_id.clone(), point.timestamp);
        let alike = seen.entry(alike).or_default();
        if !alike.iter().any(|&at| good[at] == point) {
            alike.push(good.len());
            good.push(point);
        }
    }
    // A span that is none says nothing of its trace, but whoever asks for one trace gets the spans of no other.
    for points in traces.values_mut() {
        points.bad = bad.clone();
    }
    traces
}

/// What a refusal means of whom we ask first of all for something that every Jaeger 2 has.
pub(super) fn meaning(status: StatusCode, _: &str) -> Option<(ErrorKind, &'static str)> {
    let elsewhere = status == StatusCode::NOT_FOUND || status == StatusCode::METHOD_NOT_ALLOWED;
    elsewhere.then_some((ErrorKind::Config, "; is it the query API of Jaeger 2, and is its path right?"))
}
