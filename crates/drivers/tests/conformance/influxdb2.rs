//! `influxdb2://`, on a real server that the reader names: none can be installed.
//!
//! `NEPHOSCOPE_TEST_INFLUXDB2=influxdb2://host:8086/?org=…&token=…`, with a token that may make buckets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use nephoscope_http::Http;
use nephoscope_http::header::AUTHORIZATION;
use nephoscope_telemetry::{ConnectionString, TracePoint};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::conformance::{Place, Subject};
use nephoscope_testkit::server::Missing;
use serde_json::{Value, json};

use super::{Subjects, excuse, influxdb};

pub(super) fn subjects() -> Subjects {
    match std::env::var("NEPHOSCOPE_TEST_INFLUXDB2") {
        Ok(url) => vec![Arc::new(Two { url, places: AtomicU16::new(0) })],
        Err(_) => Vec::new(),
    }
}

/// A bucket for each place.
struct Two {
    url: String,
    places: AtomicU16,
}

async fn make_bucket(url: &str, name: &str) {
    let to = ConnectionString::parse(url).expect("NEPHOSCOPE_TEST_INFLUXDB2 is a connection string");
    let token = to.option("token").expect("it has a token");
    let http = Http::new("InfluxDB 2", &to, false, 8086, "").expect("it has an address");
    let http = http.with_header(AUTHORIZATION, &format!("Token {token}"));
    let org = to.option("org").expect("it has an organization");
    let orgs = http.get("ask", "/api/v2/orgs").query("org", org).send().await.expect("it answers");
    let orgs: Value = orgs.json().expect("it is JSON");
    let bucket = json!({"orgID": orgs["orgs"][0]["id"], "name": name, "retentionRules": []});
    http.post("make a bucket", "/api/v2/buckets").json(&bucket).send().await.expect("it may");
}

impl Subject for Two {
    fn name(&self) -> &'static str {
        "influxdb2"
    }

    fn place(&self) -> Result<Place, Missing> {
        let number = self.places.fetch_add(1, Ordering::Relaxed);
        let name = format!("osp_{}_{number}", std::process::id());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("it can be built").block_on(make_bucket(&self.url, &name));
        let url = self.url.replace("/?", &format!("/{name}?"));
        Ok(Place {
            wrong_password: Some(url.replace("token=", "token=wrong-cirrus")),
            wrong_database: Some(url.replace(&name, "no_such_bucket")),
            url,
            ..Place::default()
        })
    }

    fn unholdable(&self, base_id: &str) -> Option<TracePoint> {
        Some(influxdb::long_name(base_id))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const READERS: &str = "the server is the reader's, and goes on running";
        const {
            &[
                influxdb::EXCUSES[0],
                influxdb::EXCUSES[1],
                excuse("an_outage_is_unavailable_and_the_same_driver_works_after_it", READERS),
                excuse("a_server_killed_in_mid_write_loses_nothing_acknowledged", READERS),
                excuse("connecting_to_a_server_that_is_away_is_unavailable", READERS),
            ]
        }
    }
}
