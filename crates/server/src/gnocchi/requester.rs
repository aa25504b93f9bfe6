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
        Ok(Self { identity: door.settings.auth.identify(parts), door: door.clone() })
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
        Ok(self.door.policy.allows(action, self.identity()?, &target))
    }

    /// Which resources they may do that with; nothing, where it is all of them.
    pub(super) fn resources_of_theirs(&self, action: Action) -> Result<Option<Filter>, Fault> {
        if !self.door.settings.auth.has_projects() || self.may(action, Target::Nothing)? {
            return Ok(None);
        }
        let project = self.identity()?.project_id.clone().unwrap_or_default();
        let mut own = Vec::new();
        if self.may(action, Target::Anything(&[("project_id", &project)]))? {
            let project = Value::String(project.clone());
            own.push(Filter::Compare(Comparison::Equal, "project_id".into(), project));
        }
        if self.may(action, Target::Anything(&[("created_by_project_id", &project)]))? {
            own.push(created_in(&project));
        }
        if own.is_empty() {
            return Err(Fault::new(StatusCode::FORBIDDEN, "Insufficient privileges"));
        }
        Ok(Some(Filter::Or(own)))
    }

    /// Which metrics they may list, by themselves and by their resources; nothing, where it is all of them.
    pub(super) fn metrics_of_theirs(&self) -> Result<(Option<Filter>, Option<Filter>), Fault> {
        let action = Action::ListMetric;
        if !self.door.settings.auth.has_projects() || self.may(action, Target::Nothing)? {
            return Ok((None, None));
        }
        let project = self.identity()?.project_id.clone().unwrap_or_default();
        let by_creator = self.may(action, Target::Anything(&[("created_by_project_id", &project)]))?;
        let by_resource = self.may(action, Target::Anything(&[("resource.project_id", &project)]))?;
        let resource =
            || Filter::Compare(Comparison::Equal, "project_id".into(), Value::String(project.clone()));
        match (by_creator, by_resource) {
            (true, _) => Ok((Some(created_in(&project)), None)),
            (false, true) => Ok((None, Some(resource()))),
            (false, false) => Err(Fault::new(StatusCode::FORBIDDEN, "Insufficient privileges")),
        }
    }

    /// Refuses, if they may not do that with this.
    pub(super) fn enforce(&self, action: Action, target: Target<'_>) -> Result<(), Fault> {
        if self.may(action, target)? { Ok(()) } else { Err(Fault::bare(StatusCode::FORBIDDEN)) }
    }
}

/// What users of a project made.
fn created_in(project: &str) -> Filter {
    Filter::Like("creator".into(), format!("%:{project}"))
}
