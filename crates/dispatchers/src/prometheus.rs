//! `prometheus+remote-write://` and `prometheus+remote-write+https://`: samples become series of Prometheus, VictoriaMetrics,
//! Mimir, Thanos or whatever else takes its remote write.
//!
//! ```text
//! prometheus+remote-write://prometheus                            posts to http://prometheus:9090/api/v1/write
//! prometheus+remote-write://user:password@victoriametrics:8428
//! prometheus+remote-write+https://mimir:443/api/v1/push?headers=X-Scope-OrgID=cloud
//! ```
//!
//! | option | meaning |
//! |---|---|
//! | `headers` | headers of every request: `name=value,name=value`, each value percent-encoded (and all of it once more as an option) |
//! | `timeout`, `connect_timeout`, `cacert`, `cert`, `key`, `insecure` | as of every HTTP backend |
//!
//! What becomes of a sample is told at [`series`]. Events are passed over.
//!
//! Source of the form: Prometheus, "Remote-Write 1.0 specification".

mod series;

use std::ops::Range;
use std::sync::Arc;

use nephoscope_http::Http;
use nephoscope_http::header::{CONTENT_ENCODING, HeaderName};
use nephoscope_remote_write::WriteRequest;
use nephoscope_telemetry::{
    BoxFuture, ConnectionString, Dispatcher, Event, Refused, Result, Sample, in_halves,
};

use series::Series;

/// The port of Prometheus.
const PORT: u16 = 9090;
/// Where Prometheus and VictoriaMetrics take remote write.
const PATH: &str = "api/v1/write";
/// So many values go into one request, as Prometheus sends by itself (`max_samples_per_send`).
const VALUES: usize = 2_000;
const VERSION: HeaderName = HeaderName::from_static("x-prometheus-remote-write-version");

#[derive(Debug)]
struct RemoteWrite {
    http: Http,
    path: String,
}

/// What is at the address is met when there is something to send.
pub(crate) fn connect(to: &ConnectionString) -> Result<Arc<dyn Dispatcher>> {
    to.expect_options(&[nephoscope_http::OPTIONS.as_slice(), &["headers"]].concat())?;
    let encrypted = to.scheme().ends_with("+https");
    let mut http = Http::new("the receiver of remote write", to, encrypted, PORT, "")?;
    if let Some(user) = to.user() {
        http = http.with_basic_auth(user, to.password().unwrap_or_default());
    }
    for (name, value) in nephoscope_http::headers(to)? {
        http = http.with_header(name, &value);
    }
    let path = nephoscope_http::path(&to.database().unwrap_or_else(|| PATH.into()));
    Ok(Arc::new(RemoteWrite { http, path }))
}

impl RemoteWrite {
    async fn send(&self, samples: &[Sample]) -> Result<Vec<Refused>> {
        let series = &Series::of(samples);
        let mut refused = series.refused.clone();
        for from in (0..series.values.len()).step_by(VALUES) {
            let part = from..series.values.len().min(from + VALUES);
            let write = |part| -> BoxFuture<'_, _> { Box::pin(self.write(series, part)) };
            let told = in_halves(part, write).await?;
            refused.extend(told.into_iter().map(|told| Refused { at: series.values[told.at].at, ..told }));
        }
        refused.sort_by_key(|refused| refused.at);
        Ok(refused)
    }

    async fn write(&self, series: &Series<'_>, values: Range<usize>) -> Result<Vec<Refused>> {
        let request = WriteRequest { timeseries: series.request(values) };
        let post = self.http.post("write samples", &self.path);
        let post = post.body("application/x-protobuf", request.pack()).header(CONTENT_ENCODING, "snappy");
        post.header(VERSION, "0.1.0").send().await?;
        Ok(Vec::new())
    }
}

impl Dispatcher for RemoteWrite {
    fn samples<'a>(&'a self, samples: &'a [Sample]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        Box::pin(self.send(samples))
    }

    /// Prometheus has no use for them.
    fn events<'a>(&'a self, _: &'a [Event]) -> BoxFuture<'a, Result<Vec<Refused>>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

#[cfg(test)]
mod tests;
