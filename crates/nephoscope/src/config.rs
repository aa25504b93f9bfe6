//! The daemon's settings, and where each comes from: flag, environment, file or default, in that order.

mod api;
mod file;
mod keystone;
mod samples;
mod statsd;
mod store;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use nephoscope_telemetry::{ConnectionString, Entry, Registry};

use crate::backend;
use crate::cli::ConfigArgs;
use crate::exit::Failure;
use crate::source;
pub use api::Api;
pub use keystone::Keystone;
pub use samples::{Samples, Secret};
pub use statsd::Statsd;
pub use store::Store;

/// Gnocchi's port, on the loopback interface unless told otherwise.
const DEFAULT_LISTEN: &str = "127.0.0.1:8041";

/// The settings in force.
#[derive(Clone, Debug)]
pub struct Config {
    /// Directory of the embedded stores.
    pub data_dir: Setting<PathBuf>,
    /// Where HTTP is listened to.
    pub listen: Setting<String>,
    /// Where OTLP over gRPC is listened to, if it is.
    pub otlp_grpc_listen: Setting<Option<String>>,
    /// How Gnocchi's API is served.
    pub api: Api,
    /// The Keystone that tells who asks.
    pub keystone: Keystone,
    /// The door for statsd.
    pub statsd: Statsd,
    /// How the embedded Gnocchi keeps things.
    pub store: Store,
    /// The drivers that trace points go to; reads come from the first that can read.
    pub trace_drivers: Setting<Vec<ConnectionString>>,
    /// Where samples and events go, and how much may wait.
    pub samples: Samples,
    /// Where telemetry is taken in.
    pub sources: Vec<Setting<ConnectionString>>,
}

/// A value and where it comes from.
#[derive(Clone, Debug)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag or an environment variable.
    Flag,
    /// A line of the configuration file.
    File(PathBuf, usize),
    /// Nobody said anything.
    Default,
}

impl Config {
    /// Reads the settings, or tells every mistake in them, one a line.
    pub fn read(args: &ConfigArgs, registry: &Registry) -> Result<Self, Failure> {
        let mut mistakes = Vec::new();
        let file = match &args.config {
            Some(path) => file::File::read(path, &mut mistakes),
            None => file::File::default(),
        };
        let config = Self {
            data_dir: choose(args.data_dir.clone(), file.data_dir, backend::data_dir),
            listen: choose(args.listen.clone(), file.listen, || DEFAULT_LISTEN.into()),
            otlp_grpc_listen: choose(args.otlp_grpc_listen.clone().map(Some), file.otlp_grpc_listen, || None),
            api: file.api,
            keystone: file.keystone,
            statsd: file.statsd,
            store: file.store,
            samples: file.samples,
            trace_drivers: choose(None, file.trace_drivers, || {
                vec![ConnectionString::parse("embedded://").expect("it is one")]
            }),
            sources: file.sources,
        };
        config.check(registry, &mut mistakes);
        if mistakes.is_empty() { Ok(config) } else { Err(Failure::BadConfiguration(mistakes.join("\n"))) }
    }

    fn check(&self, registry: &Registry, mistakes: &mut Vec<String>) {
        check_address("listen", DEFAULT_LISTEN, &self.listen.value, &self.listen.origin, mistakes);
        if let Some(address) = &self.otlp_grpc_listen.value {
            check_address("grpc_listen", "127.0.0.1:4317", address, &self.otlp_grpc_listen.origin, mistakes);
        }
        self.keystone.check(mistakes);
        self.statsd.check(mistakes);
        self.api.check(&self.keystone, mistakes);
        self.samples.check(mistakes);
        if self.trace_drivers.value.is_empty() {
            mistakes.push(format!("{}: `drivers` names no driver", self.trace_drivers.origin));
        }
        for driver in &self.trace_drivers.value {
            let known = registry.schemes().find(|(scheme, _)| *scheme == driver.scheme());
            let problem = match known {
                Some((_, Entry::Built(_))) => continue,
                Some((scheme, Entry::LeftOut { feature })) => {
                    format!("{scheme} is left out of this build; it needs the cargo feature `{feature}`")
                }
                None => format!("no driver has the scheme `{}`", driver.scheme()),
            };
            mistakes.push(format!("{}: {problem}", self.trace_drivers.origin));
        }
        for url in &self.sources {
            if let Err(error) = source::check(&url.value) {
                mistakes.push(format!("{}: {}", url.origin, error.message()));
            }
        }
    }
}

fn check_address(key: &str, example: &str, address: &str, origin: &Origin, mistakes: &mut Vec<String>) {
    let port = address.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    if !matches!(port, Some(Ok(_))) {
        mistakes.push(format!("{origin}: `{key}` is an address and a port, such as {example}"));
    }
}

fn choose<T>(flag: Option<T>, file: Option<Setting<T>>, default: impl FnOnce() -> T) -> Setting<T> {
    match flag {
        Some(value) => Setting { value, origin: Origin::Flag },
        None => file.unwrap_or_else(|| unset(default())),
    }
}

fn unset<T>(value: T) -> Setting<T> {
    Setting { value, origin: Origin::Default }
}

fn take<T>(setting: &mut Setting<T>, read: Option<Setting<T>>) {
    if let Some(read) = read {
        *setting = read;
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag or environment"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

impl fmt::Display for Config {
    /// As a configuration file, without secrets, with the origin of every setting.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data_dir = quoted(&self.data_dir.value.to_string_lossy());
        let drivers: Vec<_> =
            self.trace_drivers.value.iter().map(|driver| quoted(&driver.to_string())).collect();
        writeln!(f, "data_dir = {data_dir}  # {}", self.data_dir.origin)?;
        writeln!(f, "\n[http]\nlisten = {}  # {}", quoted(&self.listen.value), self.listen.origin)?;
        self.api.show_http(f)?;
        if self.keystone.url.value.is_some() {
            write!(f, "\n[keystone]\n{}", self.keystone)?;
        }
        if self.statsd.resource_id.value.is_some() {
            write!(f, "\n[statsd]\n{}", self.statsd)?;
        }
        write!(f, "\n[store]\n{}", self.store)?;
        if let Some(address) = &self.otlp_grpc_listen.value {
            writeln!(f, "\n[otlp]\ngrpc_listen = {}  # {}", quoted(address), self.otlp_grpc_listen.origin)?;
        }
        writeln!(f, "\n[traces]\ndrivers = [{}]  # {}", drivers.join(", "), self.trace_drivers.origin)?;
        write!(f, "{}", self.samples)?;
        for url in &self.sources {
            writeln!(f, "\n[[source]]\nurl = {}  # {}", quoted(&url.value.to_string()), url.origin)?;
        }
        Ok(())
    }
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn read_file(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
