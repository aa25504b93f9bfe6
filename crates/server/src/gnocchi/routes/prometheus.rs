//! `/v1/prometheus/write`: what Prometheus sends to a remote storage.
//!
//! Source of the form: Prometheus, "Remote-Write 1.0 specification"; of what becomes of a series: Gnocchi 4.7.1.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use indexmap::IndexMap;
use nephoscope_gnocchi::{
    Attribute, AttributeKind, AttributeValue, Measure, NamedMetric, ResourceMeasures, ResourceType,
    Timestamp, TypeState,
};
use nephoscope_remote_write::{Sample, Unreadable, WriteRequest};
use serde_json::json;

use super::super::content::Content;
use super::super::fault::Fault;
use super::super::requester::Requester;
use super::super::{Door, answer};
use super::arrivals::{self, Arrivals};
use crate::body::MAX_BODY_BYTES;

/// The type of the resources that are made.
const RESOURCE_TYPE: &str = "prometheus";
/// What stands for a label that a series does not have, as in Gnocchi.
const NONE: &str = "none";
const NANOS_OF_A_MILLISECOND: i64 = 1_000_000;

/// Measures by the names of their metrics.
type Metrics = IndexMap<String, (NamedMetric, Vec<Measure>)>;
/// Measures of one resource, with its attributes.
type Arrival = (ResourceMeasures, BTreeMap<String, AttributeValue>);

pub(in super::super) async fn write(
    State(door): State<Arc<Door>>,
    requester: Requester,
    request: Request,
) -> Result<Response, Fault> {
    requester.identity()?;
    // Prometheus says what it sends, and Gnocchi does not look.
    let content = Content::of_any_type(&door, request).await?;
    let resources = content.decode(read).await?;
    drop(content);
    let arrivals = Arrivals { resource_type: RESOURCE_TYPE, made_as: Some(resource_type()), resources };
    arrivals::store(&requester, arrivals).await?;
    Ok(answer::accepted())
}

fn resource_type() -> ResourceType {
    // Longer than what the API takes, as Gnocchi makes it: labels may be long.
    let label = Attribute { kind: AttributeKind::String { min_length: 1, max_length: 512 }, required: true };
    ResourceType {
        name: RESOURCE_TYPE.into(),
        attributes: IndexMap::from([("job".into(), label.clone()), ("instance".into(), label)]),
        state: TypeState::Active,
    }
}

/// A resource is what the labels `job` and `instance` name, a metric the name of a series. Other labels are not kept: of
/// several series that differ in them alone, the last one counts.
fn read(body: &[u8]) -> Result<Vec<Arrival>, Fault> {
    let request = unpack(body)?;
    let mut resources: IndexMap<(String, String), Metrics> = IndexMap::new();
    for series in request.timeseries.into_iter().filter(|series| !series.samples.is_empty()) {
        let mut labels: BTreeMap<_, _> =
            series.labels.into_iter().map(|label| (label.name, label.value)).collect();
        let mut label = |name: &str| labels.remove(name);
        let name = label("__name__").ok_or_else(|| wrong("a series has no label `__name__`"))?;
        let resource = ["job", "instance"].map(|name| label(name).unwrap_or_else(|| NONE.into()));
        let measures: Option<Vec<_>> = series.samples.iter().map(measure).collect();
        let measures = measures.ok_or_else(|| wrong("a sample is from before 1970 or from after 2262"))?;
        let kept = NamedMetric::New { archive_policy_name: None, unit: None };
        resources.entry(resource.into()).or_default().insert(name, (kept, measures));
    }
    let arrival = |((job, instance), metrics): ((String, String), _)| {
        let measures = ResourceMeasures { resource_id: format!("{job}@{instance}"), metrics };
        let attributes = BTreeMap::from([
            ("job".into(), AttributeValue::String(job)),
            ("instance".into(), AttributeValue::String(instance)),
        ]);
        (measures, attributes)
    };
    Ok(resources.into_iter().map(arrival).collect())
}

/// Unpacks a body, which may not be larger than one that comes unpacked.
fn unpack(body: &[u8]) -> Result<WriteRequest, Fault> {
    WriteRequest::unpack(body, MAX_BODY_BYTES).map_err(|error| match error {
        Unreadable::TooLong => Fault::described(
            StatusCode::PAYLOAD_TOO_LARGE,
            json!(format!("a body may have {MAX_BODY_BYTES} bytes unpacked; send fewer samples at a time")),
        ),
        Unreadable::NotPacked | Unreadable::NoRequest => wrong(&error.to_string()),
    })
}

fn wrong(reason: &str) -> Fault {
    Fault::described(
        StatusCode::BAD_REQUEST,
        json!({ "cause": "Unable to decode body", "reason": reason, "detail": [] }),
    )
}

fn measure(sample: &Sample) -> Option<Measure> {
    let nanos = sample.timestamp.checked_mul(NANOS_OF_A_MILLISECOND).filter(|nanos| *nanos >= 0)?;
    Some(Measure { timestamp: Timestamp::from_nanos(nanos), value: sample.value })
}

#[cfg(test)]
mod tests {
    use nephoscope_remote_write::{Label, TimeSeries};

    use super::*;

    fn series(labels: &[(&str, &str)], samples: &[(i64, f64)]) -> TimeSeries {
        let label = |(name, value): &(&str, &str)| Label { name: (*name).into(), value: (*value).into() };
        TimeSeries {
            labels: labels.iter().map(label).collect(),
            samples: samples.iter().map(|&(timestamp, value)| Sample { value, timestamp }).collect(),
        }
    }

    fn packed(timeseries: Vec<TimeSeries>) -> Vec<u8> {
        WriteRequest { timeseries }.pack()
    }

    #[test]
    fn series_become_measures_of_resources() {
        let body = packed(vec![
            series(&[("__name__", "up"), ("job", "node"), ("instance", "a:1")], &[(1500, 1.0), (2500, 0.0)]),
            series(&[("__name__", "load"), ("job", "node"), ("instance", "a:1"), ("cpu", "0")], &[(1, 1.0)]),
            series(&[("__name__", "load"), ("job", "node"), ("instance", "a:1"), ("cpu", "1")], &[(1, 2.0)]),
            series(&[("__name__", "up")], &[(1, 1.0)]),
            series(&[("__name__", "quiet"), ("job", "node")], &[]),
        ]);
        let read = read(&body).unwrap();
        let ids: Vec<_> = read.iter().map(|(measures, _)| measures.resource_id.as_str()).collect();
        assert_eq!(ids, ["node@a:1", "none@none"]);
        let metrics = &read[0].0.metrics;
        assert_eq!(metrics.keys().collect::<Vec<_>>(), ["up", "load"]);
        assert_eq!(metrics["up"].1[0].timestamp, Timestamp::from_nanos(1_500_000_000));
        assert_eq!(metrics["load"].1[0].value, 2.0);
        assert_eq!(read[0].1["instance"], AttributeValue::String("a:1".into()));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for body in [
            packed(vec![series(&[("job", "nameless")], &[(1, 1.0)])]),
            packed(vec![series(&[("__name__", "early")], &[(-1, 1.0)])]),
            packed(vec![series(&[("__name__", "late")], &[(i64::MAX, 1.0)])]),
            b"nonsense".to_vec(),
        ] {
            assert!(read(&body).is_err());
        }
    }
}
