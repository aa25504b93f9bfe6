//! Prometheus.

use nephoscope_http::Http;
use nephoscope_telemetry::{BoxFuture, ConnectionString, Sample};
use nephoscope_testkit::dispatchers::{Arrived, Place};
use nephoscope_testkit::server::PrometheusServer;
use nephoscope_testkit::{Trial, trial};
use serde::Deserialize;

use super::remote_write::{Database, Labels, RemoteWrite, Started, arrived};

pub(super) const PROMETHEUS: RemoteWrite =
    RemoteWrite { name: "prometheus", start: || Ok(started(PrometheusServer::start()?)), read };

fn started(server: PrometheusServer) -> Started {
    let url = server.url("prometheus+remote-write");
    (Box::new(server), url)
}

/// An answer of Prometheus: series, each with its labels and its values.
#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: Labels,
    /// Seconds after 1970, and the value as text.
    values: Vec<(f64, String)>,
}

impl Series {
    fn arrived(&self) -> impl Iterator<Item = Arrived> {
        let value = |(seconds, value): &(f64, String)| {
            let value = value.parse().expect("it is a number");
            arrived(&self.metric, (seconds * 1e3).round() as i64, value)
        };
        self.values.iter().map(value)
    }
}

fn read(http: &Http) -> BoxFuture<'_, Vec<Arrived>> {
    Box::pin(async move {
        let query = http.get("query", "/api/v1/query").query("query", "{meter!=\"\"}[100y]");
        let answer = query.send().await.expect("it answers");
        let Answer { data } = answer.json().expect("it answers in its form");
        data.result.iter().flat_map(Series::arrived).collect()
    })
}

/// What only Prometheus minds.
pub(super) fn trials() -> Vec<Trial> {
    vec![trial("prometheus::what_comes_too_late_is_refused_and_the_rest_is_there", || {
        let strict = RemoteWrite { start: || Ok(started(PrometheusServer::start_strict()?)), ..PROMETHEUS };
        let place = strict.database()?;
        tokio::runtime::Runtime::new().expect("threads can be started").block_on(late(&place));
        Ok(())
    })]
}

async fn late(place: &Database) {
    let to = ConnectionString::parse(&place.url()).expect("it is one");
    let dispatcher = place.connect(&to).await.expect("it is known");
    let sample = |resource: &str, minute: u32, volume: u32| {
        let text = format!(
            r#"{{"name": "cpu", "volume": {volume}, "resource_id": "{resource}", "timestamp": "2026-01-01T00:{minute:02}:00"}}"#
        );
        Sample::from_json(&text).expect("it is a sample")
    };
    let first = [sample("vm", 0, 1), sample("vm", 5, 2), sample("vm", 10, 3)];
    assert_eq!(dispatcher.samples(&first).await.expect("it is taken"), []);
    // The newest of a series may come again.
    let second = [sample("other", 15, 4), sample("vm", 5, 9), sample("vm", 15, 5), sample("vm", 10, 3)];
    let refused = dispatcher.samples(&second).await.expect("the rest is taken");
    assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [1], "{refused:?}");
    assert!(refused[0].reason.contains("out of order"), "{refused:?}");
    let mut arrived: Vec<_> =
        place.samples().await.into_iter().map(|arrived| (arrived.resource_id, arrived.value)).collect();
    arrived.sort_by(|one, next| one.partial_cmp(next).expect("they are numbers"));
    let expected = [("other", 4.0), ("vm", 1.0), ("vm", 2.0), ("vm", 3.0), ("vm", 5.0)];
    assert_eq!(arrived, expected.map(|(resource, value)| (resource.to_owned(), value)));
}
