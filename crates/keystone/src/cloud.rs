//! Clouds by name, as `clouds.yaml` has them, and the variables of the environment that OpenStack's clients read: both
//! become options of a connection string. Nothing is read here; see [`environment`](crate::environment).

use std::collections::BTreeMap;

use nephoscope_telemetry::{Error, ErrorKind, Result};
use serde::Deserialize;

/// An option of a connection string, and the names that `clouds.yaml` has for it, those of Keystone 2 among them. With
/// `OS_` before them in capitals they are the variables of the environment.
const NAMES: [(&str, &[&str]); 19] = [
    ("application_credential", &["application_credential_id"]),
    ("application_credential_name", &["application_credential_name"]),
    ("application_credential_secret", &["application_credential_secret"]),
    ("auth_url", &["auth_url"]),
    ("cacert", &["cacert"]),
    ("cert", &["cert"]),
    ("interface", &["interface", "endpoint_type"]),
    ("key", &["key"]),
    ("password", &["password"]),
    ("project", &["project_name", "tenant_name"]),
    ("project_domain", &["project_domain_name", "default_domain_name"]),
    ("project_domain_id", &["project_domain_id", "default_domain_id", "default_domain"]),
    ("project_id", &["project_id", "tenant_id"]),
    ("region", &["region_name"]),
    ("token", &["token", "auth_token"]),
    ("user_domain", &["user_domain_name", "default_domain_name"]),
    ("user_domain_id", &["user_domain_id", "default_domain_id", "default_domain"]),
    ("user_id", &["user_id"]),
    ("username", &["username"]),
];

/// Options that say who we are, each for one way to log in.
const OF_PASSWORD: [&str; 2] = ["password", "username"];
const OF_TOKEN: [&str; 1] = ["token"];
const OF_CREDENTIAL: [&str; 3] =
    ["application_credential", "application_credential_name", "application_credential_secret"];

/// Options of a connection string, each with its value.
pub(crate) type Options = BTreeMap<&'static str, String>;

/// A file of clouds.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Clouds {
    #[serde(default)]
    clouds: BTreeMap<String, Cloud>,
    /// Of `clouds-public.yaml`: what the clouds of a vendor have in common.
    #[serde(default, rename = "public-clouds")]
    profiles: BTreeMap<String, Cloud>,
}

/// One cloud. Holds secrets, so it is not shown.
#[derive(Clone, Default, Deserialize)]
struct Cloud {
    profile: Option<String>,
    auth_type: Option<String>,
    #[serde(default)]
    auth: BTreeMap<String, Option<String>>,
    region_name: Option<String>,
    interface: Option<String>,
    endpoint_type: Option<String>,
    verify: Option<bool>,
    cacert: Option<String>,
    cert: Option<String>,
    key: Option<String>,
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cloud").finish_non_exhaustive()
    }
}

impl Cloud {
    /// With what that one says besides.
    fn or(self, other: &Self) -> Self {
        let other = other.clone();
        let mut auth = other.auth;
        auth.extend(self.auth.into_iter().filter(|(_, value)| value.is_some()));
        Self {
            profile: self.profile.or(other.profile),
            auth_type: self.auth_type.or(other.auth_type),
            auth,
            region_name: self.region_name.or(other.region_name),
            interface: self.interface.or(other.interface),
            endpoint_type: self.endpoint_type.or(other.endpoint_type),
            verify: self.verify.or(other.verify),
            cacert: self.cacert.or(other.cacert),
            cert: self.cert.or(other.cert),
            key: self.key.or(other.key),
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        match name {
            "region_name" => self.region_name.clone(),
            "interface" => self.interface.clone(),
            "endpoint_type" => self.endpoint_type.clone(),
            "cacert" => self.cacert.clone(),
            "cert" => self.cert.clone(),
            "key" => self.key.clone(),
            name => self.auth.get(name).cloned().flatten(),
        }
    }
}

impl Clouds {
    /// Reads a file, which is YAML or JSON. The error repeats nothing of it.
    pub(crate) fn parse(text: &str) -> std::result::Result<Self, String> {
        // An empty file has no clouds.
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_saphyr::from_str(text).map_err(|error| {
            let place = error.location().map(|at| format!("line {}", at.line()));
            format!(
                "it is no file of clouds: {} is not what it has to be",
                place.unwrap_or_else(|| "it".into())
            )
        })
    }

    /// The options that the cloud of that name means, with what `secure` says of it, and `public` of its profile.
    pub(crate) fn options(&self, name: &str, secure: &Self, public: &Self) -> Result<Options> {
        let Some(cloud) = self.clouds.get(name) else {
            let known: Vec<_> = self.clouds.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            return Err(config(format!("there is no cloud `{name}`; there are: {known}")));
        };
        let mut cloud = secure.clouds.get(name).cloned().unwrap_or_default().or(cloud);
        if let Some(profile) = cloud.profile.clone() {
            let of_vendor = public.profiles.get(&profile).ok_or_else(|| {
                config(format!("cloud `{name}` has the profile `{profile}`, which no clouds-public.yaml has"))
            })?;
            cloud = cloud.or(of_vendor);
        }
        let mut options = read(|name| cloud.value(name));
        if cloud.verify == Some(false) {
            options.insert("insecure", "true".into());
        }
        keep_way(cloud.auth_type.as_deref(), &mut options)?;
        Ok(options)
    }
}

/// The options that variables of the environment mean; nothing, where they name no Keystone.
pub(crate) fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Options>> {
    let variable = |name: &str| variable(&format!("OS_{}", name.to_ascii_uppercase()));
    let mut options = read(|name| variable(name));
    if !options.contains_key("auth_url") {
        return Ok(None);
    }
    if variable("insecure")
        .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes"))
    {
        options.insert("insecure", "true".into());
    }
    keep_way(variable("auth_type").as_deref(), &mut options)?;
    Ok(Some(options))
}

fn read(value: impl Fn(&str) -> Option<String>) -> Options {
    let of_option = |(option, names): &(&'static str, &[&str])| {
        let value = names.iter().find_map(|name| value(name).filter(|value| !value.is_empty()))?;
        Some((*option, value))
    };
    let mut options: Options = NAMES.iter().filter_map(of_option).collect();
    if let Some(interface) = options.get_mut("interface") {
        // As it was called once: `publicURL`.
        *interface = interface.trim_end_matches("URL").into();
    }
    options
}

/// Leaves only what the way to log in needs, where one is named.
fn keep_way(auth_type: Option<&str>, options: &mut Options) -> Result<()> {
    let others: Vec<&str> = match auth_type {
        None => return Ok(()),
        Some("password" | "v3password") => [OF_TOKEN.as_slice(), &OF_CREDENTIAL].concat(),
        Some("token" | "v3token") => [OF_PASSWORD.as_slice(), &OF_CREDENTIAL].concat(),
        Some("v3applicationcredential") => OF_TOKEN.into(),
        Some(other) => {
            return Err(config(format!(
                "logging in by `{other}` is not possible; by `password`, `token` and `v3applicationcredential` it is"
            )));
        }
    };
    options.retain(|name, _| !others.contains(name));
    Ok(())
}

pub(crate) fn config(message: String) -> Error {
    Error::new(ErrorKind::Config, "find the cloud", message)
}
