//! Listing.

use std::collections::HashSet;
use std::time::Duration;

use nephoscope_http::{Answer, Http, Request};
use nephoscope_telemetry::{Error, ErrorKind, Result, Timestamp, TraceFilter, TraceSummary};
use serde::Deserialize;

/// The traces that a filter takes, newest first. The daemon does all of the filtering; of more traces than it lists at
/// once the next older ones are asked for.
pub(super) async fn list(
    operation: &'static str,
    http: &Http,
    filter: &TraceFilter,
    errors: bool,
    max_limit: usize,
) -> Result<Vec<TraceSummary>> {
    let wanted = filter.limit.unwrap_or(usize::MAX);
    let mut part = TraceFilter { limit: Some(wanted.min(max_limit)), ..filter.clone() };
    let (mut list, mut seen) = (Vec::new(), HashSet::new());
    loop {
        let request = http.get(operation, "/api/traces").query("errors", errors.to_string());
        let page = read(&ask(request, &part).send().await?)?;
        let last = page.last().map(|line| line.timestamp).filter(|_| page.len() == max_limit);
        let before = list.len();
        list.extend(page.into_iter().filter(|line| seen.insert(line.base_id.clone())));
        let Some(last) = last.filter(|_| list.len() < wanted) else { break };
        if list.len() == before {
            return Err(too_many(operation, last));
        }
        // Traces of the same microsecond may be on both sides of the border: those are met twice.
        part.until = Some(Timestamp::from_micros(last.as_micros() + 1));
    }
    list.truncate(wanted);
    Ok(list)
}

fn ask<'a>(request: Request<'a>, filter: &TraceFilter) -> Request<'a> {
    let millis = |least: Duration| (least.as_secs_f64() * 1000.0).to_string();
    let parameters = [
        ("service", filter.service.as_deref().map(str::to_owned)),
        ("name", filter.name.as_deref().map(str::to_owned)),
        ("since", filter.since.map(|time| time.to_string())),
        ("until", filter.until.map(|time| time.to_string())),
        ("min_duration", filter.min_duration.map(millis)),
        ("limit", filter.limit.map(|limit| limit.to_string())),
    ];
    let given = parameters.into_iter().filter_map(|(name, value)| Some((name, value?)));
    given.fold(request, |request, (name, value)| request.query(name, value))
}

/// A line as `TraceSummary::write_json` writes it.
#[derive(Deserialize)]
struct Line {
    base_id: String,
    timestamp: String,
    name: Option<String>,
    service: Option<String>,
    project: Option<String>,
    duration_ms: Option<f64>,
    points: Option<u64>,
    errors: Option<u64>,
}

#[derive(Deserialize)]
struct Lines {
    traces: Vec<Line>,
}

fn read(answer: &Answer) -> Result<Vec<TraceSummary>> {
    let Lines { traces } = answer.json()?;
    traces.into_iter().map(|line| line.summary().map_err(|problem| answer.strange(&problem))).collect()
}

impl Line {
    fn summary(self) -> Result<TraceSummary, String> {
        let timestamp = Timestamp::parse(&self.timestamp).map_err(|error| error.to_string())?;
        let duration = self.duration_ms.map(|ms| Duration::try_from_secs_f64(ms / 1000.0)).transpose();
        Ok(TraceSummary {
            base_id: self.base_id.as_str().into(),
            timestamp,
            name: self.name.map(Into::into),
            service: self.service.map(Into::into),
            project: self.project.map(Into::into),
            duration: duration.map_err(|error| error.to_string())?,
            points: self.points,
            errors: self.errors,
        })
    }
}

fn too_many(operation: &'static str, at: Timestamp) -> Error {
    let told = format!("Nephoscope has more traces that begin at {at} than it lists at once");
    Error::new(ErrorKind::Other, operation, told)
}
