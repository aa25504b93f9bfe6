//! Any bytes are an export request of OTLP or an error, in Protocol Buffers and in JSON, and a request survives both its
//! text and becoming trace points.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope_otlp::proto::{ExportTraceServiceRequest, ResourceSpans};
use nephoscope_otlp::{json, points, spans};
use prost::Message;

fn check(request: &[ResourceSpans]) {
    let text = json::write(request);
    assert_eq!(json::write(&json::read(&text).expect("it is what we wrote")), text);
    let (made, _) = points(request);
    let mut again = points(&spans(&made)).0;
    let mut made = made;
    for points in [&mut made, &mut again] {
        points.sort_by_cached_key(|point| point.to_json());
    }
    assert_eq!(made, again);
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = ExportTraceServiceRequest::decode(bytes) {
        check(&request.resource_spans);
    }
    if let Ok(request) = std::str::from_utf8(bytes).map(json::read).unwrap_or(Ok(Vec::new())) {
        check(&request);
    }
});
