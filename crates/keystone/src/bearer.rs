//! Who has a token, as Keystone tells a service that was shown it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nephoscope_http::Answer;
use nephoscope_telemetry::{Result, Timestamp};
use serde::Deserialize;

/// Who has a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The user.
    pub user_id: String,
    /// The project that the token is for, if it is for one.
    pub project_id: Option<String>,
    /// The domain that the token is for, if it is for one.
    pub domain_id: Option<String>,
    /// The names of their roles there.
    pub roles: Vec<String>,
    /// For how long the token will still do, by our clock; nothing for one that has ended.
    pub lasts: Duration,
}

#[derive(Deserialize)]
struct Body {
    token: Token,
}

#[derive(Deserialize)]
struct Token {
    expires_at: String,
    user: Thing,
    project: Option<Thing>,
    domain: Option<Thing>,
    #[serde(default)]
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct Thing {
    id: String,
}

#[derive(Deserialize)]
struct Role {
    name: String,
}

impl Bearer {
    /// Reads the answer to a token that was shown.
    pub(crate) fn read(answer: &Answer) -> Result<Self> {
        let Body { token } = answer.json()?;
        let expires = Timestamp::parse(&token.expires_at).map_err(|error| answer.strange(&error))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let expires = Duration::from_micros(u64::try_from(expires.as_micros()).unwrap_or(0));
        Ok(Self {
            user_id: token.user.id,
            project_id: token.project.map(|project| project.id),
            domain_id: token.domain.map(|domain| domain.id),
            roles: token.roles.into_iter().map(|role| role.name).collect(),
            lasts: expires.saturating_sub(now),
        })
    }
}
