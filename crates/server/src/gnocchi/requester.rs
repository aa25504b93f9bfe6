//! A request's user: what they may do, and Gnocchi as they see it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use nephoscope_gnocchi::{Creator, Gnocchi};

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

    /// Refuses, if they may not do that with this.
    pub(super) fn enforce(&self, action: Action, target: Target<'_>) -> Result<(), Fault> {
        if self.may(action, target)? { Ok(()) } else { Err(Fault::bare(StatusCode::FORBIDDEN)) }
    }
}
