//! Programs that talk to a Gnocchi, which are to find no difference between the daemon and the real one.

use nephoscope_testkit::gnocchi::{client, consumer};
use nephoscope_testkit::server::{GnocchiOptions, GnocchiServer, Missing};
use nephoscope_testkit::{Trial, trial};
use serde_json::Value;

/// Settings of a Gnocchi as it comes, but without archive policies.
pub(crate) const PLAIN: &str = r#"
    [http]
    auth = "basic"
    [store]
    default_archive_policies = false
"#;

/// The client, and how many steps it takes at least: what it does cannot shrink unnoticed.
const CLIENTS: [(&str, usize); 3] = [("openstack", 70), ("library", 70), ("ceilometer", 4)];

/// What reads a Gnocchi, and how many steps each takes at least.
const CONSUMERS: [(&str, usize); 4] = [("aodh", 100), ("cloudkitty", 70), ("grafana", 200), ("watcher", 30)];

/// What a program comes to with the server at a URL.
type Program = fn(&str, &str) -> Result<String, Missing>;

pub(crate) fn trials() -> Vec<Trial> {
    let clients = CLIENTS.into_iter().map(|(name, steps)| (client as Program, name, steps));
    let consumers = CONSUMERS.into_iter().map(|(name, steps)| (consumer as Program, name, steps));
    let trial_of = |(program, name, steps): (Program, &'static str, usize)| {
        trial(format!("clients::{name}"), move || finds_no_difference(program, name, steps))
    };
    clients.chain(consumers).map(trial_of).collect()
}

fn finds_no_difference(program: Program, name: &str, least: usize) -> Result<(), Missing> {
    let real = GnocchiServer::start(&GnocchiOptions::default())?;
    let ours = super::serve(PLAIN);
    let wanted = steps(&program(name, &real.url())?);
    let found = steps(&program(name, &format!("http://127.0.0.1:{}", ours.port()))?);
    assert!(wanted.len() >= least, "only {} steps", wanted.len());
    let differ = |(wanted, found): (&Value, &Value)| {
        (wanted != found).then(|| format!("{}\n  real {}\n  ours {}", wanted[0], wanted[1], found[1]))
    };
    let differences: Vec<_> = wanted.iter().zip(&found).filter_map(differ).collect();
    assert!(
        differences.is_empty(),
        "{} of {} steps differ:\n{}",
        differences.len(),
        wanted.len(),
        differences.join("\n")
    );
    assert_eq!(wanted.len(), found.len());
    Ok(())
}

fn steps(told: &str) -> Vec<Value> {
    let steps: Value = serde_json::from_str(told).expect("it is JSON");
    steps.as_array().expect("it is a list").clone()
}
