//! Where Gnocchi is and how to log in: `[service_credentials]`, or the section that `[gnocchi] auth_section` names.
//!
//! Source: `ceilometer/gnocchi_client.py` and `ceilometer/keystone_client.py` of Ceilometer 27; the plugins of keystoneauth and
//! of python-gnocchiclient.

use super::notes::Notes;
use super::options::{Given, Options};
use super::url::{Url, word};

/// Names of an option here, and in the section: of those that are given as they are.
const TO_KEYSTONE: [(&str, &[&str]); 12] = [
    ("auth_url", &["auth_url"]),
    ("project", &["project_name", "tenant_name"]),
    ("project_id", &["project_id", "tenant_id"]),
    ("project_domain", &["project_domain_name"]),
    ("project_domain_id", &["project_domain_id"]),
    ("user_domain", &["user_domain_name"]),
    ("user_domain_id", &["user_domain_id"]),
    ("user_id", &["user_id"]),
    ("application_credential", &["application_credential_id"]),
    ("application_credential_name", &["application_credential_name"]),
    ("application_credential_secret", &["application_credential_secret"]),
    ("token", &["token"]),
];
const TLS: [(&str, &[&str]); 4] =
    [("cacert", &["cafile"]), ("cert", &["certfile"]), ("key", &["keyfile"]), ("insecure", &["insecure"])];
/// What Gnocchi's own plugin takes unless told otherwise.
const LOCAL_GNOCCHI: &str = "http://localhost:8041";
const SOMEBODY: &str = "admin";

/// The Gnocchi of Ceilometer, if it has one.
pub(super) fn gnocchi(options: &mut Options, notes: &mut Notes) -> Option<Url> {
    let default = || "service_credentials".to_owned();
    let group = options.take("gnocchi", &["auth_section"], notes).map_or_else(default, |given| given.value);
    let login = options.take(&group, &["auth_section"], notes).map_or(group.clone(), |given| given.value);
    let kind = options.take(&login, &["auth_type", "auth_plugin"], notes);
    match kind.as_ref().map(|kind| kind.value.as_str()) {
        Some("gnocchi-basic") => basic(options, &group, &login, notes),
        Some("gnocchi-noauth") => no_auth(options, &group, &login, notes),
        Some("password" | "v3password" | "v2password" | "token" | "v3token" | "v3applicationcredential")
        | None => keystone(options, &group, &login, notes),
        Some(_) => {
            let kind = kind.expect("it was looked at");
            notes.find(
                &kind.place,
                &kind.name,
                "log in by a password, an application credential or a token: docs/gnocchi.md tells how",
            );
            None
        }
    }
}

fn keystone(options: &mut Options, group: &str, login: &str, notes: &mut Notes) -> Option<Url> {
    let user = options.take(login, &["username", "user_name"], notes);
    let password = options.take(login, &["password"], notes);
    let all = taken(options, login, &TO_KEYSTONE, notes);
    let default_domains =
        taken(options, login, &[("name", &["default_domain_name"]), ("id", &["default_domain_id"])], notes);
    let region = options.take(group, &["region_name", "os_region_name"], notes);
    let interface = options.take(group, &["interface", "os_endpoint_type"], notes);
    let tls = taken(options, group, &TLS, notes);
    if !all.iter().any(|(name, _)| *name == "auth_url") {
        return None;
    }
    let user = user.map(|user| word(&user.value)).unwrap_or_default();
    let password = password.map(|password| format!(":{}", word(&password.value))).unwrap_or_default();
    let at = if user.is_empty() && password.is_empty() { "" } else { "@" };
    let mut url = Url::new(format!("gnocchi://{user}{password}{at}"));
    for (name, given) in &all {
        url.option(name, &given.value);
    }
    for whose in ["user_domain", "project_domain"] {
        if !all.iter().any(|(name, _)| name.starts_with(whose)) {
            for (kind, given) in &default_domains {
                url.option(&if *kind == "id" { format!("{whose}_id") } else { whose.into() }, &given.value);
            }
        }
    }
    if let Some(region) = region {
        url.option("region", &region.value);
    }
    // Its default here, too.
    if let Some(interface) = interface.filter(|interface| !interface.value.starts_with("public")) {
        url.option("interface", interface.value.trim_end_matches("URL"));
    }
    for (name, given) in tls {
        url.option(name, &given.value);
    }
    Some(url)
}

fn basic(options: &mut Options, group: &str, login: &str, notes: &mut Notes) -> Option<Url> {
    let user = options.take(login, &["user"], notes).map_or_else(|| SOMEBODY.to_owned(), |given| given.value);
    at_endpoint(options, group, login, &word(&user), notes)
}

fn no_auth(options: &mut Options, group: &str, login: &str, notes: &mut Notes) -> Option<Url> {
    let user = options.take(login, &["user_id"], notes).map(|given| word(&given.value)).unwrap_or_default();
    let project = options.take(login, &["project_id"], notes);
    // Administrators, which is what it sends by default, is what we say that we are.
    let _taken = options.take(login, &["roles"], notes);
    let mut url = at_endpoint(options, group, login, &user, notes)?;
    url.option("auth", "none");
    if let Some(project) = project {
        url.option("project_id", &project.value);
    }
    Some(url)
}

/// The Gnocchi at the option `endpoint`.
fn at_endpoint(
    options: &mut Options,
    group: &str,
    login: &str,
    user: &str,
    notes: &mut Notes,
) -> Option<Url> {
    let endpoint = options.take(login, &["endpoint", "gnocchi_endpoint"], notes);
    let tls = taken(options, group, &TLS, notes);
    let text = endpoint.as_ref().map_or(LOCAL_GNOCCHI, |endpoint| endpoint.value.as_str());
    let Some((place, encrypted)) = place_of(text) else {
        let endpoint = endpoint.expect("the default is an address");
        notes.find(
            &endpoint.place,
            &endpoint.name,
            "write a gnocchi:// dispatcher by hand: this is no address such as http://gnocchi:8041",
        );
        return None;
    };
    let scheme = if encrypted { "gnocchi+https" } else { "gnocchi" };
    let at = if user.is_empty() { "" } else { "@" };
    let mut url = Url::new(format!("{scheme}://{user}{at}{place}"));
    for (name, given) in tls.into_iter().filter(|_| encrypted) {
        url.option(name, &given.value);
    }
    Some(url)
}

/// Host, port and path of an address, with the port that its scheme means, and whether it is encrypted.
fn place_of(address: &str) -> Option<(String, bool)> {
    let (scheme, rest) = address.split_once("://")?;
    let (port, encrypted) = match scheme {
        "http" => (80, false),
        "https" => (443, true),
        _ => return None,
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if host.is_empty() || host.contains('@') || path.contains(['?', '#']) {
        return None;
    }
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    let port = if has_port { String::new() } else { format!(":{port}") };
    let path = path.trim_end_matches('/');
    Some((format!("{host}{port}{}{path}", if path.is_empty() { "" } else { "/" }), encrypted))
}

fn taken<'n>(
    options: &mut Options,
    section: &str,
    names: &[(&'n str, &[&str])],
    notes: &mut Notes,
) -> Vec<(&'n str, Given)> {
    let given = names.iter().map(|(ours, theirs)| (*ours, options.take(section, theirs, notes)));
    given.filter_map(|(name, given)| Some((name, given?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (address, expected) in [
            ("http://localhost:8041", Some(("localhost:8041", false))),
            ("http://h", Some(("h:80", false))),
            ("https://h/metric/", Some(("h:443/metric", true))),
            ("https://[::1]", Some(("[::1]:443", true))),
            ("http://[::1]:8041/", Some(("[::1]:8041", false))),
            ("ftp://h", None),
            ("http://u:p@h", None),
            ("h:8041", None),
        ] {
            let expected = expected.map(|(place, encrypted)| (place.to_owned(), encrypted));
            assert_eq!(place_of(address), expected, "{address}");
        }
    }
}
