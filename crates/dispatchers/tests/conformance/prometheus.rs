//! `prometheus+remote-write://` of a Prometheus

use std::collections::BTreeMap;
use std::sync::Arc;

use nephoscope_http::Http;
use nephoscope_telemetry::{BoxFuture, ConnectionString, Dispatcher, Result, Sample};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::dispatchers::{Arrived, Place, Subject};
use nephoscope_testkit::server::{Missing, PrometheusServer, Server};
use nephoscope_testkit::{Trial, trial};
use serde::Deserialize;

use super::{Home, excuse};

pub(super) struct Prometheus;

struct Database {
    home: Home,
    server: PrometheusServer,
}

impl Subject for Prometheus {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn place(&self) -> Result<Box<dyn Place>, Missing> {
        Ok(Box::new(Database { home: Home::new(), server: PrometheusServer::start()? }))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const { &[excuse("events_arrive_as_they_are", "it has no use for events")] }
    }
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

/// What a label says.
pub(super) type Labels = BTreeMap<String, String>;

/// A value of a series of these labels.
pub(super) fn arrived(labels: &Labels, millis: i64, value: f64) -> Arrived {
    let label = |name: &str| labels.get(name).cloned();
    Arrived {
        meter: label("meter").expect("every series says its meter"),
        resource_id: label("resource_id").expect("every series says its resource"),
        project_id: label("project_id"),
        user_id: label("user_id"),
        millis,
        value,
    }
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
            let query = http.get("query", "/api/v1/query").query("query", "{meter!=\"\"}[100y]");
            let answer = query.send().await.expect("it answers");
            let Answer { data } = answer.json().expect("it answers in its form");
            data.result.iter().flat_map(Series::arrived).collect()
        })
    }

    fn server(&mut self) -> Option<&mut dyn Server> {
        Some(&mut self.server)
    }
}

/// What asks the server of this connection string.
pub(super) fn reader(url: &str) -> Http {
    let to = ConnectionString::parse(url).expect("it is one");
    let http = Http::new("the server", &to, false, 80, "").expect("it has an address");
    http.with_basic_auth(to.user().expect("it has one"), to.password().expect("it has one"))
}

/// What only Prometheus minds.
pub(super) fn trials() -> Vec<Trial> {
    vec![trial("prometheus::what_comes_too_late_is_refused_and_the_rest_is_there", || {
        let place = Database { home: Home::new(), server: PrometheusServer::start_strict()? };
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
