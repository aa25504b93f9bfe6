//! What events say of resources.

use std::time::{SystemTime, UNIX_EPOCH};

use nephoscope_gnocchi::{
    Error as GnocchiError, Filter, Gnocchi, NewResource, ResourceChange, ResourceSelection, Timestamp,
};
use nephoscope_resource_types::{Associated, Change, Lifecycle, ResourceTypes};
use nephoscope_telemetry::{Event, Result, json};

use super::attributes::Kinds;
use super::failure;

/// Does what an event means. Why it cannot be done, when it never can.
pub(super) async fn apply(
    gnocchi: &dyn Gnocchi,
    kinds: &Kinds,
    types: &ResourceTypes,
    event: &Event,
) -> Result<Option<String>> {
    let lifecycle = match types.lifecycle(event) {
        Ok(Some(lifecycle)) => lifecycle,
        Ok(None) => return Ok(None),
        Err(bad) => return Ok(Some(format!("it does not say what it has to: {bad}"))),
    };
    let done = match lifecycle.change {
        Change::Create => create(gnocchi, kinds, &lifecycle).await,
        Change::Update => change_all(gnocchi, &lifecycle, change_of(kinds, &lifecycle)).await,
        Change::End => {
            let ended = ResourceChange { ended_at: Some(Some(now())), ..ResourceChange::default() };
            change_all(gnocchi, &lifecycle, ended).await
        }
    };
    match done {
        Ok(()) => Ok(None),
        Err(error) if failure::is_about_the_resource(&error) => Ok(Some(error.to_string())),
        Err(error) => Err(failure::of_gnocchi(error)),
    }
}

async fn create(
    gnocchi: &dyn Gnocchi,
    kinds: &Kinds,
    lifecycle: &Lifecycle<'_>,
) -> nephoscope_gnocchi::Result<()> {
    let new = NewResource {
        id: lifecycle.id.replace('/', "_"),
        user_id: text(lifecycle, "user_id"),
        project_id: text(lifecycle, "project_id"),
        attributes: kinds.values(lifecycle.resource_type, &lifecycle.attributes),
        ..NewResource::default()
    };
    match gnocchi.create_resource(lifecycle.resource_type, new).await {
        Ok(_) | Err(GnocchiError::ResourceAlreadyExists(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

fn change_of(kinds: &Kinds, lifecycle: &Lifecycle<'_>) -> ResourceChange {
    ResourceChange {
        user_id: text(lifecycle, "user_id").map(Some),
        project_id: text(lifecycle, "project_id").map(Some),
        attributes: kinds.values(lifecycle.resource_type, &lifecycle.attributes),
        ..ResourceChange::default()
    }
}

/// Changes the resource and those that share its fate. One that is not there is passed over.
async fn change_all(
    gnocchi: &dyn Gnocchi,
    lifecycle: &Lifecycle<'_>,
    change: ResourceChange,
) -> nephoscope_gnocchi::Result<()> {
    let id = lifecycle.id.replace('/', "_");
    change_one(gnocchi, lifecycle.resource_type, &id, change.clone()).await?;
    for associated in &lifecycle.associated {
        for id in found(gnocchi, associated).await? {
            change_one(gnocchi, associated.resource_type, &id, change.clone()).await?;
        }
    }
    Ok(())
}

async fn change_one(
    gnocchi: &dyn Gnocchi,
    resource_type: &str,
    id: &str,
    change: ResourceChange,
) -> nephoscope_gnocchi::Result<()> {
    match gnocchi.update_resource(resource_type, id, change).await {
        Ok(_) | Err(GnocchiError::NoSuchResource(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn found(
    gnocchi: &dyn Gnocchi,
    associated: &Associated<'_>,
) -> nephoscope_gnocchi::Result<Vec<String>> {
    let invalid = |error: &dyn std::fmt::Display| {
        GnocchiError::Invalid(format!("the query {} for associated resources: {error}", associated.query))
    };
    let query = serde_json::from_str(associated.query.as_str()).map_err(|error| invalid(&error))?;
    let filter = Filter::from_json(&query).map_err(|error| invalid(&error))?;
    let selection = ResourceSelection { filter: Some(filter), ..ResourceSelection::default() };
    let found = gnocchi.resources(associated.resource_type, &selection).await?;
    Ok(found.into_iter().map(|resource| resource.id.to_string()).collect())
}

fn text(lifecycle: &Lifecycle<'_>, name: &str) -> Option<String> {
    lifecycle.attributes.get(name).and_then(json::decode).map(std::borrow::Cow::into_owned)
}

/// As Ceilometer: when it is learned, which is never before the resource began.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
