//! Where telemetry is taken off the bus: what Ceilometer's notification agent listens to.
//!
//! Source: `ceilometer/notification.py` of Ceilometer 27; `oslo_messaging/transport.py`, and its driver for RabbitMQ.

use nephoscope_telemetry::ConnectionString;

use super::Entry;
use super::advice::CONNECTION;
use super::notes::Notes;
use super::options::{Given, Options};
use super::url::Url;
use crate::source;

const NOTIFICATIONS: &str = "samples and events that Ceilometer's agent makes of them are not made here. To go on having them let the \
                             agent publish to notifier://, and write topics=metering,event here: docs/deploying.md";
const RABBIT: &str = "oslo_messaging_rabbit";
/// The topic of the agent unless it is told another one.
const TOPIC: &str = "notifications";
/// What the agent listens to, of a topic with another name: see `docs/samples.md`.
const EXCHANGES: &str =
    "nova,glance,neutron,cinder,heat,keystone,trove,zaqar,swift,ceilometer,magnum,dns,ironic,aodh";
const PRIORITIES: &str = "audit,debug,info,warn,error,critical,sample";

/// The options of a source by their names here, and the further names that oslo.messaging had for them.
const TRANSPORT: [(&str, &[&str]); 11] = [
    ("ssl", &["ssl", "rabbit_use_ssl"]),
    ("ssl_ca_file", &["ssl_ca_file", "kombu_ssl_ca_certs"]),
    ("ssl_cert_file", &["ssl_cert_file", "kombu_ssl_certfile"]),
    ("ssl_key_file", &["ssl_key_file", "kombu_ssl_keyfile"]),
    ("amqp_durable_queues", &["amqp_durable_queues", "rabbit_durable_queues"]),
    ("amqp_auto_delete", &["amqp_auto_delete"]),
    ("rabbit_ha_queues", &["rabbit_ha_queues"]),
    ("rabbit_quorum_queue", &["rabbit_quorum_queue"]),
    ("rabbit_quorum_delivery_limit", &["rabbit_quorum_delivery_limit"]),
    ("rabbit_quorum_max_memory_length", &["rabbit_quorum_max_memory_length"]),
    ("rabbit_quorum_max_memory_bytes", &["rabbit_quorum_max_memory_bytes"]),
];

/// The sources, each with where it comes from.
pub(super) fn sources(options: &mut Options, notes: &mut Notes) -> Vec<Entry> {
    let default = options.take("DEFAULT", &["transport_url"], notes);
    let for_notifications = options.take("oslo_messaging_notifications", &["transport_url"], notes);
    let mut urls = options.take_all("notification", &["messaging_urls"], notes);
    if urls.is_empty() {
        urls.extend(for_notifications.or(default));
    }
    let topics = listed(options.take("oslo_messaging_notifications", &["topics"], notes));
    let mut exchanges = options.take_all("notification", &["notification_control_exchanges"], notes);
    exchanges.extend(options.take_all("DEFAULT", &["http_control_exchanges"], notes));
    let exchanges = exchanges.into_iter().map(|given| given.value).collect::<Vec<_>>().join(",");
    let of_transport: Vec<_> = TRANSPORT
        .iter()
        .filter_map(|(name, names)| Some((*name, options.take(RABBIT, names, notes)?.value)))
        .collect();
    let from = From { topics, exchanges, of_transport };
    urls.iter().filter_map(|given| from.source(given, notes)).collect()
}

fn listed(given: Option<Given>) -> Vec<String> {
    let given = given.map(|given| given.value).unwrap_or_default();
    let items = given.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(str::to_owned).collect()
}

/// What is taken off every bus.
struct From {
    topics: Vec<String>,
    /// With commas; empty, where nothing is said.
    exchanges: String,
    of_transport: Vec<(&'static str, String)>,
}

impl From {
    fn source(&self, given: &Given, notes: &mut Notes) -> Option<Entry> {
        let (place, query) = given.value.trim().split_once('?').unwrap_or((given.value.trim(), ""));
        let scheme = place.split("://").next().unwrap_or_default();
        if scheme != "rabbit" {
            notes.find(
                &given.place,
                &given.name,
                "only RabbitMQ is spoken, by rabbit://. Let an agent stay at this bus, and publish to \
                 http://ADDRESS:8041/samples of this daemon",
            );
            return None;
        }
        let mut url = Url::new(place);
        let other_topics = self.topics.iter().any(|topic| topic != TOPIC);
        url.option("topics", &if other_topics { self.topics.join(",") } else { TOPIC.into() });
        match &*self.exchanges {
            "" if other_topics => url.option("control_exchange", EXCHANGES),
            "" => {}
            exchanges => url.option("control_exchange", exchanges),
        }
        if other_topics {
            url.option("priorities", PRIORITIES);
        }
        let own = self.own_options(query, given, notes);
        let is_own = |name: &str| own.iter().any(|(own, _)| own == name);
        let of_section = self.of_transport.iter().filter(|(name, _)| !is_own(name));
        let of_section = of_section.map(|(name, value)| ((*name).to_owned(), value.clone()));
        let all: Vec<_> = of_section.chain(own.iter().cloned()).collect();
        let encrypts = all.iter().any(|(name, value)| name == "ssl" && is_true(value));
        for (name, value) in &all {
            if encrypts || !name.starts_with("ssl_") {
                url.option(name, value);
            }
        }
        let read = ConnectionString::parse(url.text()).map_err(|error| error.to_string());
        let checked = read.and_then(|read| source::check(&read).map_err(|error| error.message().to_owned()));
        if let Err(problem) = checked {
            notes.find(&given.place, &given.name, format!("write this [[source]] by hand: {problem}"));
            return None;
        }
        notes.find(&given.place, "notifications of services", NOTIFICATIONS);
        Some(Entry { comment: format!("{}: {}", given.place, given.name), value: url.text().into() })
    }

    /// The options that the URL itself has, which come before those of the section.
    fn own_options(&self, query: &str, given: &Given, notes: &mut Notes) -> Vec<(String, String)> {
        let Ok(read) = ConnectionString::parse(&format!("rabbit://?{query}")) else { return Vec::new() };
        let (known, unknown): (Vec<_>, Vec<_>) = read
            .options()
            .iter()
            .cloned()
            .partition(|(name, _)| TRANSPORT.iter().any(|(known, _)| known == name));
        for (name, _) in unknown {
            notes.find(&given.place, format!("option `{name}` of {}", given.name), CONNECTION);
        }
        known
    }
}

/// As oslo.config reads it.
fn is_true(value: &str) -> bool {
    ["true", "1", "yes", "on"].contains(&value.to_ascii_lowercase().as_str())
}
