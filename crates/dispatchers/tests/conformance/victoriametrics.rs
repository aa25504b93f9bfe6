//! VictoriaMetrics.

use nephoscope_http::Http;
use nephoscope_telemetry::BoxFuture;
use nephoscope_testkit::dispatchers::Arrived;
use nephoscope_testkit::server::VictoriametricsServer;
use serde::Deserialize;
use serde_json::Value;

use super::remote_write::{Labels, RemoteWrite, arrived};

pub(super) const VICTORIAMETRICS: RemoteWrite = RemoteWrite {
    name: "victoriametrics",
    start: || {
        let server = VictoriametricsServer::start()?;
        let url = server.url("prometheus+remote-write");
        Ok((Box::new(server), url))
    },
    read,
};

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

fn read(http: &Http) -> BoxFuture<'_, Vec<Arrived>> {
    Box::pin(async move {
        // What it took is seen a second later, or when it is asked so.
        http.get("flush", "/internal/force_flush").send().await.expect("it answers");
        let export = http.get("export", "/api/v1/export").query("match[]", "{meter!=\"\"}");
        let answer = export.send().await.expect("it answers");
        let lines = serde_json::Deserializer::from_slice(answer.body()).into_iter::<Line>();
        lines.flat_map(|line| line.expect("it is a series").arrived()).collect()
    })
}
