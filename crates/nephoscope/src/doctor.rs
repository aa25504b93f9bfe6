//! `nephoscope doctor`: what would keep a daemon with this configuration from working, and what to do.
//!
//! Nothing is changed anywhere: nothing is declared, no message is taken, no file is written but those by which the engine of the
//! daemon's own store brings itself in order when it is opened. Every check has a time limit, and all go on at the same time.

mod clock;
mod daemon;
mod dispatcher;
mod finding;
mod machine;
mod own;
mod places;

use std::sync::Arc;
use std::time::Duration;

use nephoscope_telemetry::Registry;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::cli::DoctorArgs;
use crate::config::Config;
use crate::exit::Failure;
use crate::{backend, output};
use finding::{Finding, Status};
use own::OwnStore;

/// How long a check may take: a server that is there answers sooner, even when a login comes first.
const LIMIT: Duration = Duration::from_secs(10);

/// Looks at everything, and prints what was found. A problem is a failure.
pub(crate) async fn run(args: &DoctorArgs, registry: Registry) -> anyhow::Result<()> {
    let config = Config::read(&args.config, &registry)?;
    let findings = examine(config, registry).await;
    output::print(&report(&findings, args.json))?;
    match findings.iter().filter(|finding| finding.status == Status::Problem).count() {
        0 => Ok(()),
        1 => Err(Failure::Partly("there is a problem".into()).into()),
        problems => Err(Failure::Partly(format!("there are {problems} problems")).into()),
    }
}

fn report(findings: &[Finding], json: bool) -> String {
    if json {
        let all: Vec<_> = findings.iter().map(Finding::to_json).collect();
        return format!("{:#}\n", serde_json::Value::from(all));
    }
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

async fn examine(config: Config, registry: Registry) -> Vec<Finding> {
    let (config, registry) = (Arc::new(config), Arc::new(registry));
    let listen = config.listen.value.clone();
    // First, for what others mean depends on it.
    let of_daemon = limited(format!("daemon at {listen}"), async move { daemon::look(&listen).await }).await;
    let runs = of_daemon.iter().any(|finding| finding.status == Status::Ok);
    let is_open = matches!(config.api.auth.value.as_str(), "none" | "basic");
    let given_out = daemon::place(&config.listen.value).filter(|_| runs && is_open);
    let own = Arc::new(OwnStore::new(config.clone()));

    let mut checks = Checks::default();
    let on_disk = config.clone();
    checks.add(format!("data_dir {}", config.data_dir.value.display()), async move {
        let looked = tokio::task::spawn_blocking(move || machine::data_dir(&on_disk)).await;
        looked.unwrap_or_default()
    });
    for source in config.sources.iter().map(|source| source.value.clone()) {
        checks.add(format!("source {source}"), async move { places::source(&source, runs).await });
    }
    for to in &config.samples.dispatchers.value {
        let (given_out, own, name) = (given_out.clone(), own.clone(), format!("dispatcher {to}"));
        let (looked_at, defined, timed) = (to.clone(), to.clone(), to.clone());
        checks.add(name.clone(), async move { dispatcher::look(&looked_at, given_out.as_ref(), &own).await });
        checks.add(name.clone(), async move { dispatcher::definitions(&defined) });
        checks.add(name, async move { dispatcher::clocks(&timed).await });
    }
    for to in &config.trace_drivers.value {
        let to = backend::locate(to, &config.data_dir.value);
        let registry = registry.clone();
        checks.add(format!("traces {to}"), async move { places::traces(to, &registry).await });
    }
    if let Some(url) = config.keystone.url.value.clone() {
        checks.add(format!("[keystone] {url}"), async move { places::keystone(&url).await });
    }
    let mut findings = of_daemon;
    findings.extend(checks.end().await);
    findings
}

/// Checks that go on at the same time, told in the order in which they were added.
#[derive(Default)]
struct Checks {
    running: JoinSet<(usize, Vec<Finding>)>,
    added: usize,
}

impl Checks {
    fn add(&mut self, subject: String, check: impl Future<Output = Vec<Finding>> + Send + 'static) {
        let number = self.added;
        self.added += 1;
        self.running.spawn(async move { (number, limited(subject, check).await) });
    }

    async fn end(self) -> Vec<Finding> {
        let mut all = self.running.join_all().await;
        all.sort_by_key(|(number, _)| *number);
        all.into_iter().flat_map(|(_, findings)| findings).collect()
    }
}

/// What a check finds, in time.
async fn limited(subject: String, check: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    timeout(LIMIT, check).await.unwrap_or_else(|_| {
        let told = format!("there is no answer within {} s", LIMIT.as_secs());
        vec![Finding::problem(subject, told, "see to that server, and to the way there")]
    })
}
