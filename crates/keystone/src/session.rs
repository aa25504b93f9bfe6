//! What a login gives.

use std::fmt;
use std::time::{Duration, Instant};

use nephoscope_http::Answer;
use nephoscope_telemetry::{Result, Timestamp};
use serde::Deserialize;

use crate::Service;
use crate::catalog::Catalog;

/// A token is not used in its last minute: a request that takes it along may be on its way for a while.
const MARGIN: Duration = Duration::from_secs(60);

/// A token with its catalog.
pub struct Session {
    token: String,
    catalog: Catalog,
    /// When it is time for another one.
    renewal: Instant,
}

#[derive(Deserialize)]
struct Body {
    token: Token,
}

#[derive(Deserialize)]
struct Token {
    issued_at: String,
    expires_at: String,
    #[serde(default)]
    catalog: Catalog,
}

impl Session {
    /// Reads the answer to a login that was sent at this time.
    pub(crate) fn read(answer: &Answer, sent: Instant) -> Result<Self> {
        let Body { token } = answer.json()?;
        let time = |text: &str| Timestamp::parse(text).map_err(|error| answer.strange(&error));
        // By Keystone's clock, which may not be ours.
        let lasts = time(&token.expires_at)?.as_micros() - time(&token.issued_at)?.as_micros();
        let lasts = Duration::from_micros(u64::try_from(lasts).unwrap_or(0));
        let text = answer.header("x-subject-token").filter(|token| !token.is_empty());
        let text = text.ok_or_else(|| answer.strange(&"it gives no token"))?;
        Ok(Self {
            token: text.into(),
            catalog: token.catalog,
            renewal: sent + lasts.saturating_sub(MARGIN.min(lasts / 2)),
        })
    }

    /// The token, for the header `X-Auth-Token`. Not to be shown.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Where a service is, without a slash at the end.
    pub fn endpoint(&self, service: &Service<'_>) -> Result<&str> {
        self.catalog.endpoint(service)
    }

    pub(crate) fn is_fresh(&self) -> bool {
        Instant::now() < self.renewal
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("catalog", &self.catalog).finish_non_exhaustive()
    }
}
