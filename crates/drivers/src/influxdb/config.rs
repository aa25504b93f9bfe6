//! What the connection string says.

use nephoscope_http::{Http, OPTIONS};
use nephoscope_telemetry::{ConnectionString, Result};

use super::refusal;

/// Every InfluxDB listens there, except 3, which listens on [`PORT_3`].
const PORT: u16 = 8086;
const PORT_3: u16 = 8181;

/// The generations of InfluxDB, which have little but line protocol in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    One,
    Two,
    Three,
}

/// Where the rows are.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) generation: Generation,
    /// The database; of 2.x the bucket.
    pub(super) database: String,
    /// Of 1.x, unless the database's own default.
    pub(super) retention_policy: Option<String>,
    /// Of 2.x.
    pub(super) org: Option<String>,
    pub(super) http: Http,
}

impl Config {
    pub(super) fn of(to: &ConnectionString) -> Result<Self> {
        let (scheme, encrypted) = match to.scheme().strip_suffix("+https") {
            Some(scheme) => (scheme, true),
            None => (to.scheme(), false),
        };
        let (generation, backend, port, own) = match scheme {
            "influxdb2" => (Generation::Two, "InfluxDB 2", PORT, &["org", "token"][..]),
            "influxdb3" => (Generation::Three, "InfluxDB 3", PORT_3, &["token"][..]),
            _ => (Generation::One, "InfluxDB", PORT, &["retention_policy"][..]),
        };
        to.expect_options(&[own, &OPTIONS, &["filter_error_trace"]].concat())?;
        to.flag("filter_error_trace")?;
        let database = to
            .database()
            .ok_or_else(|| to.wrong(format!("the path has to name the {}", generation.container())))?;
        let option = |name| to.option(name).filter(|value| !value.is_empty()).map(str::to_owned);
        let meaning =
            if generation == Generation::Three { refusal::meaning_of_three } else { refusal::meaning };
        let config = Self {
            generation,
            database: database.into_owned(),
            retention_policy: option("retention_policy"),
            org: option("org"),
            http: login(Http::new(backend, to, encrypted, port, "")?, generation, to)?.with_meaning(meaning),
        };
        let names = [Some(&config.database), config.retention_policy.as_ref(), config.org.as_ref()];
        if names.into_iter().flatten().any(|name| name.chars().any(char::is_control)) {
            return Err(to.wrong("a name holds a control character"));
        }
        if generation == Generation::Two && config.org.is_none() {
            return Err(to.wrong("option `org` has to name the organization"));
        }
        Ok(config)
    }
}

impl Generation {
    /// What rows are kept in.
    fn container(self) -> &'static str {
        if self == Self::Two { "bucket" } else { "database" }
    }
}

fn login(http: Http, generation: Generation, to: &ConnectionString) -> Result<Http> {
    let (user, password) = (to.user(), to.password());
    if generation == Generation::One {
        return Ok(match user {
            Some(user) => http.with_secret(user).with_basic_auth(user, password.unwrap_or_default()),
            None => http,
        });
    }
    if user.or(password).is_some() {
        return Err(to.wrong("there are no users; option `token` takes a token"));
    }
    let Some(token) = to.option("token").filter(|token| !token.is_empty()) else { return Ok(http) };
    if token.chars().any(|character| character.is_control() || !character.is_ascii()) {
        return Err(to.wrong("option `token` holds a character that no token has"));
    }
    let word = if generation == Generation::Two { "Token" } else { "Bearer" };
    Ok(http
        .with_secret(token)
        .with_header(nephoscope_http::header::AUTHORIZATION, &format!("{word} {token}")))
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn config(text: &str) -> Result<Config> {
        Config::of(&ConnectionString::parse(text).unwrap())
    }

    #[test]
    fn every_generation_is_told_by_its_scheme() {
        let one = config("influxdb://user:secret@host/traces?retention_policy=month").unwrap();
        assert_eq!((one.generation, one.database.as_str()), (Generation::One, "traces"));
        assert_eq!(one.retention_policy.as_deref(), Some("month"));
        let two = config("influxdb2+https://host/my%20bucket?org=acme&token=t").unwrap();
        assert_eq!((two.generation, two.database.as_str()), (Generation::Two, "my bucket"));
        assert_eq!(two.org.as_deref(), Some("acme"));
        let three = config("influxdb3://host/traces?token=t").unwrap();
        assert_eq!((three.generation, three.org), (Generation::Three, None));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, named) in [
            ("influxdb://host", "database"),
            ("influxdb://host/", "database"),
            ("influxdb2://host?org=acme", "bucket"),
            ("influxdb2://host/b", "`org`"),
            ("influxdb2://user:secret@host/b?org=acme", "`token`"),
            ("influxdb3://host/d?org=acme", "`org`"),
            ("influxdb3://host/d?token=a%0ab", "`token`"),
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
