//! A request's user: what they may do, and Gnocchi as they see it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use nephoscope_gnocchi::{Comparison, Creator, Filter, Gnocchi, Value};

use super::Door;
use super::fault::Fault;
use super::identity::Identity;
use super::policy::{Action, Target};

/// Who asks. To be unknown is a fault only for what needs to know them.
#[derive(Debug)]
pub(super) struct Requester {
    identity: Result<Identity, Fault>,
    door: Arc<Door>,
}

impl FromRequestParts<Arc<Door>> for Requester {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Infallible> {
        let known = parts.extensions.get().cloned();
        let identity = known.map_or_else(|| door.settings.auth.identify(&parts.headers), Ok);
        Ok(Self { identity, door: door.clone() })
    }
}

impl Requester {
    /// Who they are.
    pub(super) fn identity(&self) -> Result<&Identity, Fault> {
        self.identity.as_ref().map_err(Clone::clone)
    }

    /// Gnocchi as they see it: what they make is theirs.
    pub(super) fn gnocchi(&self) -> Result<Arc<dyn Gnocchi>, Fault> {
        Ok((self.door.gnocchi)(self.identity()?.creator()))
    }

    /// Gnocchi for what anybody may see, even who does not say who they are.
    pub(super) fn gnocchi_for_anybody(&self) -> Arc<dyn Gnocchi> {
        let creator = self.identity.as_ref().map_or_else(|_| Creator::default(), Identity::creator);
        (self.door.gnocchi)(creator)
    }

    /// Whether they may do that with this.
    pub(super) fn may(&self, action: Action, target: Target<'_>) -> Result<bool, Fault> {
        Ok(self.door.settings.policy.allows(action, self.identity()?, &target))
    }

    /// Whether they may do that with whatever it is.
    pub(super) fn may_with_all(&self, action: Action) -> Result<bool, Fault> {
        Ok(self.door.settings.policy.allows_all(action, self.identity()?))
    }

    /// Which resources of a type they may do that with; nothing, where it is all of them.
    pub(super) fn resources_of_theirs(
        &self,
        action: Action,
        resource_type: &str,
    ) -> Result<Option<Filter>, Fault> {
        let of_type = ("resource_type", resource_type);
        if !self.door.settings.auth.has_projects() || self.may(action, Target::Anything(&[of_type]))? {
            return Ok(None);
        }
        let project = self.project()?;
        let may = |property| self.may(action, Target::Anything(&[of_type, (property, project)]));
        let (owned, created) = (may("project_id")?, may("created_by_project_id")?);
        either(owned.then(|| is("project_id", project)), created.then(|| created_in("creator", project)))
            .map(Some)
    }

    /// Which metrics they may list, by themselves and by their resources; nothing, where it is all of them. As in Gnocchi,
    /// which looks at the resource of each, those without any are not listed to who may not list all.
    pub(super) fn metrics_of_theirs(&self) -> Result<Option<Filter>, Fault> {
        let action = Action::ListMetric;
        if !self.door.settings.auth.has_projects() || self.may(action, Target::Nothing)? {
            return Ok(None);
        }
        let project = self.project()?;
        let may = |property| self.may(action, Target::Anything(&[(property, project)]));
        let (created, owned) = (may("created_by_project_id")?, may("resource.project_id")?);
        if !created && !owned {
            return Err(insufficient());
        }
        let of_created = may("resource.created_by_project_id")?;
        let of_resource = either(
            owned.then(|| is("resource.project_id", project)),
            of_created.then(|| created_in("resource.creator", project)),
        )?;
        let allowed =
            if created { Filter::Or(vec![created_in("creator", project), of_resource]) } else { of_resource };
        let alone = Filter::Compare(Comparison::Equal, "resource_id".into(), Value::Null);
        Ok(Some(Filter::And(vec![Filter::Not(Box::new(alone)), allowed])))
    }

    fn project(&self) -> Result<&str, Fault> {
        Ok(self.identity()?.project_id.as_deref().unwrap_or_default())
    }

    /// Refuses, if they may not do that with this.
    pub(super) fn enforce(&self, action: Action, target: Target<'_>) -> Result<(), Fault> {
        if self.may(action, target)? { Ok(()) } else { Err(Fault::bare(StatusCode::FORBIDDEN)) }
    }
}

fn is(attribute: &str, value: &str) -> Filter {
    Filter::Compare(Comparison::Equal, attribute.into(), Value::String(value.into()))
}

/// What users of a project made, by the attribute that tells the creator.
fn created_in(attribute: &str, project: &str) -> Filter {
    Filter::Like(attribute.into(), format!("%:{project}"))
}

/// What one of them takes. Without either nothing may be seen.
fn either(one: Option<Filter>, other: Option<Filter>) -> Result<Filter, Fault> {
    let filters: Vec<_> = one.into_iter().chain(other).collect();
    if filters.is_empty() { Err(insufficient()) } else { Ok(Filter::Or(filters)) }
}

fn insufficient() -> Fault {
    Fault::new(StatusCode::FORBIDDEN, "Insufficient privileges")
}
