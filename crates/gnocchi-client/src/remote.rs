//! A Gnocchi as the user sees it that we log in as.

mod measures;
mod metrics;
mod resources;

use std::sync::Arc;

use nephoscope_gnocchi::{
    AggregatesAnswer, AggregatesQuery, ArchivePolicy, ArchivePolicyRule, BoxFuture, Definition, Error,
    Filter, Gnocchi, Metric, MetricChoice, MetricMeasures, NamedMetric, NewMetric, NewResource, Page, Point,
    Range, Resource, ResourceChange, ResourceMeasures, ResourceSelection, ResourceType, Result, TypeChange,
};
use nephoscope_keystone::Keystone;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::api::{Api, Ask};
use crate::path::in_path;
use crate::read::{self, Kinds, WirePolicy, WireResource, WireRule, WireType};
use crate::types::Types;
use crate::write;
use measures::KnownWay;

/// The media type of a change of a resource type.
const JSON_PATCH: &str = "application/json-patch+json";

/// A Gnocchi over its REST API. It is cheap to clone; all clones share connections and the login.
#[derive(Clone, Debug)]
pub struct Remote(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    api: Api,
    types: Types,
    way: KnownWay,
    /// Whether Gnocchi is to process what waits for a metric before it is read.
    refresh: bool,
}

impl Remote {
    pub(crate) fn new(api: Api, refresh: bool) -> Self {
        Self(Arc::new(Inner { api, types: Types::default(), way: KnownWay::default(), refresh }))
    }

    /// The Keystone that lets us in, if one does.
    pub fn keystone(&self) -> Option<&Keystone> {
        self.0.api.keystone()
    }

    async fn read<W: DeserializeOwned>(&self, ask: Ask) -> Result<W> {
        read::json(&self.0.api.ask(ask).await?)
    }

    /// Of a list without parts.
    async fn list<W: DeserializeOwned, T: From<W>>(&self, ask: Ask) -> Result<Vec<T>> {
        let wire: Vec<W> = self.read(ask).await?;
        Ok(wire.into_iter().map(Into::into).collect())
    }

    async fn done(&self, ask: Ask) -> Result<()> {
        self.0.api.ask(ask).await.map(drop)
    }

    async fn fetch_type(&self, name: &str) -> Result<ResourceType> {
        let Some(segment) = in_path(name) else {
            let types: Vec<ResourceType> = self.resource_types().await?;
            let found = types.into_iter().find(|it| it.name == name);
            return found.ok_or_else(|| Error::NoSuchResourceType(name.into()));
        };
        let wire: WireType =
            self.read(Ask::get("read a resource type", format!("resource_type/{segment}"))).await?;
        let resource_type = wire.into();
        self.0.types.keep(&resource_type);
        Ok(resource_type)
    }

    /// The kinds of the attributes of these resources.
    fn known_kinds<'a>(&self, resources: impl Iterator<Item = &'a WireResource>) -> (Kinds, Vec<String>) {
        let (mut kinds, mut unknown) = (Kinds::new(), Vec::new());
        for resource in resources.filter(|resource| resource.has_attributes()) {
            let name = &resource.resource_type;
            let known = kinds.get(name).cloned().or_else(|| self.0.types.get(name));
            match known.filter(|known| resource.fits(known)) {
                Some(known) => drop(kinds.insert(name.clone(), known)),
                None if !unknown.contains(name) => unknown.push(name.clone()),
                None => {}
            }
        }
        (kinds, unknown)
    }

    /// With the types that are not known yet. One that is gone by now is left out.
    async fn learn(&self, (mut kinds, unknown): (Kinds, Vec<String>)) -> Result<Kinds> {
        for name in unknown {
            match self.fetch_type(&name).await {
                Ok(resource_type) => drop(kinds.insert(name, Arc::new(resource_type))),
                Err(Error::NoSuchResourceType(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(kinds)
    }
}

/// A name that has to stand in a path, for a change: what has no path cannot be changed.
fn segment(what: &str, name: &str) -> Result<String> {
    in_path(name)
        .ok_or_else(|| Error::Invalid(format!("Gnocchi's API has no path for {what} called `{name}'")))
}

impl Gnocchi for Remote {
    fn archive_policies(&self) -> BoxFuture<'_, Result<Vec<ArchivePolicy>>> {
        Box::pin(async {
            let ask = Ask::get("list archive policies", "archive_policy");
            let mut policies: Vec<ArchivePolicy> = self.list::<WirePolicy, _>(ask).await?;
            // Gnocchi has them in the order of its database.
            policies.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(policies)
        })
    }

    fn archive_policy<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<ArchivePolicy>> {
        Box::pin(async move {
            let Some(segment) = in_path(name) else {
                let found = self.archive_policies().await?.into_iter().find(|policy| policy.name == name);
                return found.ok_or_else(|| Error::NoSuchArchivePolicy(name.into()));
            };
            let ask = Ask::get("read an archive policy", format!("archive_policy/{segment}"));
            self.read::<WirePolicy>(ask).await.map(Into::into)
        })
    }

    fn create_archive_policy(&self, policy: ArchivePolicy) -> BoxFuture<'_, Result<ArchivePolicy>> {
        Box::pin(async move {
            let ask = Ask::post("make an archive policy", "archive_policy").json(&write::policy(&policy));
            self.read::<WirePolicy>(ask).await.map(Into::into)
        })
    }

    fn update_archive_policy<'a>(
        &'a self,
        name: &'a str,
        definition: Vec<Definition>,
        back_window: Option<u32>,
    ) -> BoxFuture<'a, Result<ArchivePolicy>> {
        Box::pin(async move {
            let path = format!("archive_policy/{}", segment("an archive policy", name)?);
            let ask = Ask::patch("change an archive policy", path).repeatable();
            let ask = ask.json(&write::policy_change(&definition, back_window));
            self.read::<WirePolicy>(ask).await.map(Into::into)
        })
    }

    fn delete_archive_policy<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let path = format!("archive_policy/{}", segment("an archive policy", name)?);
            self.done(Ask::delete("delete an archive policy", path)).await
        })
    }

    fn archive_policy_rules(&self) -> BoxFuture<'_, Result<Vec<ArchivePolicyRule>>> {
        Box::pin(self.list::<WireRule, _>(Ask::get("list archive policy rules", "archive_policy_rule")))
    }

    fn archive_policy_rule<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<ArchivePolicyRule>> {
        Box::pin(async move {
            let Some(segment) = in_path(name) else {
                let found = self.archive_policy_rules().await?.into_iter().find(|rule| rule.name == name);
                return found.ok_or_else(|| Error::NoSuchArchivePolicyRule(name.into()));
            };
            let ask = Ask::get("read an archive policy rule", format!("archive_policy_rule/{segment}"));
            self.read::<WireRule>(ask).await.map(Into::into)
        })
    }

    fn create_archive_policy_rule(&self, rule: ArchivePolicyRule) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let ask = Ask::post("make an archive policy rule", "archive_policy_rule");
            self.done(ask.json(&write::rule(&rule))).await
        })
    }

    fn rename_archive_policy_rule<'a>(
        &'a self,
        name: &'a str,
        new_name: &'a str,
    ) -> BoxFuture<'a, Result<ArchivePolicyRule>> {
        Box::pin(async move {
            let path = format!("archive_policy_rule/{}", segment("an archive policy rule", name)?);
            let ask = Ask::patch("rename an archive policy rule", path);
            let ask = ask.json(&serde_json::json!({ "name": new_name }));
            self.read::<WireRule>(ask).await.map(Into::into)
        })
    }

    fn delete_archive_policy_rule<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let path = format!("archive_policy_rule/{}", segment("an archive policy rule", name)?);
            self.done(Ask::delete("delete an archive policy rule", path)).await
        })
    }

    fn resource_types(&self) -> BoxFuture<'_, Result<Vec<ResourceType>>> {
        Box::pin(self.list::<WireType, _>(Ask::get("list resource types", "resource_type")))
    }

    fn resource_type<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<ResourceType>> {
        Box::pin(self.fetch_type(name))
    }

    fn create_resource_type(&self, resource_type: ResourceType) -> BoxFuture<'_, Result<ResourceType>> {
        Box::pin(async move {
            self.0.types.forget(&resource_type.name);
            let ask = Ask::post("make a resource type", "resource_type")
                .json(&write::resource_type(&resource_type));
            self.read::<WireType>(ask).await.map(Into::into)
        })
    }

    fn update_resource_type<'a>(
        &'a self,
        name: &'a str,
        change: TypeChange,
    ) -> BoxFuture<'a, Result<ResourceType>> {
        Box::pin(async move {
            let path = format!("resource_type/{}", segment("a resource type", name)?);
            self.0.types.forget(name);
            let mut ask = Ask::patch("change a resource type", path);
            ask = ask.body(JSON_PATCH, write::patch(&change).to_string());
            // What is gone cannot be taken away once more.
            if change.remove.is_empty() {
                ask = ask.repeatable();
            }
            self.read::<WireType>(ask).await.map(Into::into)
        })
    }

    fn delete_resource_type<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let path = format!("resource_type/{}", segment("a resource type", name)?);
            self.0.types.forget(name);
            self.done(Ask::delete("delete a resource type", path)).await
        })
    }

    fn resources<'a>(
        &'a self,
        resource_type: &'a str,
        selection: &'a ResourceSelection,
    ) -> BoxFuture<'a, Result<Vec<Resource>>> {
        Box::pin(self.find_resources(resource_type, selection))
    }

    fn resource<'a>(&'a self, resource_type: &'a str, id: &'a str) -> BoxFuture<'a, Result<Resource>> {
        Box::pin(self.read_resource(resource_type, id))
    }

    fn history<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
        page: &'a Page,
    ) -> BoxFuture<'a, Result<Vec<Resource>>> {
        Box::pin(self.read_history(resource_type, id, page))
    }

    fn create_resource<'a>(
        &'a self,
        resource_type: &'a str,
        resource: NewResource,
    ) -> BoxFuture<'a, Result<Resource>> {
        Box::pin(self.make_resource(resource_type, resource))
    }

    fn update_resource<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
        change: ResourceChange,
    ) -> BoxFuture<'a, Result<Resource>> {
        Box::pin(self.change_resource(resource_type, id, change))
    }

    fn add_metrics<'a>(
        &'a self,
        resource_type: &'a str,
        id: &'a str,
        metrics: Vec<(String, NamedMetric)>,
    ) -> BoxFuture<'a, Result<Resource>> {
        Box::pin(self.give_metrics(resource_type, id, metrics))
    }

    fn delete_resource<'a>(&'a self, resource_type: &'a str, id: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let path = self.path_of(resource_type, id).await?;
            self.done(Ask::delete("delete a resource", path)).await
        })
    }

    fn delete_resources<'a>(
        &'a self,
        resource_type: &'a str,
        filter: &'a Filter,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.delete_all(resource_type, filter))
    }

    fn metrics<'a>(&'a self, choice: &'a MetricChoice) -> BoxFuture<'a, Result<Vec<Metric>>> {
        Box::pin(self.choose_metrics(choice))
    }

    fn metric(&self, id: Uuid) -> BoxFuture<'_, Result<Metric>> {
        Box::pin(self.read_metric(id))
    }

    fn create_metric(&self, metric: NewMetric) -> BoxFuture<'_, Result<Metric>> {
        Box::pin(self.make_metric(metric))
    }

    fn delete_metric(&self, id: Uuid) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.done(Ask::delete("delete a metric", format!("metric/{id}"))))
    }

    fn add_measures(&self, measures: MetricMeasures) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.store_measures(&measures).await })
    }

    fn add_resource_measures(
        &self,
        measures: Vec<ResourceMeasures>,
        create_metrics: bool,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.store_resource_measures(&measures, create_metrics).await })
    }

    fn measures<'a>(&'a self, metric: Uuid, range: &'a Range) -> BoxFuture<'a, Result<Vec<Point>>> {
        Box::pin(self.read_measures(metric, range))
    }

    fn aggregates<'a>(&'a self, query: &'a AggregatesQuery) -> BoxFuture<'a, Result<AggregatesAnswer>> {
        Box::pin(self.calculate(query))
    }
}
