//! How to log in, as the options of a connection string say.

use nephoscope_telemetry::{ConnectionString, Result};
use serde_json::{Value, json};

/// The options of a connection string that this reads.
pub const OPTIONS: [&str; 15] = [
    "application_credential",
    "application_credential_name",
    "application_credential_secret",
    "auth_url",
    "cloud",
    "password",
    "project",
    "project_domain",
    "project_domain_id",
    "project_id",
    "token",
    "user_domain",
    "user_domain_id",
    "user_id",
    "username",
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
        let is_credential = identity["methods"][0] == "application_credential";
        if let Some(project) = project(to).filter(|_| !is_credential) {
            auth["scope"] = json!({ "project": project });
        }
        Ok(Some(Self { url: versioned(to, url)?, body: json!({ "auth": auth }), secret: secret.into() }))
    }
}

/// The project, where one is named: by its id, or by its name in a domain.
fn project(to: &ConnectionString) -> Option<Value> {
    if let Some(id) = to.option("project_id") {
        return Some(json!({ "id": id }));
    }
    let name = to.option("project")?;
    Some(json!({ "name": name, "domain": domain(to, "project_domain", "project_domain_id") }))
}

/// A domain, by its id or its name.
fn domain(to: &ConnectionString, name: &str, id: &str) -> Value {
    match to.option(id) {
        Some(id) => json!({ "id": id }),
        None => json!({ "name": to.option(name).unwrap_or(DEFAULT_DOMAIN) }),
    }
}

fn identity(to: &ConnectionString) -> Result<(Value, &str)> {
    if let Some(token) = to.option("token") {
        return Ok((json!({ "methods": ["token"], "token": { "id": token } }), token));
    }
    if let Some(mut credential) = credential(to)? {
        let secret = to.option("application_credential_secret");
        let secret = secret.ok_or_else(|| {
            to.wrong("option `application_credential` needs `application_credential_secret`")
        })?;
        credential["secret"] = secret.into();
        let methods = ["application_credential"];
        return Ok((json!({ "methods": methods, "application_credential": credential }), secret));
    }
    let (Some(mut user), Some(password)) = (user(to), to.password().or(to.option("password"))) else {
        return Err(to.wrong(
            "Keystone wants a user and a password, or option `token`, or options `application_credential` and \
             `application_credential_secret`",
        ));
    };
    user["password"] = password.into();
    Ok((json!({ "methods": ["password"], "password": { "user": user } }), password))
}

/// The user, by their id or by their name in a domain.
fn user(to: &ConnectionString) -> Option<Value> {
    if let Some(id) = to.option("user_id") {
        return Some(json!({ "id": id }));
    }
    let name = to.user().or(to.option("username"))?;
    Some(json!({ "name": name, "domain": domain(to, "user_domain", "user_domain_id") }))
}

/// An application credential, by its id or by the name that its user gave it.
fn credential(to: &ConnectionString) -> Result<Option<Value>> {
    if let Some(id) = to.option("application_credential") {
        return Ok(Some(json!({ "id": id })));
    }
    let Some(name) = to.option("application_credential_name") else { return Ok(None) };
    let user = user(to).ok_or_else(|| to.wrong("option `application_credential_name` needs its user"))?;
    Ok(Some(json!({ "name": name, "user": user })))
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
