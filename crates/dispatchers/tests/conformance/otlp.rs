//! `otlp+metrics://` and `otlp+metrics+grpc://`

use std::sync::Arc;

use nephoscope_telemetry::{BoxFuture, ConnectionString, Dispatcher, Result};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::dispatchers::{Arrived, Place, Subject};
use nephoscope_testkit::http::{HttpDouble, Reply};
use nephoscope_testkit::server::{Missing, OtelCollector, PASSWORD_ENCODED, Server, USER};
use serde::Deserialize;

use super::{Home, excuse};

/// Over HTTP or gRPC.
pub(super) struct Otlp {
    pub(super) name: &'static str,
    pub(super) scheme: &'static str,
}

/// A Collector, and what it sends on.
struct Collector {
    home: Home,
    url: String,
    server: OtelCollector,
    behind: HttpDouble,
}

impl Subject for Otlp {
    fn name(&self) -> &'static str {
        self.name
    }

    fn place(&self) -> Result<Box<dyn Place>, Missing> {
        let behind = HttpDouble::start(|_| Reply::json(200, "{}"));
        let server = OtelCollector::start(behind.port())?;
        let port = if self.scheme.ends_with("grpc") { server.grpc_port() } else { server.http_port() };
        let url = format!("{}://{USER}:{PASSWORD_ENCODED}@127.0.0.1:{port}?compression=gzip", self.scheme);
        Ok(Box::new(Collector { home: Home::new(), url, server, behind }))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const {
            &[
                excuse("a_repeated_batch_is_there_once", "a Collector passes on what it gets"),
                excuse("events_arrive_as_they_are", "metrics have no use for them"),
                excuse(
                    "a_wrong_password_is_a_mistake_in_the_connection_string",
                    "the Collector asks for no password",
                ),
            ]
        }
    }
}

impl Place for Collector {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn connect<'a>(&'a self, to: &'a ConnectionString) -> BoxFuture<'a, Result<Arc<dyn Dispatcher>>> {
        Box::pin(self.home.connect(to))
    }

    fn samples(&self) -> BoxFuture<'_, Vec<Arrived>> {
        let requests = self.behind.received();
        let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let arrived = requests.iter().flat_map(|request| arrived(read(&request.text())));
        let arrived: Vec<_> = arrived.collect();
        Box::pin(async { arrived })
    }

    fn server(&mut self) -> Option<&mut dyn Server> {
        Some(&mut self.server)
    }
}

/// A request of OTLP/JSON, as far as it is of interest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(default)]
    resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceMetrics {
    resource: Resource,
    scope_metrics: Vec<ScopeMetrics>,
}

#[derive(Deserialize)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    key: String,
    value: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    #[serde(default)]
    string_value: String,
}

#[derive(Deserialize)]
struct ScopeMetrics {
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
struct Metric {
    name: String,
    gauge: Gauge,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Gauge {
    data_points: Vec<Point>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    time_unix_nano: String,
    /// What JSON has no numbers for is a string.
    as_double: serde_json::Value,
}

fn arrived(request: Request) -> Vec<Arrived> {
    let mut arrived = Vec::new();
    for of_resource in request.resource_metrics {
        let attribute = |name: &str| {
            let found = of_resource.resource.attributes.iter().find(|attribute| attribute.key == name);
            found.map(|attribute| attribute.value.string_value.clone())
        };
        for metric in of_resource.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
            let points = metric.gauge.data_points.iter();
            arrived.extend(points.filter_map(|point| {
                let nanos: i64 = point.time_unix_nano.parse().expect("it is a number");
                Some(Arrived {
                    meter: metric.name.clone(),
                    resource_id: attribute("cloud.resource_id").expect("every resource has one"),
                    project_id: attribute("cloud.account.id"),
                    user_id: attribute("user.id"),
                    millis: nanos / 1_000_000,
                    value: point.as_double.as_f64()?,
                })
            }));
        }
    }
    arrived
}
