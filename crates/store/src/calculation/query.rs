//! A question across metrics, from the metrics that it is of to its answer.

use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::thread;

use indexmap::IndexMap;
use nephoscope_gnocchi::{
    AggregatesAnswer, AggregatesQuery, AggregationMethod, AttributeValue, Error, Fill, Filter, Glob, Group,
    Metric, Operation, Overlap, Page, Point, Reference, Resolution, Resource, ResourceSelection, Result,
    SeriesOf, Sort, Subject, Timespan, Timestamp, Unaggregated, parse_uuid,
};
use uuid::Uuid;

use super::Source;
use super::aligned::align;
use super::evaluate::{self, Outcome};
use super::history::{self, Revisions};

/// How many series are worth a thread of their own: reading them takes some ten times as long as to start it.
const ENOUGH_FOR_A_THREAD: usize = 64;

/// Answers a question across metrics.
///
/// Series stand in the answer in the order of the resources and of the operation, their points from coarse to fine.
pub(crate) fn evaluate(source: &impl Source, query: &AggregatesQuery) -> Result<AggregatesAnswer> {
    let calculation = Calculation {
        source,
        operation: &query.operation,
        references: query.operation.references(),
        granularity: query.granularity,
        fill: query.fill,
        details: query.details,
    };
    let during = During { start: query.start, stop: query.stop };
    match &query.subject {
        Subject::Metrics => calculation.of_metrics(during).map(AggregatesAnswer::Whole),
        Subject::Resources { resource_type, filter, groupby, use_history } => {
            let mut groupby = groupby.clone();
            groupby.sort();
            groupby.dedup();
            let selection = selection(filter.clone(), &groupby);
            if groupby.is_empty() {
                let resources = source.resources(resource_type, &selection)?;
                let metrics = calculation.metrics_of(&resources)?;
                return calculation.of_resources(&resources, &metrics, during).map(AggregatesAnswer::Whole);
            }
            let groups = if *use_history {
                calculation.by_revision(resource_type, selection, &groupby, during)?
            } else {
                calculation.by_group(&source.resources(resource_type, &selection)?, &groupby, during)?
            };
            if groups.is_empty() {
                Err(calculation.no_such_metric())
            } else {
                Ok(AggregatesAnswer::Grouped(groups))
            }
        }
    }
}

/// Groups, and the attributes that make each.
type Groups = Vec<(IndexMap<String, AttributeValue>, Group)>;

/// Resources in the order of these attributes, else in that in which they came.
fn selection(filter: Option<Filter>, groupby: &[String]) -> ResourceSelection {
    let keys: Vec<&str> = match groupby {
        [] => vec!["revision_start", "started_at"],
        groupby => groupby.iter().map(String::as_str).collect(),
    };
    let sort = |key: &str| Sort { key: key.into(), direction: Default::default(), nulls: None };
    let page = Page { sort: keys.into_iter().map(sort).collect(), ..Page::default() };
    ResourceSelection { filter, page, ..ResourceSelection::default() }
}

/// From when to when.
#[derive(Clone, Copy, Debug)]
pub(super) struct During {
    pub(super) start: Option<Timestamp>,
    pub(super) stop: Option<Timestamp>,
}

/// What is calculated, of whatever metrics.
struct Calculation<'a, S> {
    source: &'a S,
    operation: &'a Operation,
    /// The series that the operation names.
    references: Vec<&'a (String, String)>,
    granularity: Option<Timespan>,
    fill: Fill,
    details: bool,
}

/// A series that is calculated with.
struct Named<'a> {
    metric: &'a Metric,
    aggregation: &'a str,
    /// What the operation calls it.
    name: &'a str,
    /// The resource through which it was found.
    resource: Option<&'a Resource>,
}

impl Named<'_> {
    /// What the operation calls it, which may be a pattern.
    fn wanted(&self) -> String {
        if self.resource.is_some() { self.name.to_owned() } else { self.label() }
    }

    /// What it is called itself.
    fn label(&self) -> String {
        match (self.resource, &self.metric.name) {
            (Some(_), Some(name)) => name.clone(),
            _ => self.metric.id.to_string(),
        }
    }

    /// What the answer calls it.
    fn series_of(&self) -> SeriesOf {
        let aggregation = self.aggregation.to_owned();
        match self.resource {
            Some(resource) => SeriesOf::Resource(resource.id, self.label(), aggregation),
            None => SeriesOf::Metric(self.metric.id, aggregation),
        }
    }
}

impl<'a, S: Source> Calculation<'a, S> {
    fn of_metrics(&self, during: During) -> Result<Group> {
        let mut ids = Vec::with_capacity(self.references.len());
        for (metric, _) in &self.references {
            ids.push(
                parse_uuid(metric)
                    .ok_or_else(|| Error::Invalid("badly formed hexadecimal UUID string".into()))?,
            );
        }
        let mut unique = ids.clone();
        let mut seen = HashSet::new();
        unique.retain(|id| seen.insert(*id));
        let metrics = by_id(self.source.metrics(&unique, self.details)?);
        let unknown = unique.iter().filter(|id| !metrics.contains_key(id)).map(Uuid::to_string);
        let unknown: Vec<_> = unknown.collect();
        if !unknown.is_empty() {
            return Err(Error::UnknownMetrics(unknown));
        }
        let named = ids.iter().zip(&self.references).filter_map(|(id, (name, aggregation))| {
            Some(Named { metric: metrics.get(id)?, aggregation, name, resource: None })
        });
        let measures = self.calculate(&named.collect::<Vec<_>>(), during)?;
        // In the order in which Gnocchi's database has them.
        unique.sort_unstable();
        let metric = |id: &Uuid| metrics.get(id).map(|metric| Reference::Metric(Box::new(metric.clone())));
        let references = self.details.then(|| unique.iter().filter_map(metric).collect());
        Ok(Group { measures, references })
    }

    /// The metrics of resources that the operation names.
    fn metrics_of(&self, resources: &[Resource]) -> Result<HashMap<Uuid, Metric>> {
        let mut ids = HashSet::new();
        for resource in resources {
            for (pattern, _) in &self.references {
                ids.extend(matching(resource, pattern));
            }
        }
        Ok(by_id(self.source.metrics(&ids.into_iter().collect::<Vec<_>>(), false)?))
    }

    fn of_resources(
        &self,
        resources: &[Resource],
        metrics: &HashMap<Uuid, Metric>,
        during: During,
    ) -> Result<Group> {
        let mut named = Vec::new();
        for resource in resources {
            for (name, aggregation) in &self.references {
                named.extend(matching(resource, name).filter_map(|id| {
                    let metric = metrics.get(&id)?;
                    Some(Named { metric, aggregation, name, resource: Some(resource) })
                }));
            }
        }
        if named.is_empty() {
            return Err(self.no_such_metric());
        }
        let measures = self.calculate(&named, during)?;
        let mut seen = HashSet::new();
        let found = named.iter().filter_map(|named| named.resource);
        let found = found.filter(|resource| seen.insert((resource.id, resource.revision)));
        let references =
            self.details.then(|| found.map(|found| Reference::Resource(Box::new(found.clone()))).collect());
        Ok(Group { measures, references })
    }

    /// Neighbours with the same attributes make a group. Groups without such a metric are left out.
    fn by_group(&self, resources: &[Resource], groupby: &[String], during: During) -> Result<Groups> {
        let metrics = self.metrics_of(resources)?;
        let mut groups = Groups::new();
        for resources in resources
            .chunk_by(|one, other| groupby.iter().all(|name| one.attribute(name) == other.attribute(name)))
        {
            match self.of_resources(resources, &metrics, during) {
                Ok(group) => groups.push((key_of(resources, groupby), group)),
                Err(Error::NoSuchMetric(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(groups)
    }

    /// Apart for each revision, each value scaled to the part of its period that the revision covers.
    fn by_revision(
        &self,
        resource_type: &str,
        selection: ResourceSelection,
        groupby: &[String],
        during: During,
    ) -> Result<Groups> {
        let filter = history::filter(selection.filter.clone(), during);
        let selection = ResourceSelection { filter, history: true, ..selection };
        let resources = self.source.resources(resource_type, &selection)?;
        let metrics = self.metrics_of(&resources)?;
        let mut groups = Groups::new();
        for Revisions { group: key, revisions } in history::group(resources, groupby, during) {
            let mut points: Vec<Point> = Vec::new();
            let mut references = None;
            for (resource, during) in revisions {
                match self.of_resources(std::slice::from_ref(&resource), &metrics, during) {
                    Ok(group) => {
                        references = group.references.or(references);
                        let aggregated =
                            group.measures.into_iter().filter(|(of, _)| *of == SeriesOf::Aggregated);
                        points.extend(
                            aggregated
                                .flat_map(|(_, points)| points)
                                .map(|point| history::scaled(point, during)),
                        );
                    }
                    Err(Error::NoSuchMetric(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            let measures = history::summed(points);
            if !measures.is_empty() {
                groups.push((key, Group { measures: vec![(SeriesOf::Aggregated, measures)], references }));
            }
        }
        Ok(groups)
    }

    /// No metric has any of the names.
    fn no_such_metric(&self) -> Error {
        let mut names: Vec<&str> = self.references.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let names: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
        Error::NoSuchMetric(format!("[{}]", names.join(", ")))
    }

    /// Carries out the operation on these series.
    fn calculate(&self, named: &[Named<'_>], during: During) -> Result<Vec<(SeriesOf, Vec<Point>)>> {
        let granularities = self.granularities(named)?;
        let mut outcomes = Vec::with_capacity(granularities.len());
        for granularity in granularities {
            outcomes.push(self.at_granularity(named, granularity, during)?);
        }
        let is_aggregated = outcomes.iter().any(|outcome| outcome.is_aggregated);
        let mut measures: IndexMap<SeriesOf, Vec<Point>> = IndexMap::new();
        for outcome in &outcomes {
            if is_aggregated {
                let row = outcome.aligned.rows.first().map(Vec::as_slice).unwrap_or_default();
                self.push(outcome, row, measures.entry(SeriesOf::Aggregated).or_default());
                continue;
            }
            if outcome.aligned.rows.len() != named.len() {
                let (rows, names) = (outcome.aligned.rows.len(), named.len());
                let reason = format!("The operation gives {rows} timeseries of {names}");
                return Err(refuse(named, reason, Named::wanted, |_| None));
            }
            for (named, row) in named.iter().zip(&outcome.aligned.rows) {
                self.push(outcome, row, measures.entry(named.series_of()).or_default());
            }
        }
        Ok(measures.into_iter().collect())
    }

    /// The granularities that all have, or the one that is asked for; coarse first.
    fn granularities(&self, named: &[Named<'_>]) -> Result<Vec<Timespan>> {
        let mut granularities = match self.granularity {
            Some(granularity) => vec![granularity],
            None => {
                let mut counts: HashMap<Timespan, usize> = HashMap::new();
                for definition in named.iter().flat_map(|named| &named.metric.archive_policy.definition) {
                    *counts.entry(definition.granularity).or_default() += 1;
                }
                counts.retain(|_, count| *count == named.len());
                counts.into_keys().collect()
            }
        };
        if granularities.is_empty() {
            return Err(refuse(named, "No granularity match".into(), Named::label, |_| None));
        }
        for named in named {
            let policy = &named.metric.archive_policy;
            let is_known =
                named.aggregation.parse().is_ok_and(|method| policy.aggregation_methods.contains(&method));
            if !is_known {
                let finest = policy.definition.first().map(|definition| definition.granularity);
                return Err(Error::NoSuchAggregation {
                    metric: named.metric.id.to_string(),
                    method: named.aggregation.to_owned(),
                    granularity: finest.map_or(0.0, Timespan::as_seconds),
                });
            }
        }
        let missing = |metric: &Metric| {
            let known = |granularity: &Timespan| {
                metric.archive_policy.definition.iter().any(|known| known.granularity == *granularity)
            };
            granularities.iter().find(|granularity| !known(granularity)).map(|missing| missing.as_seconds())
        };
        let without: Vec<_> = named.iter().filter(|named| missing(named.metric).is_some()).collect();
        if !without.is_empty() {
            let reason = "Granularities are missing".into();
            return Err(refuse(without, reason, Named::label, |named| missing(named.metric)));
        }
        granularities.sort_unstable_by_key(|granularity| std::cmp::Reverse(*granularity));
        Ok(granularities)
    }

    fn at_granularity(&self, named: &[Named<'_>], granularity: Timespan, during: During) -> Result<Outcome> {
        let start = during.start.map(|start| start.floor(granularity));
        let read = |named: &Named<'_>| {
            let method: AggregationMethod =
                named.aggregation.parse().expect("granularities() found it in the policy");
            self.source.series(named.metric, method, granularity, start, during.stop)
        };
        let mut aligned = align(in_parallel(named, read)?, self.fill)?;
        if let Fill::Overlap(Overlap(needed)) = self.fill
            && let Some(reason) = aligned.overlap(needed, start.is_some(), during.stop.is_some())
        {
            return Err(refuse(named, reason, Named::wanted, |_| None));
        }
        let names = named.iter().map(|named| (named.name.to_owned(), named.aggregation.to_owned()));
        let subject =
            evaluate::Subject { aligned, names: names.collect(), resolution: Resolution::Span(granularity) };
        subject.evaluate(self.operation)
    }

    /// The points of a row; of those that are no number, only where the user wants to see the gaps.
    fn push(&self, outcome: &Outcome, row: &[f64], points: &mut Vec<Point>) {
        let are_gaps_shown = matches!(self.fill, Fill::Overlap(_) | Fill::Null | Fill::Number(_));
        let shown = outcome.aligned.times.iter().zip(row);
        let shown = shown.filter(|(_, value)| are_gaps_shown || value.is_finite());
        points.reserve(row.len());
        points.extend(shown.map(|(time, value)| Point {
            timestamp: Timestamp::from_nanos(*time),
            granularity: outcome.resolution,
            value: *value,
        }));
    }
}

/// Does the same with each, on all processors where it is much to do; in the same order.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let part = items.len().div_ceil(processors).max(ENOUGH_FOR_A_THREAD);
    let do_part = |part: &[T]| part.iter().map(&work).collect::<Result<Vec<R>>>();
    if items.len() <= part {
        return do_part(items);
    }
    thread::scope(|scope| {
        let parts: Vec<_> = items.chunks(part).map(|part| scope.spawn(move || do_part(part))).collect();
        let mut all = Vec::with_capacity(items.len());
        for part in parts {
            all.append(&mut part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    })
}

fn by_id(metrics: Vec<Metric>) -> HashMap<Uuid, Metric> {
    metrics.into_iter().map(|metric| (metric.id, metric)).collect()
}

/// The metrics of a resource whose names match a pattern of the shell.
fn matching<'r>(resource: &'r Resource, pattern: &str) -> Box<dyn Iterator<Item = Uuid> + 'r> {
    if !pattern.contains(['*', '?', '[']) {
        return Box::new(resource.metrics.get(pattern).copied().into_iter());
    }
    let pattern = Glob::new(pattern);
    Box::new(resource.metrics.iter().filter(move |(name, _)| pattern.matches(name)).map(|(_, id)| *id))
}

fn key_of(resources: &[Resource], groupby: &[String]) -> IndexMap<String, AttributeValue> {
    let first = resources.first();
    let value = |name: &String| first.map_or(AttributeValue::Null, |first| first.attribute(name));
    groupby.iter().map(|name| (name.clone(), value(name))).collect()
}

fn refuse<'n>(
    named: impl IntoIterator<Item = &'n Named<'n>>,
    reason: String,
    called: impl Fn(&Named<'n>) -> String,
    granularity: impl Fn(&Named<'n>) -> Option<f64>,
) -> Error {
    let detail = named.into_iter().map(|named| Unaggregated {
        metric: called(named),
        aggregation: named.aggregation.to_owned(),
        granularity: granularity(named),
    });
    Error::CannotBeAggregated { reason, detail: detail.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_in_parallel_keeps_its_order_and_its_failures() {
        let numbers: Vec<_> = (0..10 * ENOUGH_FOR_A_THREAD + 1).collect();
        let doubled: Vec<_> = numbers.iter().map(|number| 2 * number).collect();
        assert_eq!(in_parallel(&numbers, |number| Ok(2 * number)).unwrap(), doubled);
        let fails_once = |number: &usize| match number {
            600 => Err(Error::Invalid("six hundred".into())),
            number => Ok(*number),
        };
        assert_eq!(in_parallel(&numbers, fails_once).unwrap_err().to_string(), "six hundred");
    }
}
