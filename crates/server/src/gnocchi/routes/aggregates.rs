//! `/v1/aggregates`

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use nephoscope_gnocchi::{
    AggregatesAnswer, AggregatesQuery, Error, Fill, Filter, Gnocchi, Group, MetricChoice, Operation,
    Reference, SeriesOf, Subject, parse_uuid,
};
use serde_json::{Value, json};

use super::super::arguments::Arguments;
use super::super::content::Content;
use super::super::fault::Fault;
use super::super::policy::{Action, Target};
use super::super::read::{self, Question};
use super::super::requester::Requester;
use super::super::{Door, answer, wire};
use super::calculation::{Asked, with_ids};

pub(in super::super) async fn calculate(
    State(door): State<Arc<Door>>,
    requester: Requester,
    arguments: Arguments,
    request: Request,
) -> Result<Response, Fault> {
    let use_history = arguments.bool("use_history", false)?;
    let details = arguments.bool("details", false)?;
    let asked = Asked::read(&arguments, Fill::DropNa)?;
    let content = Content::json(&door, request).await?;
    let json = content.value().await?;
    let gnocchi = requester.gnocchi()?;
    // A type that is not there is told before anything else that is wrong.
    if let Some(name) = read::resource_type_of_question(&json) {
        check_type(&*gnocchi, name).await?;
    }
    let Question { operation, resources } = content.decode(move |_| read::read_question(&json)).await?;
    let subject = match resources {
        None => {
            enforce_all(&requester, &operation).await?;
            Subject::Metrics
        }
        Some((resource_type, filter)) => {
            let own = requester.resources_of_theirs(Action::SearchResource, &resource_type)?;
            let asked_for = (!filter.is_empty()).then_some(filter);
            let filter = match (own, asked_for) {
                (Some(own), Some(filter)) => Some(Filter::And(vec![own, filter])),
                (own, filter) => own.or(filter),
            };
            let groupby = arguments.all("groupby").map(str::to_owned).collect();
            Subject::Resources { resource_type, filter, groupby, use_history }
        }
    };
    let Asked { start, stop, granularity, fill } = asked;
    let query = AggregatesQuery { operation, subject, start, stop, granularity, fill, details };
    let found = gnocchi.aggregates(&query).await.map_err(unknown)?;
    Ok(answer::written(written(&found)))
}

/// Refuses a type that is not there, as null is none.
async fn check_type(gnocchi: &dyn Gnocchi, name: &Value) -> Result<(), Fault> {
    let found = match name.as_str() {
        Some(known) => gnocchi.resource_type(known).await.map(|_| ()),
        None => Err(Error::NoSuchResourceType(String::new())),
    };
    found.map_err(|error| match error {
        Error::NoSuchResourceType(_) => Fault::described(
            StatusCode::BAD_REQUEST,
            json!({ "cause": "Resource type does not exist", "detail": name }),
        ),
        other => other.into(),
    })
}

/// Refuses an operation that names metrics which are not there, or which the user may not read.
async fn enforce_all(requester: &Requester, operation: &Operation) -> Result<(), Fault> {
    let references = operation.references();
    let ids: Option<Vec<_>> = references.iter().map(|(metric, _)| parse_uuid(metric)).collect();
    let ids = ids.ok_or_else(|| {
        Fault::described(
            StatusCode::BAD_REQUEST,
            json!({
                "cause": "Invalid metric references",
                "reason": "badly formed hexadecimal UUID string",
                "detail": references,
            }),
        )
    })?;
    let choice = MetricChoice { filter: Some(with_ids(&ids)), details: true, ..MetricChoice::default() };
    let metrics = requester.gnocchi()?.metrics(&choice).await?;
    let known: HashSet<_> = metrics.iter().map(|metric| metric.id).collect();
    let missing: BTreeSet<_> = ids.into_iter().filter(|id| !known.contains(id)).collect();
    if !missing.is_empty() {
        return Err(unknown(Error::UnknownMetrics(missing.iter().map(ToString::to_string).collect())));
    }
    for metric in metrics {
        requester.enforce(Action::GetMetric, Target::Metric(&metric))?;
    }
    Ok(())
}

/// What is not there, in the words of this door.
fn unknown(error: Error) -> Fault {
    let description = match error {
        Error::UnknownMetrics(metrics) => json!({
            "cause": "Unknown metrics",
            "reason": "Provided metrics don't exists",
            "detail": metrics,
        }),
        Error::NoSuchAggregation { metric, method, .. } => json!({
            "cause": "Metrics with unknown aggregation",
            "detail": [[metric, method]],
        }),
        other => return other.into(),
    };
    Fault::described(StatusCode::NOT_FOUND, description)
}

/// An answer, written by hand: what is no number has a form of its own, and there may be many points.
fn written(answer: &AggregatesAnswer) -> String {
    match answer {
        AggregatesAnswer::Whole(group) => written_group(group),
        AggregatesAnswer::Grouped(groups) => {
            let groups = groups.iter().map(|(key, group)| {
                let key: serde_json::Map<_, _> =
                    key.iter().map(|(name, value)| (name.clone(), wire::attribute_value(value))).collect();
                format!("{{\"group\": {}, \"measures\": {}}}", answer::text(&key), written_group(group))
            });
            format!("[{}]", groups.collect::<Vec<_>>().join(", "))
        }
    }
}

fn written_group(group: &Group) -> String {
    let mut measures = Tree::default();
    for (of, points) in &group.measures {
        let place = match of {
            SeriesOf::Aggregated => measures.at("aggregated"),
            SeriesOf::Metric(id, aggregation) => measures.at(&id.to_string()).at(aggregation),
            SeriesOf::Resource(id, name, aggregation) => {
                measures.at(&id.to_string()).at(name).at(aggregation)
            }
        };
        place.points = Some(wire::points(points));
    }
    let mut written = String::from("{\"measures\": ");
    measures.write(&mut written);
    if let Some(references) = &group.references {
        let references: Vec<_> = references
            .iter()
            .map(|reference| match reference {
                Reference::Metric(metric) => wire::metric(metric),
                Reference::Resource(resource) => wire::resource(resource),
            })
            .collect();
        written.push_str(", \"references\": ");
        written.push_str(&answer::text(&references));
    }
    written.push('}');
    written
}

/// Points, by names in names.
#[derive(Default)]
struct Tree {
    points: Option<String>,
    branches: BTreeMap<String, Self>,
}

impl Tree {
    fn at(&mut self, name: &str) -> &mut Self {
        self.branches.entry(name.to_owned()).or_default()
    }

    fn write(&self, text: &mut String) {
        if let Some(points) = &self.points {
            text.push_str(points);
            return;
        }
        text.push('{');
        for (number, (name, branch)) in self.branches.iter().enumerate() {
            if number > 0 {
                text.push_str(", ");
            }
            text.push_str(&answer::text(name));
            text.push_str(": ");
            branch.write(text);
        }
        text.push('}');
    }
}

#[cfg(test)]
mod tests {
    use nephoscope_gnocchi::{Point, Resolution, Timestamp};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn series_are_written_by_what_they_are_of() {
        let point = |value| Point { timestamp: Timestamp::EPOCH, granularity: Resolution::Month, value };
        let id = Uuid::from_u128(1);
        let series = |name: &str, aggregation: &str| SeriesOf::Resource(id, name.into(), aggregation.into());
        let measures = vec![
            (series("a\"b", "mean"), vec![point(f64::NAN)]),
            (series("c", "max"), vec![]),
            (series("a\"b", "max"), vec![point(1.0), point(f64::INFINITY)]),
        ];
        let written = written(&AggregatesAnswer::Whole(Group { measures, references: Some(vec![]) }));
        let epoch = "1970-01-01T00:00:00+00:00";
        assert_eq!(
            written,
            format!(
                "{{\"measures\": {{\"{id}\": {{\"a\\\"b\": {{\"max\": [[\"{epoch}\", \"M\", 1.0], \
                 [\"{epoch}\", \"M\", Infinity]], \"mean\": [[\"{epoch}\", \"M\", NaN]]}}, \
                 \"c\": {{\"max\": []}}}}}}, \"references\": []}}"
            )
        );
    }
}
