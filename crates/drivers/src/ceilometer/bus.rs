//! The message bus that Ceilometer listens to.

use nephoscope_telemetry::{ConnectionString, Result};

const OPTION: &str = "transport_url";
/// How a transport URL begins that `messaging` understands.
const SCHEMES: [&str; 3] = ["rabbit", "amqp", "messaging"];

/// The connection string of the bus, where one is named.
pub(super) fn read(to: &ConnectionString) -> Result<Option<ConnectionString>> {
    let Some(text) = to.option(OPTION) else { return Ok(None) };
    let bus = ConnectionString::parse(text).map_err(|error| to.wrong(format!("`{OPTION}`: {error}")))?;
    if SCHEMES.contains(&bus.scheme()) {
        return Ok(Some(bus));
    }
    Err(to.wrong(format!("`{OPTION}` is of rabbit://, not {}://", bus.scheme())))
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn bus(url: &str) -> Result<Option<ConnectionString>> {
        read(&ConnectionString::parse("ceilometer://h").unwrap().with_option(OPTION, url))
    }

    #[test]
    fn a_bus_is_a_connection_string_with_options_of_its_own() {
        let read = bus("rabbit://u:p%2Fw@one,two/v?topic=t&ssl=true").unwrap().unwrap();
        assert_eq!((read.password(), read.option("topic")), (Some("p/w"), Some("t")));
        assert_eq!(super::read(&ConnectionString::parse("ceilometer://h").unwrap()).unwrap(), None);
    }

    #[test]
    fn what_is_no_bus_is_refused_without_a_secret() {
        for url in ["redis://u:s3cret@h", "u:s3cret@h", "rabbit://u:s3cret@h:no"] {
            let error = bus(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
            assert!(error.to_string().contains(OPTION), "{error}");
        }
    }
}
