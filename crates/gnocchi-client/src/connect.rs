//! Where a Gnocchi is, and how to log in to it.

use nephoscope_http::header::{AUTHORIZATION, HeaderName};
use nephoscope_http::{Http, OPTIONS, basic_auth};
use nephoscope_keystone::{ENDPOINT_OPTIONS, Keystone, refuse_options, with_cloud};
use nephoscope_telemetry::{ConnectionString, Result};

use crate::Remote;
use crate::api::Api;

/// What it is called in errors.
const BACKEND: &str = "Gnocchi";
const PORT: u16 = 8041;
/// What OpenStack calls the service, and what some clouds call it.
const SERVICE_TYPES: [&str; 2] = ["metric", "gnocchi"];
/// Who one is without saying so, as for Gnocchi's own client.
const SOMEBODY: &str = "admin";
const ADMIN_ROLE: &str = "admin";
/// The options that only this reads.
const OWN_OPTIONS: [&str; 2] = ["auth", "refresh"];

/// How to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Auth {
    Keystone,
    Basic,
    None,
}

/// The Gnocchi that a connection string names: see the [crate] for what may stand in it. Keystone is asked for its
/// address where it names no host; Gnocchi itself is asked nothing yet.
pub async fn connect(to: &ConnectionString) -> Result<Remote> {
    let to = &with_cloud(to)?;
    let of_keystone = [nephoscope_keystone::OPTIONS.as_slice(), &ENDPOINT_OPTIONS].concat();
    to.expect_options(&[OPTIONS.as_slice(), &of_keystone, &OWN_OPTIONS].concat())?;
    let refresh = to.flag("refresh")?;
    let auth = auth(to)?;
    match auth {
        Auth::Keystone => {}
        Auth::Basic => refuse_options(to, None)?,
        Auth::None => refuse_options(to, Some("project_id"))?,
    }
    let mut headers = Vec::new();
    let (http, keystone) = match auth {
        Auth::Keystone => {
            let keystone = Keystone::of(to)?.ok_or_else(|| {
                to.wrong("`auth=keystone` wants to know where Keystone is: option `auth_url`")
            })?;
            let address = keystone.address(to, &SERVICE_TYPES, PORT).await?;
            // Some catalogs have it with the version that we add.
            let address = address.strip_suffix("/v1").unwrap_or(&address);
            (Http::at(BACKEND, to, address)?, Some(keystone))
        }
        Auth::Basic => (with_basic_auth(here(to)?, to)?, None),
        Auth::None => {
            headers = identity(to)?;
            (here(to)?, None)
        }
    };
    Ok(Remote::new(Api::new(http, keystone, headers), refresh))
}

fn auth(to: &ConnectionString) -> Result<Auth> {
    match to.option("auth") {
        Some("keystone") => Ok(Auth::Keystone),
        Some("basic") => Ok(Auth::Basic),
        Some("none") => Ok(Auth::None),
        Some(_) => Err(to.wrong("option `auth` is `keystone`, `basic` or `none`")),
        None if to.option("auth_url").is_some() => Ok(Auth::Keystone),
        None => Ok(Auth::Basic),
    }
}

/// The Gnocchi at the address that is given.
fn here(to: &ConnectionString) -> Result<Http> {
    let prefix = format!("/{}", to.database().unwrap_or_default());
    Http::new(BACKEND, to, to.scheme().ends_with("+https"), PORT, &prefix)
}

/// The password is sent, though Gnocchi does not look at it: a proxy before it may.
fn with_basic_auth(http: Http, to: &ConnectionString) -> Result<Http> {
    let user = to.user().unwrap_or(SOMEBODY);
    if user.contains(':') {
        return Err(to.wrong("a user of HTTP's basic authentication has no `:` in their name"));
    }
    let login = basic_auth(user, to.password().unwrap_or_default());
    Ok(http.with_header(AUTHORIZATION, &login))
}

/// The headers that Keystone's middleware makes of a token.
fn identity(to: &ConnectionString) -> Result<Vec<(HeaderName, String)>> {
    if to.password().is_some() {
        return Err(to.wrong("with `auth=none` there is no password"));
    }
    let user = to.user().unwrap_or(SOMEBODY);
    let all =
        [("x-user-id", Some(user)), ("x-project-id", to.option("project_id")), ("x-roles", Some(ADMIN_ROLE))];
    let given =
        all.into_iter().filter_map(|(name, value)| Some((HeaderName::from_static(name), value?.to_owned())));
    let given: Vec<_> = given.collect();
    if given.iter().any(|(_, value)| !value.bytes().all(|byte| byte.is_ascii_graphic())) {
        return Err(to.wrong("with `auth=none` user and project are ids: letters, digits and signs"));
    }
    Ok(given)
}
