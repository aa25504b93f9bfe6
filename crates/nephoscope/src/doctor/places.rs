//! Where telemetry comes from and goes to.

use nephoscope_collector::{Probe, QueueState, Settings};
use nephoscope_drivers::guard::Guarded;
use nephoscope_keystone::{Bearers, DEFAULT_CACHE_TIME, Keystone, with_cloud};
use nephoscope_telemetry::{ConnectionString, Error, ErrorKind, Registry};
use tokio::net::TcpStream;

use super::finding::Finding;
use super::{clock, machine};

/// Trace backends that a connection to does not change. To others connecting makes tables, so only their port is tried.
const LOOKS_ONLY: [&str; 16] = [
    "amqp",
    "elasticsearch",
    "elasticsearch+https",
    "http",
    "https",
    "messaging",
    "mongodb",
    "mongodb+srv",
    "opensearch",
    "opensearch+https",
    "rabbit",
    "redis",
    "rediss",
    "valkey",
    "valkeys",
    "memory",
];
/// The ports of places of which only that is tried, by how their schemes begin.
const PORTS: [(&str, u16); 16] = [
    ("ceilometer", 8777),
    ("clickhouse+https", 8443),
    ("clickhouse", 8123),
    ("https", 443),
    ("http", 80),
    ("influxdb3", 8181),
    ("influxdb", 8086),
    ("jaeger", 16686),
    ("loginsight", 9000),
    ("mariadb", 3306),
    ("mysql", 3306),
    ("otlp+grpc", 4317),
    ("otlp+metrics+grpc", 4317),
    ("otlp", 4318),
    ("postgres", 5432),
    ("prometheus", 9090),
];

/// An error as a finding, with what to do by its kind where it does not say it itself.
pub(super) fn failed(subject: &str, error: &Error) -> Finding {
    let cure = match error.kind() {
        ErrorKind::Unavailable => "start it, or see to the way there",
        ErrorKind::Config => "mend the connection string, or the rights of its user",
        ErrorKind::NotFound => "make it, or mend the connection string",
        _ => "see to that server",
    };
    told(subject, error.message().to_owned() + &causes(error), cure)
}

/// A problem, with what to do unless that is told already.
pub(super) fn told(subject: &str, told: String, cure: &str) -> Finding {
    let is_told = told.contains("; mend ") || told.contains("; grant ");
    Finding::problem(subject, told, if is_told { "" } else { cure })
}

/// What an error comes from, as the rest of a sentence.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.map(|cause| format!(": {cause}")).collect()
}

/// A source, and whether somebody else takes from it while no daemon runs.
pub(super) async fn source(url: &ConnectionString, daemon_runs: bool) -> Vec<Finding> {
    let subject = format!("source {url}");
    let settings = match Settings::read(url) {
        Ok(settings) => settings,
        Err(error) => return vec![failed(&subject, &error)],
    };
    match settings.probe().await {
        Ok(Probe::Bus(queues)) => vec![of_queues(&subject, &queues, daemon_runs)],
        Ok(Probe::Addresses(_)) => {
            let mut findings = vec![Finding::ok(&*subject, "its addresses are of this machine")];
            findings.extend((url.scheme() == "udp").then(|| machine::datagrams(&subject)).flatten());
            findings
        }
        Ok(_) => Vec::new(),
        Err(error) => vec![failed(&subject, &error)],
    }
}

fn of_queues(subject: &str, queues: &[QueueState], daemon_runs: bool) -> Finding {
    let waiting: u64 = queues.iter().map(|queue| u64::from(queue.waiting)).sum();
    let told =
        format!("RabbitMQ lets us in; {} of its queues are there, and {waiting} messages wait", queues.len());
    match queues.iter().find(|queue| queue.consumers > 0) {
        Some(queue) if !daemon_runs => Finding::warning(
            subject,
            format!("{told}; {} is consumed by {} already", queue.name, queue.consumers),
            "end the old agent or collector, or add the option `pool`: each of several gets only a part",
        ),
        _ => Finding::ok(subject, told),
    }
}

/// A trace backend.
pub(super) async fn traces(to: ConnectionString, registry: &Registry) -> Vec<Finding> {
    let subject = format!("traces {to}");
    match to.scheme() {
        "embedded" => vec![machine::writable(&subject, to.location().as_ref().as_ref())],
        scheme if scheme.starts_with("sqlite") => {
            let file = to.database().unwrap_or_default().into_owned();
            let directory = std::path::Path::new(&file).parent().map(ToOwned::to_owned).unwrap_or_default();
            vec![machine::writable(&subject, &directory)]
        }
        scheme if LOOKS_ONLY.contains(&scheme) => match registry.connect(&to).await {
            Ok(driver) => {
                let guarded = Guarded::new(driver);
                let _ended_anyway = nephoscope_telemetry::Driver::close(&guarded).await;
                vec![Finding::ok(subject, "answers, and lets us in")]
            }
            Err(error) => vec![failed(&subject, &error)],
        },
        _ => reachable(&subject, &to).await,
    }
}

/// Whether somebody takes connections at the addresses of a place, of which no more is asked.
pub(super) async fn reachable(subject: &str, to: &ConnectionString) -> Vec<Finding> {
    let port = PORTS.iter().find(|(beginning, _)| to.scheme().starts_with(beginning)).map(|(_, port)| *port);
    let mut findings = Vec::new();
    for host in to.hosts() {
        let Some(port) = host.port.or(port) else { continue };
        findings.push(match TcpStream::connect((host.name.as_str(), port)).await {
            Ok(_) => Finding::ok(subject, format!("{}:{port} takes connections", host.name)),
            Err(error) => {
                let told = format!("{}:{port} cannot be reached: {error}", host.name);
                Finding::problem(subject, told, "start it, or see to the way there")
            }
        });
    }
    findings
}

/// The Keystone that tells who asks.
pub(super) async fn keystone(url: &ConnectionString) -> Vec<Finding> {
    let subject = format!("[keystone] {url}");
    let mut findings = match validates(url).await {
        Ok(true) => vec![Finding::ok(&*subject, "logs us in, and lets us validate tokens")],
        Ok(false) => vec![Finding::problem(
            &*subject,
            "does not know the token that it gave us",
            "see to Keystone: its machines may not share their keys",
        )],
        Err(error) => vec![failed(&subject, &error)],
    };
    findings.extend(clock::of_keystone(&subject, url).await);
    findings
}

/// Whether the Keystone tells whose our own token is.
async fn validates(url: &ConnectionString) -> Result<bool, Error> {
    let url = with_cloud(url)?;
    let missing = || url.wrong("option `auth_url` says where Keystone is");
    let keystone = Keystone::of(&url)?.ok_or_else(missing)?;
    let session = keystone.session().await?;
    let bearers = Bearers::new(Keystone::of(&url)?.ok_or_else(missing)?, DEFAULT_CACHE_TIME);
    Ok(bearers.bearer(session.token()).await?.is_some())
}
