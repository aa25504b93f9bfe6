//! From a connection string to what a source needs.
//!
//! ```text
//! rabbit://[user:password@]host[:5672][,…][/virtual_host][?topics=profiler&control_exchange=openstack&option=value…]
//! ```

use nephoscope_messaging::{Consumer, Destination, INFO, Transport};
use nephoscope_telemetry::{ConnectionString, Result};

/// Where OSProfiler sends its notifications.
const TOPICS: &str = "profiler";
/// The exchange of a service that names no other.
const CONTROL_EXCHANGE: &str = "openstack";
/// The schemes that are understood.
const SCHEMES: [&str; 1] = ["rabbit"];
/// How many messages are taken at a time: the cost of storing a batch does not show any more, and what has to be stored
/// again after an outage is little.
const MOST_MESSAGES: u16 = 1_000;

/// Where messages come from.
#[derive(Debug)]
pub struct Settings {
    /// The connection string without its secrets.
    pub(crate) name: String,
    transport: Transport,
    from: Vec<Destination>,
}

impl Settings {
    /// Reads `topics`, `control_exchange` and the options of [`Transport`].
    pub fn read(url: &ConnectionString) -> Result<Self> {
        if !SCHEMES.contains(&url.scheme()) {
            let known = SCHEMES.map(|scheme| format!("{scheme}://")).join(", ");
            return Err(url.wrong(format!("no source has the scheme `{}`; known: {known}", url.scheme())));
        }
        url.expect_options(&[["topics", "control_exchange"].as_slice(), &Transport::OPTIONS].concat())?;
        let exchange = url.option("control_exchange").unwrap_or(CONTROL_EXCHANGE);
        let topics = url.option("topics").unwrap_or(TOPICS).split(',');
        Ok(Self {
            name: url.to_string(),
            transport: Transport::read(url)?,
            from: topics
                .map(|topic| Destination::new(exchange, topic.trim(), INFO))
                .collect::<Result<_>>()?,
        })
    }

    pub(crate) fn consumer(self) -> Consumer {
        Consumer::new(self.transport, self.from, MOST_MESSAGES)
    }
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn read(url: &str) -> Result<Settings> {
        Settings::read(&ConnectionString::parse(url).unwrap())
    }

    fn destinations(exchange: &str, topics: &[&str]) -> String {
        let all = topics.iter().map(|topic| Destination::new(exchange, topic, INFO).unwrap());
        format!("{:?}", all.collect::<Vec<_>>())
    }

    #[test]
    fn the_defaults_are_those_of_osprofiler() {
        assert_eq!(
            format!("{:?}", read("rabbit://h").unwrap().from),
            destinations("openstack", &["profiler"])
        );
    }

    #[test]
    fn topics_and_exchange_are_read() {
        let read =
            read("rabbit://h/v?topics=one,%20two&control_exchange=nova&amqp_durable_queues=true").unwrap();
        assert_eq!(format!("{:?}", read.from), destinations("nova", &["one", "two"]));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_a_secret() {
        for (url, told) in [
            ("kafka://u:s3cret@h", "known: rabbit://"),
            ("rabbit://u:s3cret@h?topic=x", "`topic`"),
            ("rabbit://u:s3cret@h?topics=one,", "1 to 255 bytes"),
            ("rabbit://u:s3cret@h?amqp_durable_queues=maybe", "`amqp_durable_queues`"),
        ] {
            let error = read(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            assert!(error.to_string().contains(told) && !error.to_string().contains("s3cret"), "{error}");
        }
    }
}
