//! Runs one of the servers of the tests for a program that is not a test, such as a benchmark.
//!
//!     cargo run --package nephoscope-testkit --example server -- jaeger
//!
//! Prints one line of JSON with the places by name, and ends the server when its input ends.

use std::io::{Read, Write};

use nephoscope_testkit::server::{
    ClickhouseEngine, ElasticsearchServer, FerretdbServer, GnocchiOptions, GnocchiServer, InfluxdbServer,
    JaegerServer, MariadbServer, Missing, OtelCollector, RabbitmqServer, RedisCluster, RedisOptions,
    SearchServer,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kind = std::env::args().nth(1).unwrap_or_default();
    match kind.as_str() {
        "mongodb" => run(FerretdbServer::start()?, |server| place("url", &server.url())),
        "elasticsearch7" => search(SearchServer::Elasticsearch7)?,
        "elasticsearch9" => search(SearchServer::Elasticsearch9)?,
        "opensearch2" => search(SearchServer::OpenSearch2)?,
        "opensearch3" => search(SearchServer::OpenSearch3)?,
        "gnocchi" => {
            let options = GnocchiOptions { processes: Some(2), ..GnocchiOptions::default() };
            run(GnocchiServer::start(&options)?, |server| place("url", &server.url()));
        }
        "influxdb" => run(InfluxdbServer::start()?, |server| {
            server.create_database("traces");
            place("url", &server.url("traces"))
        }),
        "messaging" => run(RabbitmqServer::start()?, |server| {
            // oslo.messaging cannot log in with the password of the tests, which has a slash.
            server.control(&["add_user", "plain", "plain"]);
            server.control(&["set_permissions", "plain", ".*", ".*", ".*"]);
            place("url", &format!("rabbit://plain:plain@127.0.0.1:{}/", server.port()))
        }),
        "clickhouse" => run(ClickhouseEngine::start()?, |server| place("url", &server.url())),
        "redis-cluster" => {
            let server = RedisCluster::start_with(RedisOptions::default())?;
            run(server, |server| place("url", &server.url()));
        }
        "mysql" => run(MariadbServer::start()?, |server| {
            // As it comes: what is committed is on disk.
            server.sql("osp", "SET GLOBAL innodb_flush_log_at_trx_commit = 1");
            place("url", &server.url().replacen("mysql:", "mysql+pymysql:", 1))
        }),
        "jaeger" => run(JaegerServer::start()?, |server| {
            let otlp = format!("http://127.0.0.1:{}/v1/traces", server.http_port());
            format!("{}, {}", place("url", &server.url()), place("otlp", &otlp))
        }),
        "otelcol" => run(OtelCollector::start_dropping()?, |server| {
            place("otlp", &format!("http://127.0.0.1:{}/v1/traces", server.http_port()))
        }),
        _ => return Err("name a server; see the source for those there are".into()),
    }
    Ok(())
}

fn search(kind: SearchServer) -> Result<(), Missing> {
    let server = ElasticsearchServer::start(kind)?;
    run(server, |server| place("url", &server.url("osprofiler-notifications")));
    Ok(())
}

fn place(name: &str, url: &str) -> String {
    format!("\"{name}\": \"{url}\"")
}

/// Tells the places of a server and keeps it until nobody wants it any more.
#[expect(clippy::needless_pass_by_value, reason = "the server ends with this")]
fn run<S>(server: S, places: impl FnOnce(&S) -> String) {
    let mut out = std::io::stdout();
    writeln!(out, "{{{}}}", places(&server)).and_then(|()| out.flush()).expect("somebody reads it");
    // What comes does not matter, and an error is an end as well.
    let _ended = std::io::stdin().read_to_end(&mut Vec::new());
}
