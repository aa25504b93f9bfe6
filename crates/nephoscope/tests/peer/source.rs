//! The daemon takes off RabbitMQ what the real OSProfiler sent there.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nephoscope_messaging::{Destination, INFO, Outgoing, Publisher, Transport};
use nephoscope_telemetry::{ConnectionString, Driver, TracePoint};
use nephoscope_testkit::osprofiler::Osprofiler;
use nephoscope_testkit::server::{
    Missing, NephoscopeServer, RabbitmqOptions, RabbitmqServer, RedisServer, Server,
};
use tokio::runtime::Runtime;

use crate::golden;

/// Far more than a batch, a reconnection or the start of a server takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);

fn runtime() -> Runtime {
    Runtime::new().expect("threads can be started")
}

fn parse(url: &str) -> ConnectionString {
    ConnectionString::parse(url).expect("it is one")
}

async fn connect(url: &str) -> Arc<dyn Driver> {
    nephoscope_drivers::registry().connect(&parse(url)).await.expect("it listens")
}

pub(crate) fn daemon(configuration: &str) -> NephoscopeServer {
    NephoscopeServer::start(Path::new(env!("CARGO_BIN_EXE_nephoscope")), configuration)
}

/// Asks again until the answer is what is wanted.
async fn until<T: PartialEq + std::fmt::Debug>(wanted: T, mut ask: impl AsyncFnMut() -> T) {
    let began = Instant::now();
    loop {
        let answer = ask().await;
        if answer == wanted {
            return;
        }
        assert!(began.elapsed() < TIME_LIMIT, "still {answer:?}, not {wanted:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until a place has these points, and no others, of their trace.
async fn wait_for(url: &str, points: &[TracePoint]) {
    let driver = connect(url).await;
    until(sorted(points), async || {
        sorted(&driver.points(&points[0].base_id).await.expect("it answers").good)
    })
    .await;
}

fn sorted(points: &[TracePoint]) -> Vec<String> {
    let mut texts: Vec<_> = points.iter().map(TracePoint::to_json).collect();
    texts.sort();
    // What the broker delivers again after an outage may be there again.
    texts.dedup();
    texts
}

/// How many messages a queue holds, those included that are out with a consumer, and how many those are.
fn queue(server: &RabbitmqServer, name: &str) -> [usize; 2] {
    let columns = ["name", "messages", "messages_unacknowledged"];
    let list = server.control(&[["list_queues", "--no-table-headers"].as_slice(), &columns].concat());
    let line = list.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0 0").to_owned();
    let numbers: Vec<_> = line.split_whitespace().map(|number| number.parse().expect("a number")).collect();
    [numbers[0], numbers[1]]
}

async fn wait_for_queue(server: &RabbitmqServer, wanted: [usize; 2]) {
    until(wanted, async || queue(server, "profiler.info")).await;
}

pub(crate) fn get(server: &NephoscopeServer, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

/// What OSProfiler sends is in the daemon, in all its forms, and no longer in the queue.
pub(crate) fn osprofiler_sends_to_the_daemon() -> Result<(), Missing> {
    let peer = Osprofiler::find()?;
    let rabbit = RabbitmqServer::start()?;
    // oslo.messaging cannot log in with a password that has a slash.
    rabbit.control(&["add_user", "plain", "plain"]);
    rabbit.control(&["set_permissions", "plain", ".*", ".*", ".*"]);
    let theirs = format!("rabbit://plain:plain@127.0.0.1:{}/", rabbit.port());
    let (base_id, sent) = peer.trace_and_tell(&theirs);
    assert_eq!(queue(&rabbit, "profiler.info"), [sent.len(), 0]);
    let server = daemon(&format!("[[source]]\nurl = \"{}\"\n", rabbit.url()));
    runtime().block_on(async {
        let port = server.port();
        wait_for(&format!("http://127.0.0.1:{port}"), &sent).await;
        wait_for_queue(&rabbit, [0, 0]).await;
        // What is sent while it runs comes too.
        let (_, more) = peer.trace_and_tell(&theirs);
        wait_for(&format!("http://127.0.0.1:{port}"), &more).await;
        wait_for_queue(&rabbit, [0, 0]).await;
        let events = get(&server, &format!("/v2/events?q.field=base_id&q.value={base_id}&limit=1000"));
        assert_eq!(events.matches("\"message_id\"").count(), sent.len(), "{events}");
        let report = get(&server, &format!("/api/traces/{base_id}"));
        assert!(report.starts_with("HTTP/1.1 200") && report.contains("ValueError"), "{report}");
    });
    Ok(())
}

/// Over TLS, and off a quorum queue, it is all the same.
pub(crate) fn points_come_over_tls_and_off_a_quorum_queue() -> Result<(), Missing> {
    for (options, option) in [
        (RabbitmqOptions { tls: true }, "amqp_durable_queues=true"),
        (RabbitmqOptions::default(), "rabbit_quorum_queue=true"),
    ] {
        let rabbit = RabbitmqServer::start_with(options)?;
        let separator = if options.tls { '&' } else { '?' };
        let bus = format!("{}{separator}{option}", rabbit.url());
        let (first, second) = (golden("nested").good, golden("exceptions").good);
        runtime().block_on(async {
            connect(&bus).await.notify(&first).await.expect("the broker takes them");
            let server = daemon(&format!("[[source]]\nurl = \"{bus}\"\n"));
            let store = format!("http://127.0.0.1:{}", server.port());
            wait_for(&store, &first).await;
            // A report looks into the queue while the daemon consumes it.
            let beside = connect(&bus).await;
            beside.notify(&second).await.expect("the broker takes them");
            beside.points(&second[0].base_id).await.expect("it looks");
            wait_for(&store, &second).await;
            wait_for_queue(&rabbit, [0, 0]).await;
        });
    }
    Ok(())
}

fn publisher(url: &str, topic: &str) -> Publisher {
    let transport = Transport::read(&parse(url)).expect("it is a transport");
    let to = Destination::new("openstack", topic, INFO).expect("it is a topic");
    nephoscope_messaging::connect(transport, to, Duration::from_secs(1)).0
}

fn outgoing(payload: &str) -> Outgoing {
    Outgoing { event_type: "profiler.test".into(), publisher_id: "test".into(), payload: payload.into() }
}

/// Messages that are none go to the dead letters, once each; their neighbours are stored. What services tell of themselves is
/// counted, and once it is told that nothing is made of it.
pub(crate) fn a_poisonous_message_costs_itself() -> Result<(), Missing> {
    let rabbit = RabbitmqServer::start()?;
    let dead_letters = r#"{"dead-letter-exchange": "", "dead-letter-routing-key": "refused.info"}"#;
    rabbit.control(&["set_policy", "--apply-to", "queues", "dead", "^profiler", dead_letters]);
    let points = golden("nested").good;
    let mut messages: Vec<_> = points.iter().map(|point| outgoing(&point.to_json())).collect();
    let poisons = ["{\"base_id\": 5}", "[1", "[]", "null"];
    for (place, poison) in poisons.into_iter().enumerate() {
        messages.insert(2 * place, outgoing(poison));
    }
    let of_service = Outgoing { event_type: "image.send".into(), ..outgoing("{}") };
    messages.extend([of_service.clone(), of_service]);
    runtime().block_on(async {
        // This makes the queue.
        publisher(&rabbit.url(), "refused").send("test", &[outgoing("{}")]).await.expect("it takes it");
        publisher(&rabbit.url(), "profiler").send("test", &messages).await.expect("it takes them");
        let server = daemon(&format!("[[source]]\nurl = \"{}\"\n", rabbit.url()));
        wait_for(&format!("http://127.0.0.1:{}", server.port()), &points).await;
        wait_for_queue(&rabbit, [0, 0]).await;
        until([1 + poisons.len(), 0], async || queue(&rabbit, "refused.info")).await;
        let metrics = get(&server, "/metrics");
        for (event, count) in [
            ("taken", messages.len()),
            ("stored", points.len()),
            ("refused", poisons.len()),
            ("ignored", 2),
            ("outage", 0),
        ] {
            let told = format!("event=\"{event}\"}} {count}\n");
            assert!(metrics.contains(&told), "{told} is not in {metrics}");
        }
        assert_eq!(
            server.log().matches("refusing a message").count(),
            2,
            "one of each kind: {}",
            server.log()
        );
        assert_eq!(server.log().matches("nothing is made of a notification `image.send`").count(), 1);
        assert!(!(server.log() + &metrics).contains(nephoscope_testkit::server::PASSWORD));
    });
    Ok(())
}

/// While the backend is away nothing is acknowledged; the broker restarts meanwhile, and nothing is lost.
pub(crate) fn nothing_is_lost_while_backend_and_broker_are_away() -> Result<(), Missing> {
    let (mut rabbit, mut redis) = (RabbitmqServer::start()?, RedisServer::start()?);
    let bus = format!("{}?amqp_durable_queues=true", rabbit.url());
    let redis_url = redis.url();
    let server = daemon(&format!("[traces]\ndrivers = [\"{redis_url}\"]\n[[source]]\nurl = \"{bus}\"\n"));
    let (first, second) = (golden("nested").good, golden("exceptions").good);
    runtime().block_on(async {
        redis.kill();
        connect(&bus).await.notify(&first).await.expect("the broker takes them");
        // They are out with the daemon, which cannot store them.
        until(true, async || server.log().contains("waits in its queue")).await;
        wait_for_queue(&rabbit, [first.len(); 2]).await;
        rabbit.kill();
        rabbit.restart();
        redis.restart();
        connect(&bus).await.notify(&second).await.expect("the broker takes them");
        wait_for(&redis_url, &first).await;
        wait_for(&redis_url, &second).await;
        wait_for_queue(&rabbit, [0, 0]).await;
    });
    Ok(())
}
