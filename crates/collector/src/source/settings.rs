//! From a connection string to what a source needs.
//!
//! ```text
//! rabbit://…                  what `bus_settings.rs` tells
//! udp://address[:4952][,address…]
//! tcp://address[:4952][,address…]
//! ```

use nephoscope_telemetry::{ConnectionString, Result};

#[cfg(feature = "messaging")]
use super::bus_settings::BusSettings;

/// The schemes that are understood.
const SCHEMES: [&str; 3] = ["rabbit", "tcp", "udp"];
/// The port of Ceilometer's collector, and of its publishers by default.
const PORT: u16 = 4952;
/// Where telemetry is taken in.
#[derive(Debug)]
pub struct Settings {
    /// The connection string without its secrets.
    pub(super) name: String,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) enum Place {
    #[cfg(feature = "messaging")]
    Bus(BusSettings),
    /// Hosts and ports.
    Udp(Vec<(String, u16)>),
    Tcp(Vec<(String, u16)>),
}

impl Settings {
    /// Reads them, and refuses what nobody reads.
    pub fn read(url: &ConnectionString) -> Result<Self> {
        let place = match url.scheme() {
            #[cfg(feature = "messaging")]
            "rabbit" => Place::Bus(BusSettings::read(url)?),
            #[cfg(not(feature = "messaging"))]
            "rabbit" => {
                return Err(
                    url.wrong("it is left out of this build, and needs the cargo feature `messaging`")
                );
            }
            "udp" => Place::Udp(hosts(url)?),
            "tcp" => Place::Tcp(hosts(url)?),
            other => {
                let known = SCHEMES.map(|scheme| format!("{scheme}://")).join(", ");
                return Err(url.wrong(format!("no source has the scheme `{other}`; known: {known}")));
            }
        };
        Ok(Self { name: url.to_string(), place })
    }
}

fn hosts(url: &ConnectionString) -> Result<Vec<(String, u16)>> {
    url.expect_options(&[])?;
    if url.hosts().is_empty() {
        return Err(url.wrong("it names no address to listen on, such as 127.0.0.1"));
    }
    if url.user().is_some() || url.database().is_some() {
        return Err(url.wrong("it has an address and a port, and nothing else"));
    }
    Ok(url.hosts().iter().map(|host| (host.name.clone(), host.port_or(PORT))).collect())
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn read(url: &str) -> Result<Settings> {
        Settings::read(&ConnectionString::parse(url).unwrap())
    }

    #[test]
    fn addresses_are_read() {
        match read("udp://127.0.0.1,[::1]:5000").unwrap().place {
            Place::Udp(hosts) => assert_eq!(hosts, [("127.0.0.1".into(), 4952), ("::1".into(), 5000)]),
            other => panic!("{other:?} is not UDP"),
        }
        assert!(matches!(read("tcp://0.0.0.0").unwrap().place, Place::Tcp(_)));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_a_secret() {
        for (url, told) in [
            ("kafka://u:s3cret@h", "known: rabbit://"),
            ("udp://", "names no address"),
            ("udp://u:s3cret@h", "nothing else"),
            ("tcp://h/path", "nothing else"),
            ("tcp://h?x=1", "`x`"),
        ] {
            let error = read(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            assert!(error.to_string().contains(told) && !error.to_string().contains("s3cret"), "{error}");
        }
    }
}
