//! Traces in Jaeger 2: sent to its OTLP receiver, read from its query API.
//!
//! ```text
//! jaeger://host:16686/base/path?otlp_port=4318
//! jaeger+https://user:password@jaeger.example:443/?otlp_port=4318&cacert=/etc/ssl/ca.pem
//! ```
//!
//! The address is that of the query API, 16686 where no port is named, with the base path that Jaeger may have been
//! given. Spans go to the same host; where the receiver is another host, `otlp://receiver?query=jaeger://host` is the
//! same. User and password are those of a proxy before Jaeger, which has none.
//!
//! | option | meaning |
//! |---|---|
//! | `otlp_port` | the port of the OTLP/HTTP receiver, 4318 by default |
//! | `timeout`, `connect_timeout`, `cacert`, `cert`, `key`, `insecure` | as of every HTTP backend |
//! | `filter_error_trace` | taken and ignored: an error is the status of its span |
//!
//! What is sent, and when, is as of `otlp://`. A trace that any program sent over OTLP is read. Jaeger keeps a span as
//! often as it gets it; reading shows a point once. How long traces are kept is Jaeger's to say: nothing is deleted
//! from here.
//!
//! # Lists
//!
//! Jaeger has no summaries: it answers a search with whole traces, of one service and some span of time. The services
//! are asked one by one, the newest time first, and no more than are needed. Jaeger cannot find names without a
//! service, durations of traces or, in its memory store, errors; these are looked for in what it answers.
//!
//! Source of the form: `api_v3` of Jaeger 2.13, `cmd/query/app/apiv3/http_gateway.go`.

mod list;
mod query;
mod reader;

use std::sync::Arc;

use nephoscope_http::Http;
use nephoscope_telemetry::{Connecting, ConnectionString, Driver, Result};

use self::query::Query;
use self::reader::Reader;
use crate::otlp::{Otlp, Sender};

/// The port of Jaeger's query API.
const QUERY_PORT: u16 = 16686;
/// The port of its OTLP/HTTP receiver.
const OTLP_PORT: u16 = 4318;
const OPTIONS: [&str; 2] = ["filter_error_trace", "otlp_port"];

/// Connects to the query API. The receiver is met when there is something to send: who only reads needs none.
pub(crate) fn connect(to: &ConnectionString) -> Connecting<'_> {
    Box::pin(async move {
        to.expect_options(&[&OPTIONS[..], &nephoscope_http::OPTIONS[..]].concat())?;
        to.flag("filter_error_trace")?;
        refuse_other_ports(to)?;
        let path = nephoscope_http::path(to.database().unwrap_or_default().trim_matches('/'));
        let query = http("Jaeger", to, QUERY_PORT, &path)?;
        let query = Query::new(query.with_meaning(query::meaning));
        let receiver = http("Jaeger's OTLP receiver", &to.with_port(otlp_port(to)?), OTLP_PORT, "")?;
        query.services("connect").await?;
        let sender = Sender::over(receiver);
        Ok(Arc::new(Otlp::new(sender, Some(Arc::new(Reader::new(query))))) as Arc<dyn Driver>)
    })
}

fn http(name: &'static str, to: &ConnectionString, port: u16, path: &str) -> Result<Http> {
    let http = Http::new(name, to, to.scheme() == "jaeger+https", port, path)?;
    Ok(match to.user() {
        Some(user) => http.with_basic_auth(user, to.password().unwrap_or_default()),
        None => http,
    })
}

fn otlp_port(to: &ConnectionString) -> Result<u16> {
    let Some(port) = to.option("otlp_port") else { return Ok(OTLP_PORT) };
    port.parse().map_err(|_| to.wrong("option `otlp_port` is a number from 0 to 65535"))
}

/// OSProfiler up to 4.3 named Jaeger's agent, and people name the receivers.
fn refuse_other_ports(to: &ConnectionString) -> Result<()> {
    let what = match to.hosts().iter().find_map(|host| host.port) {
        Some(5775 | 6831 | 6832) => "that of Jaeger's agent, which Jaeger 2 has no more",
        Some(14250 | 14267 | 14268) => "that of Jaeger 1's collector",
        Some(4317 | 4318) => "that of an OTLP receiver",
        _ => return Ok(()),
    };
    Err(to.wrong(format!(
        "this port is {what}; name the query API, {QUERY_PORT} by default: spans are sent to port {OTLP_PORT} beside \
         it, or to that of the option `otlp_port`"
    )))
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    #[tokio::test]
    async fn a_connection_string_of_old_is_told_what_to_name() {
        for old in ["jaeger://agent:6831", "jaeger://agent:6832", "jaeger://c:14268", "jaeger://c:4317"] {
            let error = connect(&ConnectionString::parse(old).unwrap()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let told = error.to_string();
            assert!(told.contains("16686") && told.contains("4318"), "{told}");
        }
    }
}
