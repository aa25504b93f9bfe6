//! What the connection string says.

use nephoscope_http::{Http, OPTIONS};
use nephoscope_telemetry::{ConnectionString, Result};

use super::refusal;

/// Where an InfluxDB listens.
const PORT: u16 = 8086;

/// Where the rows are.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) database: String,
    /// Unless it is the database's default.
    pub(super) retention_policy: Option<String>,
    pub(super) http: Http,
}

impl Config {
    pub(super) fn of(to: &ConnectionString) -> Result<Self> {
        to.expect_options(&[&["retention_policy", "filter_error_trace"][..], &OPTIONS].concat())?;
        to.flag("filter_error_trace")?;
        let database = to.database().ok_or_else(|| to.wrong("the path has to name the database"))?;
        let policy = to.option("retention_policy").filter(|name| !name.is_empty());
        if database.chars().chain(policy.unwrap_or_default().chars()).any(char::is_control) {
            return Err(to.wrong("a name holds a control character"));
        }
        let encrypted = to.scheme().ends_with("+https");
        Ok(Self {
            database: database.into_owned(),
            retention_policy: policy.map(str::to_owned),
            http: login(Http::new("InfluxDB", to, encrypted, PORT, "")?, to).with_meaning(refusal::meaning),
        })
    }
}

fn login(http: Http, to: &ConnectionString) -> Http {
    match to.user() {
        Some(user) => http.with_secret(user).with_basic_auth(user, to.password().unwrap_or_default()),
        None => http,
    }
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn config(text: &str) -> Result<Config> {
        Config::of(&ConnectionString::parse(text).unwrap())
    }

    #[test]
    fn database_and_retention_policy_are_read() {
        let config = config("influxdb://user:secret@host/my%20traces?retention_policy=month").unwrap();
        assert_eq!(config.database, "my traces");
        assert_eq!(config.retention_policy.as_deref(), Some("month"));
        assert!(!format!("{config:?}").contains("secret"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, named) in [
            ("influxdb://host", "database"),
            ("influxdb://host/", "database"),
            ("influxdb://host/a%0ab", "control character"),
            ("influxdb://host/d?token=t", "`token`"),
            ("influxdb://host/d?cacert=x", "`cacert`"),
        ] {
            let error = config(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{text}");
            assert!(error.to_string().contains(named), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
