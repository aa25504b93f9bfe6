//! The catalog: which services a cloud has, and where.

use nephoscope_telemetry::{Error, ErrorKind, Result};
use serde::Deserialize;

/// Which endpoint is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Service<'a> {
    /// The types of service that will do, the best first, such as `metric`.
    pub types: &'a [&'a str],
    /// The name of the service, when it matters, such as `gnocchi`.
    pub name: Option<&'a str>,
    /// The region, when there are several.
    pub region: Option<&'a str>,
    /// `public`, `internal` or `admin`.
    pub interface: &'a str,
}

/// The catalog of a token.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Catalog {
    services: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Debug, Deserialize)]
struct Endpoint {
    interface: String,
    region_id: Option<String>,
    url: String,
}

impl Catalog {
    /// The first endpoint that fits, of the best type that has one.
    pub(crate) fn endpoint(&self, wanted: &Service<'_>) -> Result<&str> {
        let of_type = |kind: &&str| {
            let services = self.services.iter().filter(|service| service.kind == *kind);
            let services = services.filter(|service| wanted.name.is_none_or(|name| service.name == name));
            services.flat_map(|service| &service.endpoints).find(|endpoint| endpoint.fits(wanted))
        };
        let found = wanted.types.iter().find_map(of_type);
        found.map(|endpoint| endpoint.url.trim_end_matches('/')).ok_or_else(|| self.missing(wanted))
    }

    fn missing(&self, wanted: &Service<'_>) -> Error {
        let mut told = format!(
            "Keystone's catalog has no {} endpoint of the service {}",
            wanted.interface,
            wanted.types.join(" or ")
        );
        for (what, which) in [("name", wanted.name), ("region", wanted.region)] {
            if let Some(which) = which {
                told.push_str(&format!(" with the {what} {which}"));
            }
        }
        if self.services.is_empty() {
            told.push_str("; it is empty, as for a login without a project");
        } else {
            let kinds: Vec<_> = self.services.iter().map(|service| service.kind.as_str()).collect();
            told.push_str(&format!("; its services: {}", kinds.join(", ")));
        }
        Error::new(ErrorKind::Config, "find the service", told)
    }
}

impl Endpoint {
    fn fits(&self, wanted: &Service<'_>) -> bool {
        self.interface == wanted.interface
            && wanted.region.is_none_or(|region| self.region_id.as_deref() == Some(region))
    }
}
