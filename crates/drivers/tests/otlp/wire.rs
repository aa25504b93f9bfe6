//! What the Collector gets, over each protocol, is what was to be sent.

use nephoscope_otlp::proto::ResourceSpans;
use nephoscope_telemetry::{ErrorKind, TracePoint};
use nephoscope_testkit::Trial;
use nephoscope_testkit::http::{HttpDouble, Reply};
use nephoscope_testkit::server::{Missing, OtelCollector};

use super::{connect, point, run, trial, try_connect};

pub(super) fn trials() -> Vec<Trial> {
    let mut trials: Vec<_> = WAYS
        .into_iter()
        .map(|way| trial(format!("the_collector_gets_what_is_sent::{}", way.name), move || run(arrives(way))))
        .collect();
    trials.push(trial("a_certificate_of_nobody_is_a_mistake", || run(unknown_authority())));
    trials.push(trial("what_the_collector_cannot_pass_on_is_unavailable", || run(behind_is_away())));
    trials
}

#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    scheme: &'static str,
    tls: bool,
    options: &'static str,
}

const fn way(name: &'static str, scheme: &'static str, tls: bool, options: &'static str) -> Way {
    Way { name, scheme, tls, options }
}

const WAYS: [Way; 6] = [
    way("http", "otlp", false, ""),
    way("http_gzip", "otlp", false, "compression=gzip"),
    way("https", "otlp+https", true, ""),
    way("grpc", "otlp+grpc", false, ""),
    way("grpc_gzip", "otlp+grpc", false, "compression=gzip"),
    way("grpcs_gzip", "otlp+grpcs", true, "compression=gzip"),
];

impl Way {
    fn url(self, collector: &OtelCollector) -> String {
        let grpc = self.scheme.contains("grpc");
        let port = if grpc { collector.grpc_port() } else { collector.http_port() };
        let authority =
            collector.ca_file().map_or_else(String::new, |file| format!("cacert={}", file.display()));
        format!("{}://127.0.0.1:{port}?{authority}&{}", self.scheme, self.options)
    }
}

/// What the Collector passed on, in the order of its requests.
fn received(double: &HttpDouble) -> Vec<ResourceSpans> {
    let read =
        |text: String| nephoscope_otlp::json::read(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    double.received().into_iter().flat_map(|request| read(request.text())).collect()
}

/// Operations of two services, with all sorts of text, one of them failing and one without an end.
fn trace() -> Vec<TracePoint> {
    let base_id = "7f4c1a04-3d5e-4a0a-9a3f-0c6d2b1e8f00";
    let host = r#"{"host": "node-1"}"#;
    let statement =
        r#"{"db": {"statement": "SELECT '日本' -- \"\\ %s", "params": [1, 2.5e3, null, "\u0001\ud800"]}}"#;
    let failure = r#"{"etype": "ValueError", "message": "日", "host": "node-1"}"#;
    let mut points = vec![
        point(base_id, "a", "wsgi-start", 0, host),
        point(base_id, "b", "db-start", 1_100, statement),
        point(base_id, "b", "db-stop", 1_400, failure),
        point("*", "c", "rpc-start", 1_500, host),
        point("*", "c", "rpc-stop", 1_501, "{}"),
        point(base_id, "a", "wsgi-stop", 9_999, host),
        point(base_id, "d", "unfinished-start", 10_000, host),
    ];
    for rpc in &mut points[3..5] {
        rpc.service = Some("conductor".into());
    }
    points[1].parent_id = "a".into();
    points[2].parent_id = "a".into();
    points
}

async fn arrives(way: Way) -> Result<(), Missing> {
    let double = HttpDouble::start(|_| Reply::json(200, "{}"));
    let start = if way.tls { OtelCollector::start_with_tls } else { OtelCollector::start };
    let collector = start(double.port())?;
    let driver = connect(&way.url(&collector)).await;
    let mut points = trace();
    driver.notify(&points).await.expect("it is sent");
    // As they are complete: the second before the first, which holds it; the last in the end.
    driver.close().await.expect("the rest is sent");
    let wsgi = points.remove(0);
    points.insert(4, wsgi);
    let (unfinished, complete) = points.split_last().expect("there are some");
    let mut sent =
        [nephoscope_otlp::spans(complete), nephoscope_otlp::spans(std::slice::from_ref(unfinished))].concat();
    for span in sent.iter_mut().flat_map(|it| &mut it.scope_spans).flat_map(|it| &mut it.spans) {
        // The Collector tells no difference between a status that is absent and one that says nothing.
        span.status.get_or_insert_default();
    }
    let received = received(&double);
    assert!(received == sent, "the Collector got {received:#?} instead of {sent:#?}");
    Ok(())
}

async fn unknown_authority() -> Result<(), Missing> {
    let collector = OtelCollector::start_with_tls(1)?;
    for (scheme, port) in [("otlp+https", collector.http_port()), ("otlp+grpcs", collector.grpc_port())] {
        let error =
            try_connect(&format!("{scheme}://127.0.0.1:{port}")).await.expect_err("it is not trusted");
        assert_eq!(error.kind(), ErrorKind::Config, "{scheme}: {error}");
        assert!(error.to_string().contains("no TLS connection"), "{scheme}: {error}");
    }
    Ok(())
}

async fn behind_is_away() -> Result<(), Missing> {
    let double = HttpDouble::start(|received| match received.text().contains("resourceSpans\":[{") {
        true => Reply::empty(503),
        false => Reply::json(200, "{}"),
    });
    let collector = OtelCollector::start(double.port())?;
    for (scheme, port) in [("otlp", collector.http_port()), ("otlp+grpc", collector.grpc_port())] {
        let driver = connect(&format!("{scheme}://127.0.0.1:{port}")).await;
        let error = driver.notify(&trace()).await.expect_err("it cannot be passed on");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{scheme}: {error}");
    }
    Ok(())
}
