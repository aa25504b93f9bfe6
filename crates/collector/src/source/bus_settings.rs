//! From the connection string of a bus to what is taken off it.
//!
//! ```text
//! rabbit://[user:password@]host[:5672][,…][/virtual_host][?topics=notifications,metering&option=value…]
//! ```

use nephoscope_messaging::{Consumer, Destination, INFO, QueueState, Transport};
use nephoscope_telemetry::{ConnectionString, Result};

/// How many messages are taken at a time at most: the cost of storing a batch hardly shows any more, and what has to be
/// stored again after an outage is little. Of those of polling agents, at 70 kB each, a batch has fewer.
const MOST_MESSAGES: u16 = 300;
/// The options of a bus beside those of its transport.
const BUS_OPTIONS: [&str; 4] = ["topics", "control_exchange", "priorities", "pool"];

/// Where OSProfiler sends its notifications.
const PROFILER: &str = "profiler";
/// Where services and Ceilometer's polling agents send theirs.
const NOTIFICATIONS: &str = "notifications";
/// Where Ceilometer's `notifier://` publisher sends samples, and where it sends events.
const METERING: [&str; 2] = ["metering", "event"];
/// The exchange of a service that names no other.
const OPENSTACK: &str = "openstack";
/// The exchange of Ceilometer.
const CEILOMETER: &str = "ceilometer";
/// The exchanges that Ceilometer's agent listens to unless it is told otherwise: `notification_control_exchanges` of
/// Ceilometer 27.
const CONTROL_EXCHANGES: &str =
    "nova,glance,neutron,cinder,heat,keystone,trove,zaqar,swift,ceilometer,magnum,dns,ironic,aodh";
/// The priorities of notifications. The agent takes all of them, so that no queue grows.
const PRIORITIES: &str = "audit,debug,info,warn,error,critical,sample";
/// The priority of samples, and of the events that Ceilometer sends.
const SAMPLE: &str = "sample";

#[derive(Debug)]
pub(super) struct BusSettings {
    transport: Transport,
    from: Vec<Destination>,
}

impl BusSettings {
    pub(super) fn read(url: &ConnectionString) -> Result<Self> {
        url.expect_options(&[BUS_OPTIONS.as_slice(), &Transport::OPTIONS].concat())?;
        let topics = url.option("topics").unwrap_or(PROFILER).split(',').map(str::trim);
        let mut from = Vec::new();
        for topic in topics {
            let (exchanges, priorities) = match topic {
                NOTIFICATIONS => (CONTROL_EXCHANGES, PRIORITIES),
                topic if METERING.contains(&topic) => (CEILOMETER, SAMPLE),
                _ => (OPENSTACK, INFO),
            };
            let priorities = url.option("priorities").unwrap_or(priorities);
            for exchange in url.option("control_exchange").unwrap_or(exchanges).split(',') {
                for priority in priorities.split(',') {
                    let destination = Destination::new(exchange.trim(), topic, priority.trim())?;
                    from.push(match url.option("pool") {
                        Some(pool) => destination.pooled(pool)?,
                        None => destination,
                    });
                }
            }
        }
        Ok(Self { transport: Transport::read(url)?, from })
    }

    /// How the queues stand that this source consumes.
    pub(super) async fn probe(self) -> Result<Vec<QueueState>> {
        nephoscope_messaging::probe(self.transport, &self.from).await
    }

    pub(super) fn consumer(self) -> Consumer {
        Consumer::new(self.transport, self.from, MOST_MESSAGES)
    }
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn read(url: &str) -> Result<BusSettings> {
        BusSettings::read(&ConnectionString::parse(url).unwrap())
    }

    fn from(url: &str) -> String {
        format!("{:?}", read(url).unwrap().from)
    }

    fn destinations(exchange: &str, topics: &[&str], priority: &str) -> String {
        let all = topics.iter().map(|topic| Destination::new(exchange, topic, priority).unwrap());
        format!("{:?}", all.collect::<Vec<_>>())
    }

    #[test]
    fn the_defaults_are_those_of_osprofiler_and_ceilometer() {
        assert_eq!(from("rabbit://h"), destinations("openstack", &["profiler"], "info"));
        let both = from("rabbit://h?topics=metering,event");
        assert_eq!(both, destinations("ceilometer", &["metering", "event"], "sample"));
        let agent = from("rabbit://h?topics=notifications");
        assert_eq!(agent.matches("routing_key").count(), 14 * 7);
        assert!(agent.contains("notifications.sample") && agent.contains("neutron"), "{agent}");
    }

    #[test]
    fn topics_exchange_and_pool_are_read() {
        let own = "rabbit://h/v?topics=one,%20two&control_exchange=nova&amqp_durable_queues=true";
        assert_eq!(from(own), destinations("nova", &["one", "two"], "info"));
        let some = "rabbit://h?topics=notifications&control_exchange=nova&priorities=error";
        assert_eq!(from(some), destinations("nova", &["notifications"], "error"));
        let pooled = Destination::new("openstack", "profiler", INFO).unwrap().pooled("mine").unwrap();
        assert_eq!(from("rabbit://h?pool=mine"), format!("{:?}", [pooled]));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_a_secret() {
        for (url, told) in [
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
