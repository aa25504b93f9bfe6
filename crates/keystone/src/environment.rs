//! Where OpenStack's clients look for clouds: files and variables of the environment.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use nephoscope_telemetry::{ConnectionString, Result};

use crate::cloud::{self, Clouds, Options, config};

/// The longest file of clouds: thousands of clouds fit.
const MAX_FILE: u64 = 4 << 20;
/// The ends of the names of such files.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// What is around a process, as far as clouds are concerned.
pub(crate) struct Environment<'a> {
    /// A variable.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
    /// A file; nothing, where there is none.
    pub(crate) read: &'a dyn Fn(&Path) -> Result<Option<String>>,
}

/// The connection string with what it leaves to the cloud that it names: option `cloud`; or, where it has neither
/// `auth_url` nor anything that says another way, the variable `OS_CLOUD`; or the other variables `OS_…`. What it says
/// itself stays.
///
/// The clouds are in the file that `OS_CLIENT_CONFIG_FILE` names, or the first `clouds.yaml` in this directory,
/// `~/.config/openstack` and `/etc/openstack`; what `secure.yaml` says besides comes to it, and what `clouds-public.yaml`
/// says of a profile.
pub fn with_cloud(to: &ConnectionString) -> Result<ConnectionString> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    with_cloud_of(to, &Environment { variable: &variable, read: &read_file })
}

pub(crate) fn with_cloud_of(to: &ConnectionString, around: &Environment<'_>) -> Result<ConnectionString> {
    let named = to.option("cloud").filter(|name| !name.is_empty());
    let options = match named {
        Some(name) => Some(around.cloud(name)?),
        None if leaves_it_open(to) => match (around.variable)("OS_CLOUD") {
            Some(name) => Some(around.cloud(&name)?),
            None => cloud::of_variables(around.variable)?,
        },
        None => None,
    };
    let Some(options) = options else { return Ok(to.clone()) };
    // Who says who they are says it all: a user of theirs with a password from elsewhere helps nobody.
    let says_who = to.user().is_some()
        || ["application_credential", "application_credential_name", "token", "user_id", "username"]
            .iter()
            .any(|name| to.option(name).is_some());
    let is_who = |name: &str| {
        name.starts_with("application_credential")
            || matches!(
                name,
                "password" | "token" | "user_domain" | "user_domain_id" | "user_id" | "username"
            )
    };
    let missing =
        options.into_iter().filter(|(name, _)| to.option(name).is_none() && !(says_who && is_who(name)));
    Ok(missing.fold(to.clone(), |to, (name, value)| to.with_option(name, &value)))
}

/// Whether it is for the environment to say where Keystone is.
fn leaves_it_open(to: &ConnectionString) -> bool {
    match to.option("auth") {
        Some(way) => way == "keystone" && to.option("auth_url").is_none(),
        None => to.option("auth_url").is_none() && to.hosts().is_empty(),
    }
}

impl Environment<'_> {
    fn cloud(&self, name: &str) -> Result<Options> {
        let clouds = self.find("clouds", "OS_CLIENT_CONFIG_FILE")?;
        let clouds = clouds.ok_or_else(|| {
            config(format!(
                "no clouds.yaml that could have the cloud `{name}` is in this directory, ~/.config/openstack or \
                 /etc/openstack; OS_CLIENT_CONFIG_FILE can name one"
            ))
        })?;
        let secure = self.find("secure", "OS_CLIENT_SECURE_FILE")?.unwrap_or_default();
        let public = self.find("clouds-public", "OS_CLIENT_VENDOR_FILE")?.unwrap_or_default();
        clouds.options(name, &secure, &public)
    }

    /// The file that the variable names, else the first of that name where such files are.
    fn find(&self, name: &str, variable: &str) -> Result<Option<Clouds>> {
        let named = (self.variable)(variable).map(PathBuf::from);
        let places = self.places();
        let usual = places.iter().flat_map(|place| EXTENSIONS.map(|end| place.join(format!("{name}.{end}"))));
        for path in named.into_iter().chain(usual) {
            let Some(text) = (self.read)(&path)? else { continue };
            let clouds = Clouds::parse(&text);
            return clouds.map(Some).map_err(|problem| config(format!("{}: {problem}", path.display())));
        }
        Ok(None)
    }

    fn places(&self) -> Vec<PathBuf> {
        let home = (self.variable)("HOME").map(|home| PathBuf::from(home).join(".config"));
        let own = (self.variable)("XDG_CONFIG_HOME").map(PathBuf::from).or(home);
        let own = own.map(|place| place.join("openstack"));
        [Some(PathBuf::from(".")), own, Some("/etc/openstack".into())].into_iter().flatten().collect()
    }
}

fn read_file(path: &Path) -> Result<Option<String>> {
    let wrong = |problem: String| config(format!("cannot read {}: {problem}", path.display()));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(wrong(error.to_string())),
    };
    let mut text = String::new();
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
    if text.len() as u64 > MAX_FILE {
        return Err(wrong(format!("it has more than {} MiB", MAX_FILE >> 20)));
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests;
