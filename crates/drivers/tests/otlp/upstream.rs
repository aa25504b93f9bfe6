//! Beside the OTLP driver of the real OSProfiler.

use std::collections::HashMap;

use nephoscope_otlp::proto::any_value::Value;
use nephoscope_otlp::proto::{KeyValue, ResourceSpans, Span};
use nephoscope_telemetry::{Id, Json, Report, TraceFilter};
use nephoscope_testkit::Trial;
use nephoscope_testkit::http::{HttpDouble, Reply};
use nephoscope_testkit::osprofiler::Osprofiler;
use nephoscope_testkit::server::{JaegerServer, Missing, OtelCollector};

use super::{connect, run, trial};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("a_trace_is_sent_as_osprofiler_sends_it", || run(alike())),
        trial("what_osprofiler_sent_to_jaeger_is_a_report", || run(report())),
    ]
}

/// All spans by their ids, with the service of each.
fn spans(received: Vec<ResourceSpans>) -> HashMap<Vec<u8>, (String, Span)> {
    let mut all = HashMap::new();
    for resource in received {
        let attributes = &resource.resource.as_ref().expect("there is one").attributes;
        let service = text(attributes, "service.name").expect("there is one");
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            all.insert(span.span_id.clone(), (service.clone(), span));
        }
    }
    all
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    match value(attributes, key)? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?.value.as_ref()
}

/// Ids, parents, kinds, names, services and attributes are those of the real driver, where it does not err: it cuts the
/// letters of `-start` from the end of a name, and its times are those of its own clock.
async fn alike() -> Result<(), Missing> {
    let osprofiler = Osprofiler::find()?;
    let double = HttpDouble::start(|_| Reply::json(200, "{}"));
    let collector = OtelCollector::start(double.port())?;
    let (_, points) = osprofiler.trace_and_tell(&format!("otlp://127.0.0.1:{}", collector.http_port()));
    let received = double.received().into_iter().map(|request| request.text());
    let theirs =
        spans(received.flat_map(|text| nephoscope_otlp::json::read(&text).expect("it is OTLP")).collect());
    let ours = spans(nephoscope_otlp::spans(&points));
    assert_eq!((theirs.len(), ours.len()), (14, 15), "theirs never ends the outermost");
    for (id, (service, their)) in &theirs {
        let (our_service, our) = ours.get(id).unwrap_or_else(|| panic!("ours has no span {their:?}"));
        assert_eq!(
            (our_service, &our.trace_id, &our.parent_span_id),
            (service, &their.trace_id, &their.parent_span_id)
        );
        assert_eq!(our.kind, their.kind, "{their:?}");
        let name = our.name.trim_end_matches(['-', 's', 't', 'a', 'r']);
        assert_eq!(name, their.name.trim_end_matches(['-', 's', 't', 'a', 'r']));
        for attribute in &their.attributes {
            let expected = value(&their.attributes, &attribute.key);
            assert_eq!(value(&our.attributes, &attribute.key), expected, "{} of {}", attribute.key, our.name);
        }
    }
    Ok(())
}

/// What a real application sent there is shown as if we had sent it: parents, errors and services are right.
async fn report() -> Result<(), Missing> {
    let osprofiler = Osprofiler::find()?;
    let jaeger = JaegerServer::start()?;
    let (base_id, given) = osprofiler.trace_and_tell(&format!("otlp://127.0.0.1:{}", jaeger.http_port()));
    let driver = connect(&jaeger.url()).await;
    let points = driver.points(&Id::new(&base_id)).await.expect("it can be read");
    assert_eq!(points.bad.count(), 0, "{:?}", points.bad.first());
    assert_eq!(points.good.len(), 28, "two of each span that ended");
    // It ends whichever span began last: the one without an end, and never the outermost.
    let mut ended: Vec<_> = given.into_iter().filter(|point| point.operation() != "wsgi").collect();
    let unfinished = ended.iter_mut().find(|point| point.operation() == "unfinished");
    unfinished.expect("it is there").info = Json::empty_object();
    let expected = outline(&Report::build(ended).to_json());
    assert_eq!(outline(&points.into_report().to_json()), expected);
    let listed = driver.list_errors(&TraceFilter::default()).await.expect("errors can be listed");
    assert_eq!((listed[0].base_id.to_string(), listed[0].errors), (base_id, Some(3)));
    let of_service = TraceFilter { service: Some("cinder-volume".into()), ..TraceFilter::default() };
    assert_eq!(driver.list(&of_service).await.expect("traces can be listed").len(), 1);
    Ok(())
}

/// Each node of a report: the last eight bytes of its id and of its parent's, and whether it failed.
fn outline(report: &str) -> Vec<(String, String, bool)> {
    fn visit(node: &serde_json::Value, lines: &mut Vec<(String, String, bool)>) {
        let id = |key: &str| node[key].as_str().expect("it is there").replace('-', "")[16..].to_owned();
        if node.get("trace_id").is_some() {
            lines.push((
                id("trace_id"),
                id("parent_id"),
                node["info"].get("exception").is_some_and(|it| it != "None"),
            ));
        }
        node["children"].as_array().into_iter().flatten().for_each(|child| visit(child, lines));
    }
    let mut lines = Vec::new();
    visit(&serde_json::from_str(report).expect("a report is JSON"), &mut lines);
    assert_eq!(lines.len(), 14);
    lines
}
