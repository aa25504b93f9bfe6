//! Services behind a Keystone, as connection strings name them.

use nephoscope_telemetry::{ConnectionString, Result};

use crate::{Keystone, OPTIONS, Service};

/// The options of a connection string that say which endpoint of the catalog is meant.
pub const ENDPOINT_OPTIONS: [&str; 2] = ["interface", "region"];

impl Keystone {
    /// The address of a service. A connection string without a host leaves it to the catalog, from which `interface`
    /// (`public` otherwise) and `region` choose; one with a host has the path in the place of the database, and TLS where its
    /// scheme ends in `+https`.
    pub async fn address(&self, to: &ConnectionString, types: &[&str], port: u16) -> Result<String> {
        match to.hosts() {
            [] => {
                let service = Service {
                    types,
                    name: None,
                    region: to.option("region"),
                    interface: to.option("interface").unwrap_or("public"),
                };
                Ok(self.session().await?.endpoint(&service)?.to_owned())
            }
            [host] => {
                let scheme = if to.scheme().ends_with("+https") { "https" } else { "http" };
                let mut host = host.clone();
                host.port.get_or_insert(port);
                Ok(format!("{scheme}://{host}/{}", to.database().unwrap_or_default()))
            }
            _ => Err(to.wrong("behind Keystone a service has one address; without any the catalog tells it")),
        }
    }
}

/// Refuses options that are for Keystone alone in a connection string that names none, but for one that has another use
/// there.
pub fn refuse_options(to: &ConnectionString, but: Option<&str>) -> Result<()> {
    let mut all = OPTIONS.into_iter().chain(ENDPOINT_OPTIONS).filter(|name| Some(*name) != but);
    match all.find(|name| to.option(name).is_some()) {
        None => Ok(()),
        Some(name) => {
            Err(to.wrong(format!("option `{name}` is for Keystone, which option `auth_url` has to name")))
        }
    }
}
