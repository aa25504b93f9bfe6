//! Requests made by bytes.

use axum::body::Body;
use axum::http::{Method, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::bodies::{Kind, METRIC};
use super::choices::Choices;

const PATHS: [&str; 33] = [
    "/",
    "/v1",
    "/v1/",
    "/v1/capabilities",
    "/v1/status",
    "/v1/archive_policy",
    "/v1/archive_policy/{}",
    "/v1/archive_policy_rule",
    "/v1/archive_policy_rule/{}",
    "/v1/resource_type",
    "/v1/resource_type/{}",
    "/v1/resource",
    "/v1/resource/{}",
    "/v1/resource/{}/{}",
    "/v1/resource/{}/{}/history",
    "/v1/resource/{}/{}/metric",
    "/v1/resource/{}/{}/metric/{}",
    "/v1/resource/{}/{}/metric/{}/measures",
    "/v1/search/resource/{}",
    "/v1/search/metric",
    "/v1/metric",
    "/v1/metric/{metric}",
    "/v1/metric/{metric}/measures",
    "/v1/metric/{}/{}",
    "/v1/aggregates",
    "/v1/aggregation/metric",
    "/v1/aggregation/resource/{}/metric/{}",
    "/v1/batch/metrics/measures",
    "/v1/batch/resources/metrics/measures",
    "/v1/influxdb/query",
    "/v1/influxdb/write",
    "/v1/prometheus/write",
    "/{}/{}",
];
/// What is asked on purpose.
const USUAL: [(Method, &str, Kind); 15] = [
    (Method::POST, "/v1/archive_policy", Kind::Policy),
    (Method::POST, "/v1/archive_policy_rule", Kind::Rule),
    (Method::POST, "/v1/resource_type", Kind::Type),
    (Method::PATCH, "/v1/resource_type/vm", Kind::Patch),
    (Method::POST, "/v1/resource/vm", Kind::Resource),
    (Method::PATCH, "/v1/resource/vm/one", Kind::Object),
    (Method::GET, "/v1/resource/vm/one/history", Kind::None),
    (Method::POST, "/v1/search/resource/vm", Kind::Condition),
    (Method::POST, "/v1/metric", Kind::Metric),
    (Method::GET, "/v1/metric/{metric}/measures", Kind::None),
    (Method::POST, "/v1/metric/{metric}/measures", Kind::Measures),
    (Method::POST, "/v1/batch/metrics/measures", Kind::Batch),
    (Method::POST, "/v1/batch/resources/metrics/measures", Kind::ResourceBatch),
    (Method::POST, "/v1/aggregates", Kind::Question),
    (Method::POST, "/v1/aggregates", Kind::Lisp),
];
const ARGUMENTS: [&str; 28] = [
    "start",
    "stop",
    "granularity",
    "aggregation",
    "reaggregation",
    "resample",
    "refresh",
    "needed_overlap",
    "fill",
    "groupby",
    "details",
    "history",
    "use_history",
    "sort",
    "limit",
    "marker",
    "attrs",
    "filter",
    "create_metrics",
    "metric",
    "metric_id",
    "status",
    "name",
    "user_id",
    "db",
    "precision",
    "q",
    "unheard_of",
];
const METHODS: [Method; 8] = [
    Method::GET,
    Method::POST,
    Method::PATCH,
    Method::DELETE,
    Method::PUT,
    Method::HEAD,
    Method::OPTIONS,
    Method::TRACE,
];
const HEADERS: [(&str, &str); 14] = [
    ("authorization", "basic Zm9vYmFyOg=="),
    ("authorization", "basic !"),
    ("accept", "text/html"),
    ("accept", "application/json"),
    ("content-type", "text/plain"),
    ("content-type", "application/json-patch+json"),
    ("content-type", "application/json; charset=\"x"),
    ("content-encoding", "gzip"),
    ("content-encoding", "snappy"),
    ("if-match", "\"a\", *"),
    ("if-none-match", "*"),
    ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("forwarded", "for=\"_x;proto=a"),
    ("origin", "http://there"),
];

impl Choices<'_> {
    /// A request; nothing where it has no address. The metric that there is has this id.
    pub(crate) fn request(&mut self, metric: &str) -> Option<Request<Body>> {
        let (method, template, kind) = match self.below(3) {
            0 => (METHODS[self.below(METHODS.len())].clone(), self.one_of(&PATHS), None),
            _ => {
                let (method, path, kind) = USUAL[self.below(USUAL.len())].clone();
                (method, path, Some(kind))
            }
        };
        let target = format!("{}{}", self.path(template), self.query()).replace(METRIC, metric);
        let mut request = Request::builder().method(method).uri(target).header("host", "here");
        if self.below(8) > 0 {
            request =
                request.header("authorization", "basic YWRtaW46").header("content-type", "application/json");
        }
        for _ in 0..self.below(8) / 6 {
            let (name, value) = self.one_of(&HEADERS);
            request = request.header(name, value);
        }
        let body = self.body(kind).replace(METRIC, metric);
        request.header("content-length", body.len()).body(Body::from(body)).ok()
    }

    fn path(&mut self, template: &str) -> String {
        let mut path = String::new();
        for part in template.split_inclusive('/') {
            let slash = if part.ends_with('/') { "/" } else { "" };
            match part.trim_end_matches('/') {
                "{}" => path.push_str(&encoded(&self.name())),
                "{metric}" if self.below(4) > 0 => path.push_str(METRIC),
                "{metric}" => path.push_str(&encoded(&self.name())),
                known => path.push_str(known),
            }
            path.push_str(slash);
        }
        match self.below(16) {
            0 => path.push('/'),
            1 => path.push_str("%ff"),
            _ => {}
        }
        path
    }

    fn query(&mut self) -> String {
        let mut query = String::new();
        let count = self.below(8);
        for number in 0..if count < 4 { 0 } else { count - 3 } {
            let name = self.one_of(&ARGUMENTS);
            let value = match self.below(4) {
                0 => METRIC.to_owned(),
                1 => format!("{}:desc-nullsfirst", self.word()),
                2 => format!("{} = \"{}\" and not (x in [1, {}])", self.word(), self.name(), self.word()),
                _ => self.word(),
            };
            query.push(if number == 0 { '?' } else { '&' });
            query.push_str(&format!("{name}={}", encoded(&value)));
        }
        query
    }
}

/// What is not encoded, so that ids stay readable.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}
