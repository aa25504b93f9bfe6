//! What a case works with: a Gnocchi, names of its own, and things that most cases need.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use nephoscope_gnocchi::{
    AggregationMethod, ArchivePolicy, Attribute, AttributeKind, AttributeValue, Comparison, Definition,
    Error, Filter, Gnocchi, Measure, NewMetric, NewResource, Point, Range, Resource, ResourceSelection,
    ResourceType, Timespan, Timestamp, TypeState, Value,
};
use uuid::Uuid;

use super::Place;

/// A Gnocchi, and names that nobody else has.
pub(super) struct Bench {
    pub(super) gnocchi: Arc<dyn Gnocchi>,
    /// As another user sees it.
    pub(super) other: Arc<dyn Gnocchi>,
    own: String,
    _keep: Box<dyn Any + Send>,
}

impl Bench {
    pub(super) fn new(place: Place) -> Self {
        let Place { gnocchi, other, keep } = place;
        let own = Uuid::new_v4().simple().to_string()[..12].to_owned();
        Self { gnocchi, other, own, _keep: keep }
    }

    /// A name of this case alone, which ends so.
    pub(super) fn own(&self, name: &str) -> String {
        format!("n{}{name}", self.own)
    }

    /// Makes a policy that keeps the mean, sum, maximum and count of each minute and hour for ever.
    pub(super) async fn policy(&self) -> ArchivePolicy {
        let definition = vec![definition(60, None), definition(3600, None)];
        let methods = methods(&["mean", "sum", "max", "count"]);
        self.policy_of("policy", definition, methods).await
    }

    pub(super) async fn policy_of(
        &self,
        name: &str,
        definition: Vec<Definition>,
        aggregation_methods: Vec<AggregationMethod>,
    ) -> ArchivePolicy {
        let policy = ArchivePolicy { name: self.own(name), back_window: 0, definition, aggregation_methods };
        self.gnocchi.create_archive_policy(policy).await.expect("a policy can be made")
    }

    /// Makes a metric of that policy.
    pub(super) async fn metric(&self, policy: &ArchivePolicy) -> Uuid {
        let metric = NewMetric { archive_policy_name: Some(policy.name.clone()), ..NewMetric::default() };
        self.gnocchi.create_metric(metric).await.expect("a metric can be made").id
    }

    /// Makes a resource type whose attributes are these.
    pub(super) async fn resource_type(
        &self,
        name: &str,
        attributes: &[(&str, AttributeKind)],
    ) -> ResourceType {
        let attributes = attributes.iter();
        let attributes =
            attributes.map(|(name, kind)| ((*name).to_owned(), Attribute { kind: *kind, required: false }));
        let resource_type =
            ResourceType { name: self.own(name), attributes: attributes.collect(), state: TypeState::Active };
        self.gnocchi.create_resource_type(resource_type).await.expect("a type can be made")
    }

    /// Makes a resource with these attributes.
    pub(super) async fn resource(
        &self,
        of_type: &str,
        id: &str,
        attributes: &[(&str, AttributeValue)],
    ) -> Resource {
        let resource =
            NewResource { id: self.own(id), attributes: map(attributes), ..NewResource::default() };
        self.gnocchi.create_resource(of_type, resource).await.expect("a resource can be made")
    }

    /// The names that this case gave to the resources which a filter takes, in alphabetical order.
    pub(super) async fn found(&self, of_type: &str, filter: Filter) -> Vec<String> {
        let selection = ResourceSelection { filter: Some(filter), ..ResourceSelection::default() };
        let found = self.gnocchi.resources(of_type, &selection).await.expect("it is a search");
        let mut found: Vec<_> =
            found.iter().filter_map(|resource| self.given(&resource.original_resource_id)).collect();
        found.sort();
        found
    }

    /// The name that this case gave to what is called so; nothing, where somebody else did.
    pub(super) fn given(&self, name: &str) -> Option<String> {
        name.strip_prefix(&self.own("")).map(str::to_owned)
    }

    /// Stores measures of one metric, at seconds.
    pub(super) async fn store(&self, metric: Uuid, measures: &[(i64, f64)]) {
        let measures = measures.iter().map(|(at, value)| Measure { timestamp: seconds(*at), value: *value });
        self.gnocchi.add_measures(vec![(metric, measures.collect())]).await.expect("measures are stored");
    }

    /// The mean of each minute: the seconds that it begins at, and its value.
    pub(super) async fn minutes(&self, metric: Uuid) -> Vec<(i64, f64)> {
        let range = Range { granularity: Some(span(60)), ..all() };
        plain(&self.gnocchi.measures(metric, &range).await.expect("there are means of minutes"))
    }

    /// Waits until all that was stored of these metrics is seen: the real one processes measures by and by, or when the
    /// metric is read.
    pub(super) async fn settle(&self, metrics: &[Uuid]) {
        for id in metrics {
            let metric = self.gnocchi.metric(*id).await.expect("it is there");
            let aggregation = metric.archive_policy.aggregation_methods[0];
            let range = Range { aggregation, ..all() };
            self.gnocchi.measures(*id, &range).await.expect("it can be read");
        }
    }
}

/// All aggregates, of the mean.
pub(super) fn all() -> Range {
    Range { start: None, stop: None, aggregation: AggregationMethod::MEAN, granularity: None, resample: None }
}

/// When points begin, in seconds, and their values.
pub(super) fn plain(points: &[Point]) -> Vec<(i64, f64)> {
    points.iter().map(|point| (point.timestamp.seconds(), point.value)).collect()
}

pub(super) fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000)
}

pub(super) fn span(seconds: i64) -> Timespan {
    Timespan::from_seconds(seconds).expect("it is longer than nothing")
}

pub(super) fn definition(granularity: i64, points: Option<u64>) -> Definition {
    Definition { granularity: span(granularity), points }
}

pub(super) fn methods(names: &[&str]) -> Vec<AggregationMethod> {
    names.iter().map(|name| name.parse().expect("it is a method")).collect()
}

pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::String(text.into())
}

pub(super) const TEXT: AttributeKind = AttributeKind::String { min_length: 0, max_length: 255 };

pub(super) fn map(attributes: &[(&str, AttributeValue)]) -> BTreeMap<String, AttributeValue> {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

pub(super) fn is(attribute: &str, value: &str) -> Filter {
    Filter::Compare(Comparison::Equal, attribute.into(), Value::String(value.into()))
}

/// The error that something has to be.
#[track_caller]
pub(super) fn refused<T: Debug>(result: Result<T, Error>, is_right: impl Fn(&Error) -> bool, wanted: &str) {
    match result {
        Err(error) if is_right(&error) => {}
        other => panic!("{wanted} is wanted, not {other:?}"),
    }
}

/// That a result is an error of this form.
macro_rules! assert_refused {
    ($result:expr, $pattern:pat $(if $guard:expr)?) => {
        crate::gnocchi::conformance::bench::refused(
            $result,
            |error| matches!(error, $pattern $(if $guard)?),
            stringify!($pattern),
        )
    };
}
pub(super) use assert_refused;
