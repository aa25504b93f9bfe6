//! Measures that come in by other protocols, whose resources and metrics are made as they come.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use nephoscope_gnocchi::{
    AttributeValue, Error, NewResource, ResourceMeasures, ResourceType, SchemaError, resource_uuid,
};
use serde_json::json;

use super::super::fault::Fault;
use super::super::policy::{Action, Target};
use super::super::requester::Requester;
use super::{batch, resources};

/// Measures of resources of one type.
pub(super) struct Arrivals<'a> {
    /// Their type.
    pub(super) resource_type: &'a str,
    /// What the type is like, where it is to be made if it is not there.
    pub(super) made_as: Option<ResourceType>,
    /// Measures of each resource, with the attributes of one that is to be made.
    pub(super) resources: Vec<(ResourceMeasures, BTreeMap<String, AttributeValue>)>,
}

/// Stores measures, whose metrics are kept as the rules say.
pub(super) async fn store(requester: &Requester, arrivals: Arrivals<'_>) -> Result<(), Fault> {
    let gnocchi = requester.gnocchi()?;
    if let Some(made_as) = arrivals.made_as
        && let Err(Error::NoSuchResourceType(_)) = gnocchi.resource_type(arrivals.resource_type).await
    {
        requester.enforce(Action::CreateResourceType, Target::ResourceType(&made_as))?;
        match gnocchi.create_resource_type(made_as).await {
            Ok(_) | Err(Error::ResourceTypeAlreadyExists(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut measures = Vec::with_capacity(arrivals.resources.len());
    for (resource, attributes) in arrivals.resources {
        ensure(requester, arrivals.resource_type, &resource.resource_id, attributes).await?;
        measures.push(resource);
    }
    if !requester.may_with_all(Action::PostMeasures)? {
        batch::enforce_all(requester, &measures, true).await?;
    }
    gnocchi.add_resource_measures(measures, true).await.map_err(|error| match error {
        Error::NoArchivePolicyRuleMatch(name) => resources::no_rule(&name),
        other => other.into(),
    })
}

/// Makes a resource that is not there; one of another type is in the way.
async fn ensure(
    requester: &Requester,
    resource_type: &str,
    id: &str,
    attributes: BTreeMap<String, AttributeValue>,
) -> Result<(), Fault> {
    let gnocchi = requester.gnocchi()?;
    // It becomes a name in bodies, not in paths.
    let uuid = resource_uuid(id, &requester.identity()?.creator()).map_err(SchemaError::from)?;
    match gnocchi.resource(resource_type, id).await {
        Ok(resource) => return requester.enforce(Action::UpdateResource, Target::Resource(&resource)),
        Err(Error::NoSuchResource(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let resource = NewResource { id: id.to_owned(), attributes, ..NewResource::default() };
    requester.enforce(Action::CreateResource, Target::NewResource(resource_type, &resource))?;
    match gnocchi.create_resource(resource_type, resource).await {
        Ok(_) => Ok(()),
        // Somebody else may have made it just now.
        Err(Error::ResourceAlreadyExists(_)) if gnocchi.resource(resource_type, id).await.is_ok() => Ok(()),
        Err(Error::ResourceAlreadyExists(_)) => Err(Fault::described(
            StatusCode::CONFLICT,
            json!({ "cause": "Resource already exists", "detail": uuid.to_string() }),
        )),
        Err(error) => Err(error.into()),
    }
}
