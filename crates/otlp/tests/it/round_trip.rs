use nephoscope_otlp::proto::{ExportTraceServiceRequest, ResourceSpans, ScopeSpans};
use nephoscope_otlp::{points, spans};
use nephoscope_telemetry::TracePoint;
use proptest::prelude::*;

use crate::any;

/// Every span with its resource and scope, in an order that does not depend on how they were grouped.
fn apart(spans: &[ResourceSpans]) -> Vec<String> {
    let mut apart = Vec::new();
    for resource in spans {
        for scope in &resource.scope_spans {
            for span in &scope.spans {
                let scope = ScopeSpans { spans: vec![span.clone()], ..scope.clone() };
                apart.push(format!("{:?}", ResourceSpans { scope_spans: vec![scope], ..resource.clone() }));
            }
        }
    }
    apart.sort();
    apart
}

fn sorted(points: &[TracePoint]) -> Vec<String> {
    let mut texts: Vec<_> = points.iter().map(TracePoint::to_json).collect();
    texts.sort();
    texts
}

proptest! {
    #[test]
    fn spans_become_points_and_the_same_spans_again(request in any::request()) {
        let (points, bad) = points(&request);
        prop_assert_eq!(bad.count(), 0);
        prop_assert_eq!(points.len(), 2 * apart(&request).len());
        prop_assert_eq!(apart(&spans(&points)), apart(&request));
    }

    #[test]
    fn points_become_spans_and_the_same_points_again(given in prop::collection::vec(any::point(), 0..9)) {
        let (again, bad) = points(&spans(&given));
        prop_assert_eq!(bad.count(), 0, "{:?}", bad);
        prop_assert_eq!(sorted(&again), sorted(&given));
    }

    #[test]
    fn the_points_of_spans_survive_in_any_order_and_company(
        request in any::request(), others in prop::collection::vec(any::point(), 0..3), turn in 0..9_usize,
    ) {
        let mut given = points(&request).0;
        given.extend(others);
        let middle = turn.min(given.len());
        given.rotate_left(middle);
        let (again, _) = points(&spans(&given));
        prop_assert_eq!(sorted(&again), sorted(&given));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        use prost::Message;
        if let Ok(request) = ExportTraceServiceRequest::decode(&*bytes) {
            let (points, _) = points(&request.resource_spans);
            spans(&points);
        }
    }
}
