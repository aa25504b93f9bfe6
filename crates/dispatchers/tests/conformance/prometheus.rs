//! `prometheus+remote-write://`

use std::sync::Arc;

use nephoscope_http::Http;
use nephoscope_telemetry::{BoxFuture, ConnectionString, Dispatcher, Result};
use nephoscope_testkit::conformance::Excuse;
use nephoscope_testkit::dispatchers::{Arrived, Place, Subject};
use nephoscope_testkit::server::{Missing, Server, VictoriametricsServer};
use serde::Deserialize;
use serde_json::Value;

use super::{Home, excuse};

pub(super) struct Prometheus;

/// A VictoriaMetrics.
struct Database {
    home: Home,
    server: VictoriametricsServer,
}

impl Subject for Prometheus {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn place(&self) -> Result<Box<dyn Place>, Missing> {
        Ok(Box::new(Database { home: Home::new(), server: VictoriametricsServer::start()? }))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const { &[excuse("events_arrive_as_they_are", "it has no use for events")] }
    }
}

/// A line of VictoriaMetrics' export: one series.
#[derive(Deserialize)]
struct Line {
    metric: std::collections::BTreeMap<String, String>,
    values: Vec<Value>,
    timestamps: Vec<i64>,
}

impl Line {
    /// Its values, but for those that JSON has no numbers for.
    fn arrived(self) -> impl Iterator<Item = Arrived> {
        let Self { metric, values, timestamps } = self;
        let numbers = values.into_iter().zip(timestamps);
        numbers.filter_map(|(value, time)| Some((value.as_f64()?, time))).map(move |(value, millis)| {
            let label = |name: &str| metric.get(name).cloned();
            Arrived {
                meter: label("meter").expect("every series says its meter"),
                resource_id: label("resource_id").expect("every series says its resource"),
                project_id: label("project_id"),
                user_id: label("user_id"),
                millis,
                value,
            }
        })
    }
}

impl Place for Database {
    fn url(&self) -> String {
        self.server.url("prometheus+remote-write")
    }

    fn connect<'a>(&'a self, to: &'a ConnectionString) -> BoxFuture<'a, Result<Arc<dyn Dispatcher>>> {
        Box::pin(self.home.connect(to))
    }

    fn samples(&self) -> BoxFuture<'_, Vec<Arrived>> {
        let to = ConnectionString::parse(&self.server.url("http")).expect("it is one");
        let http = Http::new("VictoriaMetrics", &to, false, 8428, "").expect("it has an address");
        let http = http.with_basic_auth(to.user().expect("it has one"), to.password().expect("it has one"));
        Box::pin(async move {
            // What it took is seen a second later, or when it is asked so.
            http.get("flush", "/internal/force_flush").send().await.expect("it answers");
            let export = http.get("export", "/api/v1/export").query("match[]", "{__name__!=\"\"}");
            let answer = export.send().await.expect("it answers");
            let lines = serde_json::Deserializer::from_slice(answer.body()).into_iter::<Line>();
            lines.flat_map(|line| line.expect("it is a series").arrived()).collect()
        })
    }

    fn server(&mut self) -> Option<&mut dyn Server> {
        Some(&mut self.server)
    }
}
