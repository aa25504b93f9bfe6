//! The daemon takes in what the real Ceilometer publishes, in every way that Ceilometer has.

use std::time::{Duration, Instant};

use nephoscope_testkit::ceilometer;
use nephoscope_testkit::server::{Missing, RabbitmqServer, Server};
use serde_json::{Value, json};

use crate::source::{daemon, get};

/// Far more than the way through bus and spool takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// Without its last digit.
const INSTANCE: &str = "2f1e0d3c-4b5a-4697-8877-a1b2c3d4e5f";
/// It has a character that Python and Rust might hash differently.
const SECRET: &str = "s3crét";

/// Polling agent, notifier, UDP, TCP and HTTP: all signed samples arrive, of an instance each.
pub(crate) fn ceilometer_sends_to_the_daemon() -> Result<(), Missing> {
    let rabbit = RabbitmqServer::start()?;
    // oslo.messaging cannot log in with a password that has a slash.
    rabbit.control(&["add_user", "plain", "plain"]);
    rabbit.control(&["set_permissions", "plain", ".*", ".*", ".*"]);
    let bus = format!("plain:plain@127.0.0.1:{}/", rabbit.port());
    let server = daemon(&format!(
        "[samples]\ntelemetry_secret = \"{SECRET}\"\n\
         [[source]]\nurl = \"rabbit://{bus}?topics=notifications,metering\"\n\
         [[source]]\nurl = \"udp://127.0.0.1:0\"\n[[source]]\nurl = \"tcp://127.0.0.1:0\"\n"
    ));
    let port = |scheme: &str| -> String {
        let log = server.log();
        let told = log.split(&format!("{scheme}://127.0.0.1:0, at 127.0.0.1:")).nth(1);
        told.and_then(|told| told.split_whitespace().next()).unwrap_or_else(|| panic!("{log}")).to_owned()
    };
    let (udp, tcp) = (port("udp"), port("tcp"));
    ceilometer::publish(
        SECRET,
        &[
            &format!("polling://{bus}"),
            &format!("notifier://{bus}"),
            &format!("udp://127.0.0.1:{udp}"),
            &format!("tcp://127.0.0.1:{tcp}"),
            &format!("http://127.0.0.1:{}/samples", server.port()),
        ],
    )?;
    for number in 1..=5u8 {
        for (metric, value) in
            [("cpu", 1000.0 * f64::from(number)), ("memory.usage", f64::from(number) + 0.5)]
        {
            let path = format!("/v1/resource/instance/{INSTANCE}{number}/metric/{metric}/measures");
            let wanted = json!([["2026-01-31T01:00:00+00:00", 300.0, value]]);
            let began = Instant::now();
            loop {
                let answer = get(&server, &path);
                let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                if serde_json::from_str::<Value>(body).is_ok_and(|points| points == wanted) {
                    break;
                }
                assert!(began.elapsed() < TIME_LIMIT, "{path}: {answer}\n{}", server.log());
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
    let log = server.log();
    assert!(!log.contains("could not be taken in") && !log.contains(SECRET), "{log}");
    Ok(())
}
