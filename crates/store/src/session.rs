//! The store as one user sees it: Gnocchi's API.

use std::sync::Arc;

use nephoscope_gnocchi::{
    AggregatesAnswer, AggregatesQuery, ArchivePolicy, ArchivePolicyRule, BoxFuture, Creator, Definition,
    Error, Filter, Gnocchi, Measure, Metric, MetricChoice, MetricMeasures, NamedMetric, NewMetric,
    NewResource, Page, Point, Range, Resource, ResourceChange, ResourceMeasures, ResourceSelection,
    ResourceType, Result, Timestamp, TimestampError, TypeChange,
};
use uuid::Uuid;

use crate::calculation;
use crate::index::{Batch, Index};
use crate::reading::Reading;
use crate::store::{Inner, Store};

/// A [`Store`] as one user sees it: what is made here has that user as its creator.
#[derive(Clone, Debug)]
pub struct Session {
    store: Store,
    creator: Arc<Creator>,
}

impl Session {
    pub(crate) fn new(store: Store, creator: Creator) -> Self {
        Self { store, creator: Arc::new(creator) }
    }

    /// Stores measures where the index says that they go. The index is on disk before them: what is in the journal of the
    /// series means nothing without it.
    async fn write(
        &self,
        address: impl FnOnce(&Index, &Creator) -> Result<Batch> + Send + 'static,
    ) -> Result<()> {
        let batch = self.run(move |store, creator| {
            let batch = address(&store.index, creator)?;
            store.index.make_durable()?;
            Ok(batch)
        });
        self.store.series().write(batch.await?).await
    }

    /// Does work that blocks on a thread for that.
    fn run<'a, T: Send + 'static>(
        &'a self,
        work: impl FnOnce(&Inner, &Creator) -> Result<T> + Send + 'static,
    ) -> BoxFuture<'a, Result<T>> {
        let creator = self.creator.clone();
        Box::pin(self.store.blocking(move |store| work(store, &creator)))
    }
}

impl Gnocchi for Session {
    fn archive_policies(&self) -> BoxFuture<'_, Result<Vec<ArchivePolicy>>> {
        self.run(|store, _| Ok(store.index.archive_policies()))
    }

    fn archive_policy<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<ArchivePolicy>> {
        let name = name.to_owned();
        self.run(move |store, _| Ok(store.index.archive_policy(&name)?.as_ref().clone()))
    }

    fn create_archive_policy(&self, policy: ArchivePolicy) -> BoxFuture<'_, Result<ArchivePolicy>> {
        self.run(move |store, _| store.index.create_archive_policy(policy))
    }

    fn update_archive_policy<'a>(
        &'a self,
        name: &'a str,
        definition: Vec<Definition>,
        back_window: Option<u32>,
    ) -> BoxFuture<'a, Result<ArchivePolicy>> {
        let name = name.to_owned();
        self.run(move |store, _| store.index.update_archive_policy(&name, definition, back_window))
    }

    fn delete_archive_policy<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        let name = name.to_owned();
        self.run(move |store, _| store.index.delete_archive_policy(&name))
    }

    fn archive_policy_rules(&self) -> BoxFuture<'_, Result<Vec<ArchivePolicyRule>>> {
        self.run(|store, _| Ok(store.index.archive_policy_rules()))
    }

    fn archive_policy_rule<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<ArchivePolicyRule>> {
        let name = name.to_owned();
        self.run(move |store, _| store.index.archive_policy_rule(&name))
    }

    fn create_archive_policy_rule(&self, rule: ArchivePolicyRule) -> BoxFuture<'_, Result<()>> {
        self.run(move |store, _| store.index.create_archive_policy_rule(rule))
    }

    fn rename_archive_policy_rule<'a>(
        &'a self,
        name: &'a str,
        new_name: &'a str,
    ) -> BoxFuture<'a, Result<ArchivePolicyRule>> {
        let (name, new_name) = (name.to_owned(), new_name.to_owned());
        self.run(move |store, _| store.index.rename_archive_policy_rule(&name, &new_name))
    }

    fn delete_archive_policy_rule<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        let name = name.to_owned();
        self.run(move |store, _| store.index.delete_archive_policy_rule(&name))
    }

    fn resource_types(&self) -> BoxFuture<'_, Result<Vec<ResourceType>>> {
        self.run(|store, _| Ok(store.index.resource_types()))
    }

    fn resource_type<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<ResourceType>> {
        let name = name.to_owned();
        self.run(move |store, _| store.index.resource_type(&name))
    }

    fn create_resource_type(&self, resource_type: ResourceType) -> BoxFuture<'_, Result<ResourceType>> {
        self.run(move |store, _| store.index.create_resource_type(resource_type))
    }

    fn update_resource_type<'a>(
        &'a self,
        name: &'a str,
        change: TypeChange,
    ) -> BoxFuture<'a, Result<ResourceType>> {
        let name = name.to_owned();
        self.run(move |store, _| store.index.update_resource_type(&name, change))
    }

    fn delete_resource_type<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        let name = name.to_owned();
        self.run(move |store, _| store.index.delete_resource_type(&name))
    }

    fn resources<'a>(
        &'a self,
        resource_type: &'a str,
        selection: &'a ResourceSelection,
    ) -> BoxFuture<'a, Result<Vec<Resource>>> {
        let (resource_type, selection) = (resource_type.to_owned(), selection.clone());
        self.run(move |store, creator| store.index.resources(&resource_type, &selection, creator))
    }

    fn resource<'a>(&'a self, resource_type: &'a str, id: &'a str) -> BoxFuture<'a, Result<Resource>> {
        let (resource_type, id) = (resource_type.to_owned(), id.to_owned());
        self.run(move |store, creator| store.index.resource(&resource_type, &id, creator))
    }

    fn history<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
        page: &'a Page,
    ) -> BoxFuture<'a, Result<Vec<Resource>>> {
        let (resource_type, id, page) = (resource_type.to_owned(), id.to_owned(), page.clone());
        self.run(move |store, creator| store.index.history(&resource_type, &id, &page, creator))
    }

    fn create_resource<'a>(
        &'a self,
        resource_type: &'a str,
        resource: NewResource,
    ) -> BoxFuture<'a, Result<Resource>> {
        let resource_type = resource_type.to_owned();
        self.run(move |store, creator| store.index.create_resource(&resource_type, &resource, creator))
    }

    fn update_resource<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
        change: ResourceChange,
    ) -> BoxFuture<'a, Result<Resource>> {
        let (resource_type, id) = (resource_type.to_owned(), id.to_owned());
        self.run(move |store, creator| store.index.update_resource(&resource_type, &id, &change, creator))
    }

    fn add_metrics<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
        metrics: Vec<(String, NamedMetric)>,
    ) -> BoxFuture<'a, Result<Resource>> {
        let (resource_type, id) = (resource_type.to_owned(), id.to_owned());
        self.run(move |store, creator| store.index.add_metrics(&resource_type, &id, metrics, creator))
    }

    fn delete_resource<'a>(&'a self, resource_type: &'a str, id: &'a str) -> BoxFuture<'a, Result<()>> {
        let (resource_type, id) = (resource_type.to_owned(), id.to_owned());
        self.run(move |store, creator| store.index.delete_resource(&resource_type, &id, creator))
    }

    fn delete_resources<'a>(
        &'a self,
        resource_type: &'a str,
        filter: &'a Filter,
    ) -> BoxFuture<'a, Result<u64>> {
        let (resource_type, filter) = (resource_type.to_owned(), filter.clone());
        self.run(move |store, creator| store.index.delete_resources(&resource_type, &filter, creator))
    }

    fn metrics<'a>(&'a self, choice: &'a MetricChoice) -> BoxFuture<'a, Result<Vec<Metric>>> {
        let choice = choice.clone();
        self.run(move |store, creator| store.index.metrics(&choice, creator))
    }

    fn metric(&self, id: Uuid) -> BoxFuture<'_, Result<Metric>> {
        self.run(move |store, _| store.index.metric(id))
    }

    fn create_metric(&self, metric: NewMetric) -> BoxFuture<'_, Result<Metric>> {
        self.run(move |store, creator| store.index.create_metric(&metric, creator))
    }

    fn delete_metric(&self, id: Uuid) -> BoxFuture<'_, Result<()>> {
        self.run(move |store, _| store.index.delete_metric(id))
    }

    fn add_measures(&self, measures: MetricMeasures) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.write(|index, _| {
            refuse_before_epoch(measures.iter().flat_map(|(_, measures)| measures))?;
            index.address_all(measures)
        }))
    }

    fn add_resource_measures(
        &self,
        measures: Vec<ResourceMeasures>,
        create_metrics: bool,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.write(move |index, creator| {
            let metrics = measures.iter().flat_map(|resource| resource.metrics.values());
            refuse_before_epoch(metrics.flat_map(|(_, measures)| measures))?;
            index.address_resources(measures, create_metrics, creator)
        }))
    }

    fn measures<'a>(&'a self, metric: Uuid, range: &'a Range) -> BoxFuture<'a, Result<Vec<Point>>> {
        let range = range.clone();
        self.run(move |store, creator| {
            let metric = store.index.metric(metric)?;
            calculation::measures(&Reading { store, creator }, &metric, &range)
        })
    }

    fn aggregates<'a>(&'a self, query: &'a AggregatesQuery) -> BoxFuture<'a, Result<AggregatesAnswer>> {
        let query = query.clone();
        self.run(move |store, creator| calculation::evaluate(&Reading { store, creator }, &query))
    }
}

/// Gnocchi has no measures from before 1970.
fn refuse_before_epoch<'a>(mut measures: impl Iterator<Item = &'a Measure>) -> Result<()> {
    match measures.any(|measure| measure.timestamp < Timestamp::EPOCH) {
        true => Err(Error::Invalid(TimestampError::BeforeEpoch.to_string())),
        false => Ok(()),
    }
}
