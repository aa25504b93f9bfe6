//! The API of Gnocchi as a trait.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use uuid::Uuid;

use crate::{
    AggregatesAnswer, AggregatesQuery, ArchivePolicy, ArchivePolicyRule, Definition, Error, Filter, Metric,
    MetricChoice, MetricMeasures, NamedMetric, NewMetric, NewResource, Page, Point, Range, Resource,
    ResourceChange, ResourceMeasures, ResourceSelection, ResourceType, TypeChange,
};

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a request gives.
pub type Result<T> = std::result::Result<T, Error>;

/// Gnocchi as one user sees it: what is made here has that user as its creator.
///
/// A resource is named by a UUID or by any other text, which means the resource that the same user made under that text.
/// Every promise here is a case of the conformance suite.
pub trait Gnocchi: fmt::Debug + Send + Sync {
    /// All archive policies, by name.
    fn archive_policies(&self) -> BoxFuture<'_, Result<Vec<ArchivePolicy>>>;
    /// One archive policy.
    fn archive_policy<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<ArchivePolicy>>;
    /// Makes an archive policy.
    fn create_archive_policy(&self, policy: ArchivePolicy) -> BoxFuture<'_, Result<ArchivePolicy>>;
    /// Changes how long an archive policy keeps aggregates. Its granularities stay.
    fn update_archive_policy<'a>(
        &'a self,
        name: &'a str,
        definition: Vec<Definition>,
        back_window: Option<u32>,
    ) -> BoxFuture<'a, Result<ArchivePolicy>>;
    /// Deletes an archive policy that no metric or rule uses.
    fn delete_archive_policy<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>>;

    /// All rules, in the order in which they are tried.
    fn archive_policy_rules(&self) -> BoxFuture<'_, Result<Vec<ArchivePolicyRule>>>;
    /// One rule.
    fn archive_policy_rule<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<ArchivePolicyRule>>;
    /// Makes a rule.
    fn create_archive_policy_rule(&self, rule: ArchivePolicyRule) -> BoxFuture<'_, Result<()>>;
    /// Gives a rule another name.
    fn rename_archive_policy_rule<'a>(
        &'a self,
        name: &'a str,
        new_name: &'a str,
    ) -> BoxFuture<'a, Result<ArchivePolicyRule>>;
    /// Deletes a rule.
    fn delete_archive_policy_rule<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>>;

    /// All resource types, by name.
    fn resource_types(&self) -> BoxFuture<'_, Result<Vec<ResourceType>>>;
    /// One resource type.
    fn resource_type<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<ResourceType>>;
    /// Makes a resource type.
    fn create_resource_type(&self, resource_type: ResourceType) -> BoxFuture<'_, Result<ResourceType>>;
    /// Changes the attributes of a resource type.
    fn update_resource_type<'a>(
        &'a self,
        name: &'a str,
        change: TypeChange,
    ) -> BoxFuture<'a, Result<ResourceType>>;
    /// Deletes a resource type that no resource has.
    fn delete_resource_type<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>>;

    /// The resources that are chosen.
    fn resources<'a>(
        &'a self,
        resource_type: &'a str,
        selection: &'a ResourceSelection,
    ) -> BoxFuture<'a, Result<Vec<Resource>>>;
    /// One resource.
    fn resource<'a>(&'a self, resource_type: &'a str, id: &'a str) -> BoxFuture<'a, Result<Resource>>;
    /// All revisions of a resource.
    fn history<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
        page: &'a Page,
    ) -> BoxFuture<'a, Result<Vec<Resource>>>;
    /// Makes a resource and its metrics: all of it, or nothing.
    fn create_resource<'a>(
        &'a self,
        resource_type: &'a str,
        resource: NewResource,
    ) -> BoxFuture<'a, Result<Resource>>;
    /// Changes a resource. A change of an attribute's value ends the revision; one of metrics alone does not.
    fn update_resource<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
        change: ResourceChange,
    ) -> BoxFuture<'a, Result<Resource>>;
    /// Gives a resource more metrics.
    fn add_metrics<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
        metrics: Vec<(String, NamedMetric)>,
    ) -> BoxFuture<'a, Result<Resource>>;
    /// Deletes a resource and its metrics.
    fn delete_resource<'a>(&'a self, resource_type: &'a str, id: &'a str) -> BoxFuture<'a, Result<()>>;
    /// Deletes the resources that a filter takes, and their metrics. How many there were.
    fn delete_resources<'a>(
        &'a self,
        resource_type: &'a str,
        filter: &'a Filter,
    ) -> BoxFuture<'a, Result<u64>>;

    /// The metrics that are chosen.
    fn metrics<'a>(&'a self, choice: &'a MetricChoice) -> BoxFuture<'a, Result<Vec<Metric>>>;
    /// One metric, with its resource.
    fn metric(&self, id: Uuid) -> BoxFuture<'_, Result<Metric>>;
    /// Makes a metric.
    fn create_metric(&self, metric: NewMetric) -> BoxFuture<'_, Result<Metric>>;
    /// Deletes a metric.
    fn delete_metric(&self, id: Uuid) -> BoxFuture<'_, Result<()>>;

    /// Stores measures of metrics that are there: all, or none. `Ok` means that they are durable.
    fn add_measures(&self, measures: MetricMeasures) -> BoxFuture<'_, Result<()>>;
    /// Stores measures of the metrics of resources: all, or none. `Ok` means that they are durable. Metrics that are
    /// not there are made where `create_metrics` says so; metrics that were made stay, even when a resource is not
    /// there and nothing is stored.
    fn add_resource_measures(
        &self,
        measures: Vec<ResourceMeasures>,
        create_metrics: bool,
    ) -> BoxFuture<'_, Result<()>>;
    /// Aggregates of a metric, those of coarse granularity first.
    fn measures<'a>(&'a self, metric: Uuid, range: &'a Range) -> BoxFuture<'a, Result<Vec<Point>>>;
    /// A calculation across metrics.
    fn aggregates<'a>(&'a self, query: &'a AggregatesQuery) -> BoxFuture<'a, Result<AggregatesAnswer>>;
}
