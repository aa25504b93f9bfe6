//! From the connection string to what the bus needs.

use std::time::Duration;

use nephoscope_messaging::{Destination, INFO, Transport};
use nephoscope_telemetry::{ConnectionString, Result};

/// Where OSProfiler sends its notifications.
const TOPIC: &str = "profiler";
/// The exchange of a service that names no other.
const CONTROL_EXCHANGE: &str = "openstack";
/// What OSProfiler's `--idle-timeout` is by default.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);
const OPTIONS: [&str; 4] = ["topic", "control_exchange", "idle_timeout", "filter_error_trace"];

/// Where the notifications go, and how long a read waits for one.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) transport: Transport,
    pub(super) destination: Destination,
    pub(super) idle: Duration,
}

impl Settings {
    pub(super) fn read(to: &ConnectionString) -> Result<Self> {
        to.expect_options(&[OPTIONS.as_slice(), &Transport::OPTIONS].concat())?;
        to.flag("filter_error_trace")?;
        let topic = to.option("topic").unwrap_or(TOPIC);
        let exchange = to.option("control_exchange").unwrap_or(CONTROL_EXCHANGE);
        Ok(Self {
            transport: Transport::read(to)?,
            destination: Destination::new(exchange, topic, INFO)?,
            idle: idle(to)?,
        })
    }
}

fn idle(to: &ConnectionString) -> Result<Duration> {
    let Some(text) = to.option("idle_timeout") else { return Ok(IDLE_TIMEOUT) };
    let parsed = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    parsed.filter(|duration| !duration.is_zero()).ok_or_else(|| {
        to.wrong(format!("option `idle_timeout` is a number of seconds above 0, not `{text}`"))
    })
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn settings(text: &str) -> Result<Settings> {
        Settings::read(&ConnectionString::parse(text).unwrap())
    }

    #[test]
    fn the_defaults_are_those_of_osprofiler() {
        let read = settings("messaging://").unwrap();
        let usual = Destination::new("openstack", "profiler", "info").unwrap();
        assert_eq!(format!("{:?}", read.destination), format!("{usual:?}"));
        assert_eq!(read.idle, Duration::from_secs(1));
    }

    #[test]
    fn topic_exchange_and_patience_are_read() {
        let read = settings("rabbit://h?topic=t&control_exchange=nova&idle_timeout=0.25").unwrap();
        let named = Destination::new("nova", "t", "info").unwrap();
        assert_eq!(format!("{:?}", read.destination), format!("{named:?}"));
        assert_eq!(read.idle, Duration::from_millis(250));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let long = format!("rabbit://h?topic={}", "x".repeat(300));
        for url in [
            "rabbit://h?idle_timeout=0",
            "rabbit://h?idle_timeout=soon",
            "rabbit://h?control_exchange=",
            "rabbit://h?topic=",
            &long,
        ] {
            assert_eq!(settings(url).unwrap_err().kind(), ErrorKind::Config, "{url}");
        }
    }
}
