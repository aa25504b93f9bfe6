//! How to log in, as the options of a connection string say.

use nephoscope_telemetry::{ConnectionString, Result};
use serde_json::{Value, json};

/// The options of a connection string that this reads.
pub const OPTIONS: [&str; 7] = [
    "application_credential",
    "application_credential_secret",
    "auth_url",
    "project",
    "project_domain",
    "token",
    "user_domain",
];

/// The domain of a new Keystone.
const DEFAULT_DOMAIN: &str = "Default";

/// What is sent to log in, and where. Holds secrets, so it is not shown.
pub(crate) struct Login {
    /// The address of Keystone with its version, without a slash at the end.
    pub(crate) url: String,
    /// The body of the request.
    pub(crate) body: Value,
    /// What must not be repeated.
    pub(crate) secret: String,
}

impl Login {
    /// Nothing without `auth_url`.
    pub(crate) fn read(to: &ConnectionString) -> Result<Option<Self>> {
        let Some(url) = to.option("auth_url") else { return Ok(None) };
        let (identity, secret) = identity(to)?;
        let mut auth = json!({ "identity": identity });
        // An application credential is of one project already.
        if let Some(project) = to.option("project").filter(|_| to.option("application_credential").is_none())
        {
            let domain = to.option("project_domain").unwrap_or(DEFAULT_DOMAIN);
            auth["scope"] = json!({ "project": { "name": project, "domain": { "name": domain } } });
        }
        Ok(Some(Self { url: versioned(to, url)?, body: json!({ "auth": auth }), secret: secret.into() }))
    }
}

fn identity(to: &ConnectionString) -> Result<(Value, &str)> {
    if let Some(token) = to.option("token") {
        return Ok((json!({ "methods": ["token"], "token": { "id": token } }), token));
    }
    if let Some(id) = to.option("application_credential") {
        let secret = to.option("application_credential_secret");
        let secret = secret.ok_or_else(|| {
            to.wrong("option `application_credential` needs `application_credential_secret`")
        })?;
        let credential = json!({ "id": id, "secret": secret });
        let methods = ["application_credential"];
        return Ok((json!({ "methods": methods, "application_credential": credential }), secret));
    }
    let (Some(user), Some(password)) = (to.user(), to.password()) else {
        return Err(to.wrong(
            "Keystone wants a user and a password, or option `token`, or options `application_credential` and \
             `application_credential_secret`",
        ));
    };
    let domain = to.option("user_domain").unwrap_or(DEFAULT_DOMAIN);
    let user = json!({ "name": user, "domain": { "name": domain }, "password": password });
    Ok((json!({ "methods": ["password"], "password": { "user": user } }), password))
}

/// People write the address with the version and without it.
fn versioned(to: &ConnectionString, url: &str) -> Result<String> {
    let url = url.trim_end_matches('/');
    if url.ends_with("/v2.0") {
        return Err(
            to.wrong("option `auth_url` names version 2 of Keystone's API, which no Keystone of today has")
        );
    }
    Ok(if url.ends_with("/v3") { url.into() } else { format!("{url}/v3") })
}
