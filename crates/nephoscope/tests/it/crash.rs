//! What the daemon answered with 202 is there after it is killed, and no aggregate is wrong.

use std::collections::BTreeMap;
use std::env;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::daemon::Daemon;
use crate::http::{get, request};
use crate::program::Store;

/// How many rounds there are, where more are wanted than usual.
const ROUNDS: &str = "NEPHOSCOPE_TEST_CRASH_ROUNDS";
const WRITERS: usize = 4;
/// So many measures go to one metric, and the next ones to one that is not there yet.
const EACH_METRIC: u64 = 23;
/// The seconds between two measures of a writer, and in a period.
const STEP: u64 = 40;
const PERIOD: u64 = 300;
const START: u64 = 1_700_000_100;
const JSON: &str = "Content-Type: application/json\r\n";

fn metric(number: u64) -> String {
    format!("metric-{}", number / EACH_METRIC)
}

/// The status of an answer; none, when the daemon went away.
fn post(to: SocketAddr, path: &str, body: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(to).ok()?;
    let length = body.len();
    let head = format!("POST {path} HTTP/1.0\r\nHost: test\r\n{JSON}Content-Length: {length}\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    std::str::from_utf8(&answer).ok()?.split(' ').nth(1)?.parse().ok()
}

/// Measure `n` is `n`, in two resources at once. Goes on until the daemon is gone. The number behind the last measure that
/// was acknowledged.
fn write(to: SocketAddr, writer: usize, first: u64, stored: &SyncSender<()>) -> u64 {
    for number in first.. {
        let measures = format!(
            r#"{{"{}": [{{"timestamp": {}, "value": {number}}}]}}"#,
            metric(number),
            START + STEP * number
        );
        let body = format!(r#"{{"a-{writer}": {measures}, "b-{writer}": {measures}}}"#);
        match post(to, "/v1/batch/resources/metrics/measures?create_metrics=true", &body) {
            Some(status) => assert_eq!(status, 202),
            None => return number,
        }
        // Only the first one is waited for.
        let _more = stored.try_send(());
    }
    unreachable!("there are enough numbers")
}

/// By the beginning of the period.
fn points(to: SocketAddr, resource: &str, metric: &str, aggregation: &str) -> BTreeMap<u64, f64> {
    let path = format!("/v1/resource/generic/{resource}/metric/{metric}/measures?aggregation={aggregation}");
    let answer = get(to, &path);
    if answer.status == 404 {
        return BTreeMap::new();
    }
    let first = 1_700_000_100_u64;
    let points = answer.json();
    let seconds = |text: &str| {
        // All are of a few days from 2023-11-14T22:15:00 on.
        let number = |range: std::ops::Range<usize>| text[range].parse::<u64>().unwrap();
        assert!(text.starts_with("2023-11-"), "{text}");
        let since = (number(8..10) * 24 + number(11..13)) * 3600 + number(14..16) * 60 + number(17..19);
        first + since - ((14 * 24 + 22) * 3600 + 15 * 60)
    };
    let point = |point: &serde_json::Value| (seconds(point[0].as_str().unwrap()), point[2].as_f64().unwrap());
    points.as_array().unwrap().iter().map(point).collect()
}

/// How many measures of a resource there are, all of which have to be in every aggregate.
fn check(to: SocketAddr, resource: &str) -> u64 {
    let mut all = 0;
    for metric_number in 0.. {
        let name = metric(metric_number * EACH_METRIC);
        let counts = points(to, resource, &name, "count");
        let count = counts.values().sum::<f64>() as u64;
        let first = metric_number * EACH_METRIC;
        let mut periods: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for number in first..first + count {
            periods.entry((START + STEP * number) / PERIOD * PERIOD).or_default().push(number as f64);
        }
        let expected = |aggregate: fn(&[f64]) -> f64| -> BTreeMap<u64, f64> {
            periods.iter().map(|(period, values)| (*period, aggregate(values))).collect()
        };
        assert_eq!(counts, expected(|values| values.len() as f64), "{resource} {name}");
        assert_eq!(points(to, resource, &name, "sum"), expected(|values| values.iter().sum()));
        assert_eq!(points(to, resource, &name, "min"), expected(|values| values[0]));
        assert_eq!(points(to, resource, &name, "max"), expected(|values| values[values.len() - 1]));
        all += count;
        if count < EACH_METRIC {
            break;
        }
    }
    all
}

#[test]
fn what_was_answered_with_202_is_there_after_the_daemon_is_killed() {
    let rounds: u64 = env::var(ROUNDS).map_or(6, |rounds| rounds.parse().unwrap());
    let store = Store::new();
    let data = store.path("data").to_str().unwrap().to_owned();
    let mut next = [0; WRITERS];
    for round in 0..=rounds {
        let mut daemon = Daemon::serve(&["--data-dir", &data]);
        let address = daemon.address;
        if round == 0 {
            for writer in 0..WRITERS {
                for resource in ["a", "b"] {
                    let body = format!(r#"{{"id": "{resource}-{writer}"}}"#);
                    assert_eq!(
                        request(address, "POST", "/v1/resource/generic", JSON, body.as_bytes()).status,
                        201
                    );
                }
            }
        }
        for (writer, next) in next.iter_mut().enumerate() {
            let there = check(address, &format!("a-{writer}"));
            assert_eq!(check(address, &format!("b-{writer}")), there, "a batch is there in part");
            // One more may be there, which was not answered any more.
            assert!(there == *next || there == *next + 1, "round {round}: {there} of {next} are there");
            *next = there;
        }
        if round == rounds {
            break;
        }
        let (stored, first_stored) = sync_channel(1);
        let writers: Vec<_> = next
            .iter()
            .enumerate()
            .map(|(writer, first)| {
                let (stored, first) = (stored.clone(), *first);
                thread::spawn(move || write(address, writer, first, &stored))
            })
            .collect();
        first_stored.recv().unwrap();
        thread::sleep(Duration::from_millis(round * 37 % 150));
        daemon.kill();
        for (next, writer) in next.iter_mut().zip(writers) {
            *next = writer.join().unwrap();
        }
    }
    assert!(next.iter().sum::<u64>() > rounds, "only {next:?} were acknowledged");
}
