//! What only `rabbit://` promises: that a report leaves the queue to those who consume it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use nephoscope_messaging::{BadMessage, Batch, Consumer, Destination, INFO, Notification, Transport};
use nephoscope_telemetry::{ConnectionString, Driver, Json, Timestamp, TracePoint};
use nephoscope_testkit::server::{Missing, RabbitmqServer, Server};
use nephoscope_testkit::{Trial, trial};
use tokio::time::timeout;

/// Many times what is delivered to a consumer.
const POINTS: i64 = 3_000;
const MOST: u16 = 100;
const PATIENCE: Duration = Duration::from_millis(20);
/// Far more than a delivery takes.
const TIME_LIMIT: Duration = Duration::from_secs(30);

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, option) in
        [("rabbit", "amqp_durable_queues=true"), ("rabbit+quorum", "rabbit_quorum_queue=true")]
    {
        trials
            .push(trial(format!("{name}::a_consumer_gets_all_that_reports_look_at_meanwhile"), move || {
                run(option, |url| Box::pin(look_while_it_is_consumed(url)))
            }));
        trials.push(trial(format!("{name}::a_report_loses_nothing_of_what_a_consumer_holds"), move || {
            run(option, |url| Box::pin(look_beside_a_holder(url)))
        }));
        trials.push(trial(
            format!("{name}::what_is_settled_leaves_the_queue_and_nothing_else_does"),
            move || run(option, |url| Box::pin(settle_two_batches(url))),
        ));
        trials.push(trial(format!("{name}::short_messages_behind_a_long_one_come_in_batches"), move || {
            run(option, |url| Box::pin(take_short_behind_long(url)))
        }));
    }
    trials.push(trial("rabbit::what_a_transient_queue_had_delivered_outlives_its_broker", || {
        lose_the_broker("amqp_durable_queues=false", true)
    }));
    trials.push(trial("rabbit::what_a_durable_queue_had_delivered_is_left_to_it", || {
        lose_the_broker("amqp_durable_queues=true", false)
    }));
    trials.push(trial("rabbit::what_is_in_hand_is_settled_though_another_queue_is_gone", lose_a_queue));
    trials
}

fn run(option: &str, test: fn(String) -> std::pin::Pin<Box<dyn Future<Output = ()>>>) -> Result<(), Missing> {
    let server = RabbitmqServer::start()?;
    runtime().block_on(test(format!("{}?{option}", server.url())));
    Ok(())
}

fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("threads can be started")
}

fn parse(url: &str) -> ConnectionString {
    ConnectionString::parse(url).expect("it is one")
}

fn point(number: i64) -> TracePoint {
    let time = Timestamp::from_micros(number);
    TracePoint::new("db-start", "b".into(), number.to_string().as_str().into(), "b".into(), time)
}

fn points() -> Vec<TracePoint> {
    (0..POINTS).map(point).collect()
}

/// Stores points in a queue.
async fn send(url: &str, points: &[TracePoint]) -> Arc<dyn Driver> {
    let driver = nephoscope_drivers::registry().connect(&parse(url)).await.expect("it listens");
    driver.notify(points).await.expect("the broker takes them");
    driver
}

fn consumer(url: &str) -> Consumer {
    let transport = Transport::read(&parse(url)).expect("it is a transport");
    let from = Destination::new("openstack", "profiler", INFO).expect("it is a topic");
    // What the first message was taken with has that one still.
    Consumer::new(transport, vec![from], (MOST - 1) / 2)
}

async fn next(consumer: &mut Consumer) -> Batch {
    let next = timeout(TIME_LIMIT, consumer.next(PATIENCE)).await.expect("there are more messages");
    next.expect("the broker delivers")
}

/// Takes the payloads out of a batch.
fn payloads(batch: &mut Batch) -> Vec<String> {
    let payload = |message: Result<Notification, BadMessage>| {
        message.expect("it is a notification").payload().expect("it has one").to_owned()
    };
    batch.take_messages().into_iter().map(payload).collect()
}

/// How many points a report shows.
async fn shown(driver: &dyn Driver) -> usize {
    driver.points(&"b".into()).await.expect("it can be read").good.len()
}

/// Reports look on and on until the consumer has everything, and it gets everything.
async fn look_while_it_is_consumed(url: String) {
    let driver = send(&url, &points()).await;
    let mut consumer = consumer(&url);
    let mut taken = BTreeSet::new();
    let consume = async {
        while taken.len() < POINTS as usize {
            let mut batch = next(&mut consumer).await;
            taken.extend(payloads(&mut batch));
            batch.settle(&BTreeSet::new()).await.expect("the broker takes it");
        }
    };
    let look = async {
        loop {
            assert!(shown(&*driver).await <= POINTS as usize);
        }
    };
    tokio::select! {
        () = consume => {}
        () = look => unreachable!("it looks on and on"),
    }
    consumer.close().await;
    // What a report that was broken off had taken is back, and is what the consumer has had already.
    let left = driver.points(&"b".into()).await.expect("it can be read").good;
    assert!(left.iter().all(|point| taken.contains(&point.to_json())), "the consumer missed a message");
}

/// A report shows what nobody holds; when the holder goes without settling, everything is there.
async fn look_beside_a_holder(url: String) {
    let driver = send(&url, &points()).await;
    let mut consumer = consumer(&url);
    let mut held = next(&mut consumer).await;
    let count = held.take_messages().len();
    assert!(count > 0);
    let beside = shown(&*driver).await;
    // The broker may have more on the way to the holder than it has looked at, and not more than it asked for.
    let most = POINTS as usize;
    assert!((most - usize::from(MOST)..=most - count).contains(&beside), "it shows {beside}");
    consumer.close().await;
    assert_eq!(shown(&*driver).await, most);
    assert_eq!(shown(&*driver).await, most, "what a report looked at is still there");
}

/// One with messages that are refused, the last of them among these, and one that is given back.
async fn settle_two_batches(url: String) {
    let driver = send(&url, &points()).await;
    let mut consumer = consumer(&url);
    let mut batch = next(&mut consumer).await;
    let mut given_back = next(&mut consumer).await;
    let taken: BTreeSet<_> = payloads(&mut batch).into_iter().collect();
    let refused = BTreeSet::from([0, taken.len() / 2, taken.len() - 1]);
    batch.settle(&refused).await.expect("the broker takes it");
    assert!(!given_back.take_messages().is_empty());
    consumer.close().await;
    let left = driver.points(&"b".into()).await.expect("it can be read").good;
    assert_eq!(left.len(), POINTS as usize - taken.len());
    assert!(left.iter().all(|point| !taken.contains(&point.to_json())), "something settled is there");
}

/// So few are delivered ahead, by the length of the first, that no batch ever has all it may have.
async fn take_short_behind_long(url: String) {
    const NEVER: Duration = Duration::from_secs(3600);
    let mut points = points();
    points[0].info = Json::written(&format!("{{\"text\": \"{}\"}}", "x".repeat(1 << 20)));
    let _driver = send(&url, &points).await;
    let mut consumer = consumer(&url);
    let mut taken = 0;
    while taken < POINTS as usize - usize::from(MOST) {
        let next = timeout(TIME_LIMIT, consumer.next(NEVER)).await.expect("there are more messages");
        let mut batch = next.expect("the broker delivers");
        taken += batch.take_messages().len();
        batch.settle(&BTreeSet::new()).await.expect("the broker takes it");
    }
    consumer.close().await;
}

/// One of two queues is deleted while there is a batch of the other.
fn lose_a_queue() -> Result<(), Missing> {
    let server = RabbitmqServer::start()?;
    let url = format!("{}?amqp_durable_queues=true", server.url());
    runtime().block_on(async move {
        let point = point(1);
        let driver = send(&url, std::slice::from_ref(&point)).await;
        let from = ["profiler", "other"].map(|topic| Destination::new("openstack", topic, INFO));
        let from = from.map(|destination| destination.expect("it is a topic")).into();
        let mut consumer =
            Consumer::new(Transport::read(&parse(&url)).expect("it is a transport"), from, MOST);
        let mut batch = next(&mut consumer).await;
        assert_eq!(payloads(&mut batch), [point.to_json()]);
        server.control(&["delete_queue", "other.info"]);
        let gone = timeout(TIME_LIMIT, consumer.next(PATIENCE)).await.expect("the broker tells");
        gone.expect_err("a queue is gone");
        batch.settle(&BTreeSet::new()).await.expect("the broker takes it");
        consumer.close().await;
        assert_eq!(shown(&*driver).await, 0, "what was settled is there");
    });
    Ok(())
}

/// The broker ends while a consumer waits for more behind what it has.
fn lose_the_broker(option: &str, is_given_out: bool) -> Result<(), Missing> {
    let mut server = RabbitmqServer::start()?;
    let url = format!("{}?{option}", server.url());
    runtime().block_on(async move {
        let point = point(1);
        let _driver = send(&url, std::slice::from_ref(&point)).await;
        let mut consumer = consumer(&url);
        let ending = tokio::task::spawn_blocking(move || {
            let columns = ["list_queues", "--no-table-headers", "messages_unacknowledged"];
            while server.control(&columns).trim() != "1" {}
            server.kill();
            server
        });
        let (taken, server) = tokio::join!(timeout(2 * TIME_LIMIT, consumer.next(2 * TIME_LIMIT)), ending);
        let mut server = server.expect("it is ended");
        let taken = taken.expect("the broker is gone before");
        if is_given_out {
            let mut batch = taken.expect("it was delivered");
            assert_eq!(payloads(&mut batch), [point.to_json()]);
            batch.settle(&BTreeSet::new()).await.expect_err("there is nobody to tell");
            consumer.next(PATIENCE).await.expect_err("that the broker is gone is told");
        } else {
            taken.expect_err("that the broker is gone is told");
            consumer.close().await;
            server.restart();
            assert_eq!(payloads(&mut next(&mut consumer).await), [point.to_json()]);
        }
    });
    Ok(())
}
