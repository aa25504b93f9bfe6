//! `prometheus+remote-write://` of a VictoriaMetrics

use std::sync::Arc;

use nephoscope_telemetry::{BoxFuture, ConnectionString, Dispatcher, Result};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::dispatchers::{Arrived, Place, Subject};
use nephoscope_testkit::server::{Missing, Server, VictoriametricsServer};
use serde::Deserialize;
use serde_json::Value;

use super::prometheus::{Labels, arrived, reader};
use super::{Home, excuse};

pub(super) struct Victoriametrics;

struct Database {
    home: Home,
    server: VictoriametricsServer,
}

impl Subject for Victoriametrics {
    fn name(&self) -> &'static str {
        "victoriametrics"
    }

    fn place(&self) -> Result<Box<dyn Place>, Missing> {
        Ok(Box::new(Database { home: Home::new(), server: VictoriametricsServer::start()? }))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const { &[excuse("events_arrive_as_they_are", "it has no use for events")] }
    }
}

/// A line of its export: one series.
#[derive(Deserialize)]
struct Line {
    metric: Labels,
    /// What JSON has no number for is something else.
    values: Vec<Value>,
    timestamps: Vec<i64>,
}

impl Line {
    fn arrived(self) -> impl Iterator<Item = Arrived> {
        let Self { metric, values, timestamps } = self;
        let values = values.into_iter().zip(timestamps);
        values.filter_map(move |(value, millis)| Some(arrived(&metric, millis, value.as_f64()?)))
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
        let http = reader(&self.server.url("http"));
        Box::pin(async move {
            // What it took is seen a second later, or when it is asked so.
            http.get("flush", "/internal/force_flush").send().await.expect("it answers");
            let export = http.get("export", "/api/v1/export").query("match[]", "{meter!=\"\"}");
            let answer = export.send().await.expect("it answers");
            let lines = serde_json::Deserializer::from_slice(answer.body()).into_iter::<Line>();
            lines.flat_map(|line| line.expect("it is a series").arrived()).collect()
        })
    }

    fn server(&mut self) -> Option<&mut dyn Server> {
        Some(&mut self.server)
    }
}
