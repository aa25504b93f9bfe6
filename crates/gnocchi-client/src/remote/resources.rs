//! Resources.

use nephoscope_gnocchi::{
    Comparison, Error, Filter, NamedMetric, NewResource, Page, Resource, ResourceChange, ResourceSelection,
    Result, Value,
};
use serde::Deserialize;

use super::{Remote, segment};
use crate::api::{Api, Ask};
use crate::path::in_path;
use crate::read::{self, WireResource};
use crate::{pages, write};

#[derive(Deserialize)]
struct Deleted {
    deleted: u64,
}

impl Remote {
    fn api(&self) -> &Api {
        &self.0.api
    }

    /// A resource type as a segment of a path; one that cannot be one has no resources that could be asked for.
    fn type_in_path(resource_type: &str) -> Result<String> {
        segment("a resource type", resource_type)
    }

    /// The path of a resource. A text that cannot stand in it is looked up: what Gnocchi makes of it, can.
    pub(super) async fn path_of(&self, resource_type: &str, id: &str) -> Result<String> {
        let of_type = Self::type_in_path(resource_type)?;
        if let Some(id) = in_path(id) {
            return Ok(format!("resource/{of_type}/{id}"));
        }
        let none = || Error::NoSuchResource(id.into());
        if id.contains('/') {
            return Err(none());
        }
        let found = self.uuid_of(resource_type, id).await?.ok_or_else(none)?;
        Ok(format!("resource/{of_type}/{found}"))
    }

    /// The id of the resource that a text means, if there is one.
    pub(super) async fn uuid_of(&self, resource_type: &str, id: &str) -> Result<Option<uuid::Uuid>> {
        let filter = Filter::Compare(Comparison::Equal, "id".into(), Value::String(id.into()));
        let page = Page { limit: Some(1), ..Page::default() };
        let selection = ResourceSelection { filter: Some(filter), page, ..ResourceSelection::default() };
        let found: Vec<WireResource> = self.find_wire(resource_type, &selection).await?;
        Ok(found.first().map(|resource| resource.id))
    }

    async fn find_wire(
        &self,
        resource_type: &str,
        selection: &ResourceSelection,
    ) -> Result<Vec<WireResource>> {
        let of_type = Self::type_in_path(resource_type)?;
        let mut ask = match selection.filter.as_ref().filter(|filter| !filter.is_empty()) {
            None => Ask::get("list resources", format!("resource/{of_type}")),
            Some(filter) => {
                let ask = Ask::post("search resources", format!("search/resource/{of_type}"));
                ask.json(&filter.to_json()).repeatable()
            }
        };
        for (name, is_wanted) in [("details", selection.details), ("history", selection.history)] {
            if is_wanted {
                ask = ask.query(name, "true");
            }
        }
        let mut found = pages::all(self.api(), ask, &selection.page).await?;
        if selection.history {
            in_own_order(&mut found, &selection.page);
        }
        Ok(found)
    }

    pub(super) async fn find_resources(
        &self,
        resource_type: &str,
        selection: &ResourceSelection,
    ) -> Result<Vec<Resource>> {
        let found = self.find_wire(resource_type, selection).await?;
        self.described(found).await
    }

    async fn described(&self, found: Vec<WireResource>) -> Result<Vec<Resource>> {
        let kinds = self.learn(self.known_kinds(found.iter())).await?;
        Ok(found.into_iter().map(|resource| resource.into_resource(&kinds)).collect())
    }

    async fn described_one(&self, found: WireResource) -> Result<Resource> {
        let kinds = self.learn(self.known_kinds(std::iter::once(&found))).await?;
        Ok(found.into_resource(&kinds))
    }

    pub(super) async fn read_resource(&self, resource_type: &str, id: &str) -> Result<Resource> {
        let path = self.path_of(resource_type, id).await?;
        let found = self.read(Ask::get("read a resource", path)).await?;
        self.described_one(found).await
    }

    pub(super) async fn read_history(
        &self,
        resource_type: &str,
        id: &str,
        page: &Page,
    ) -> Result<Vec<Resource>> {
        let path = self.path_of(resource_type, id).await?;
        let ask =
            Ask::get("read the history of a resource", format!("{path}/history")).query("details", "true");
        let mut found = pages::all(self.api(), ask, page).await?;
        in_own_order(&mut found, page);
        self.described(found).await
    }

    pub(super) async fn make_resource(&self, resource_type: &str, resource: NewResource) -> Result<Resource> {
        let path = format!("resource/{}", Self::type_in_path(resource_type)?);
        let ask = Ask::post("make a resource", path).json(&write::new_resource(&resource));
        let made = self.read(ask).await?;
        self.described_one(made).await
    }

    pub(super) async fn change_resource(
        &self,
        resource_type: &str,
        id: &str,
        change: ResourceChange,
    ) -> Result<Resource> {
        let body = write::change(&change);
        let body = body
            .ok_or_else(|| Error::Invalid("Gnocchi's API cannot take back that a resource ended".into()))?;
        let path = self.path_of(resource_type, id).await?;
        let mut ask = Ask::patch("change a resource", &path).json(&body);
        match change.if_revision_start {
            Some(start) => {
                let answer = self.api().ask(Ask::get("read a resource", path)).await?;
                let current: WireResource = read::json(&answer)?;
                if current.revision_start != start {
                    return Err(Error::RevisionChanged);
                }
                // Should it change until Gnocchi has the request, the tag is another one.
                let etag = answer.header("etag");
                let etag = etag.ok_or_else(|| read::strange(&answer, &"it gives no entity tag"))?;
                ask = ask.if_match(Some(etag));
            }
            // Metrics are made anew each time.
            None if change.metrics.is_none() => ask = ask.repeatable(),
            None => {}
        }
        let changed = self.read(ask).await?;
        self.described_one(changed).await
    }

    pub(super) async fn give_metrics(
        &self,
        resource_type: &str,
        id: &str,
        metrics: Vec<(String, NamedMetric)>,
    ) -> Result<Resource> {
        let path = self.path_of(resource_type, id).await?;
        let body = write::named_metrics(metrics.iter().map(|(name, metric)| (name, metric)));
        self.done(Ask::post("give a resource metrics", format!("{path}/metric")).json(&body)).await?;
        let changed = self.read(Ask::get("read a resource", path)).await?;
        self.described_one(changed).await
    }

    pub(super) async fn delete_all(&self, resource_type: &str, filter: &Filter) -> Result<u64> {
        let path = format!("resource/{}", Self::type_in_path(resource_type)?);
        let ask = Ask::delete("delete resources", path).json(&filter.to_json());
        let Deleted { deleted } = self.read(ask).await?;
        Ok(deleted)
    }
}

/// Puts revisions in the order that lists of them have of their own: Gnocchi 4.7.1 loses it on the way from its
/// database, where it has to join metrics.
fn in_own_order(revisions: &mut [WireResource], page: &Page) {
    if page.sort.is_empty() {
        revisions.sort_by_key(|it| (it.revision_start, it.started_at, it.id));
    }
}
