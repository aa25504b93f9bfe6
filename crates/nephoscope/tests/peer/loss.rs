//! What the broker took is not lost, whenever the daemon or the broker goes down.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use nephoscope_messaging::{Destination, Outgoing, Publisher, Transport};
use nephoscope_telemetry::ConnectionString;
use nephoscope_testkit::random::Random;
use nephoscope_testkit::server::{Missing, NephoscopeServer, RabbitmqServer, Server};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{Sender, channel};

/// How many rounds there are, where more are wanted than usual.
const ROUNDS: &str = "NEPHOSCOPE_TEST_CRASH_ROUNDS";
const USUAL_ROUNDS: usize = 4;
const EACH_MESSAGE: usize = 20;
/// How many messages the broker takes in a round at most: somebody dies at the start, or in the middle.
const MOST_MESSAGES: usize = 100;
/// How far the publisher may be ahead of the test.
const AHEAD: usize = 20;
/// Far more than a reconnection or the start of a server takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A message with these samples, as a polling agent sends it.
fn message(first: usize) -> Outgoing {
    let sample = |number: usize| {
        json!({
            "counter_name": "cpu", "counter_type": "gauge", "counter_unit": "ns", "counter_volume": number,
            "user_id": null, "project_id": "p", "resource_id": format!("vm-{}", number % 7), "source": "openstack",
            "timestamp": "2026-01-02T03:04:05", "resource_metadata": {"display_name": "web"},
            "message_id": number.to_string(), "message_signature": "",
        })
    };
    let samples: Vec<_> = (first..first + EACH_MESSAGE).map(sample).collect();
    Outgoing {
        event_type: "telemetry.polling".into(),
        publisher_id: "ceilometer.polling".into(),
        payload: json!({ "samples": samples }).to_string(),
    }
}

fn publisher(url: &str) -> Publisher {
    let transport =
        Transport::read(&ConnectionString::parse(url).expect("it is one")).expect("it is a transport");
    let to = Destination::new("ceilometer", "notifications", "sample").expect("it is a topic");
    nephoscope_messaging::connect(transport, to, Duration::from_secs(1)).0
}

/// Sends messages until nobody listens any more, and tells how many samples the broker confirmed.
async fn publish(bus: String, confirmed: Sender<usize>) {
    let (publisher, mut sent) = (publisher(&bus), 0);
    loop {
        // What is not confirmed may be there or not, and is sent again.
        if publisher.send("test", &[message(sent)]).await.is_ok() {
            sent += EACH_MESSAGE;
            if confirmed.send(sent).await.is_err() {
                return;
            }
        }
    }
}

/// The samples in the file. A line that a crash cut off is none.
fn arrived(lines: &Path) -> HashSet<usize> {
    let text = std::fs::read_to_string(lines).unwrap_or_default();
    let samples = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    samples
        .map(|sample| sample["id"].as_str().expect("it is text").parse().expect("it is a number"))
        .collect()
}

pub(crate) fn nothing_is_lost_off_the_bus_by_crashes() -> Result<(), Missing> {
    let mut rabbit = RabbitmqServer::start()?;
    // The broker goes down, too.
    let bus = format!("{}?amqp_durable_queues=true", rabbit.url());
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let lines = directory.path().join("samples.jsonl");
    let configuration = format!(
        "[samples]\ndispatchers = [\"file://{}\"]\n[[source]]\nurl = \"{bus}&topics=notifications\"\n",
        lines.display()
    );
    let mut daemon = NephoscopeServer::start(Path::new(env!("CARGO_BIN_EXE_nephoscope")), &configuration);
    let rounds = std::env::var(ROUNDS).map_or(USUAL_ROUNDS, |rounds| rounds.parse().expect("it is a number"));
    let (mut random, mut sent) = (Random::new(1), 0);
    let runtime = Runtime::new().expect("threads can be started");
    let (tell, mut confirmed) = channel(AHEAD);
    runtime.spawn(publish(bus, tell));
    for round in 0..rounds {
        for _ in 0..=random.below(MOST_MESSAGES) {
            sent = confirmed.blocking_recv().expect("it is sent until the end");
        }
        match round % 3 {
            0 => daemon.kill(),
            1 => daemon.terminate(),
            _ => rabbit.kill(),
        }
        if round % 3 == 2 { rabbit.restart() } else { daemon.restart() }
    }
    confirmed.close();
    while let Some(more) = confirmed.blocking_recv() {
        sent = more;
    }
    let began = Instant::now();
    loop {
        let arrived = arrived(&lines);
        let missing = (0..sent).filter(|number| !arrived.contains(number)).count();
        if missing == 0 {
            break;
        }
        assert!(began.elapsed() < TIME_LIMIT, "{missing} of {sent} samples are lost:\n{}", daemon.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
