//! How far the clock of a server is from ours.

use std::time::{Duration, SystemTime};

use nephoscope_http::{Http, header};
use nephoscope_telemetry::ConnectionString;

use super::finding::Finding;

/// From here on times of samples, and tokens that end, are told to be wrong.
const MOST: Duration = Duration::from_secs(10);

/// Asks a server for the time. Whoever does not tell it, or cannot be reached, is not told here.
pub(super) async fn of(subject: &str, http: &Http) -> Option<Finding> {
    let answer = http.get("ask for the time", "/").accept_all().open().await.ok()?;
    let theirs = httpdate::parse_http_date(answer.header(header::DATE.as_str())?).ok()?;
    // Theirs is cut off to whole seconds.
    let ours = SystemTime::now();
    let (apart, direction) = match ours.duration_since(theirs) {
        Ok(behind) => (behind, "behind"),
        Err(ahead) => (ahead.duration(), "ahead of"),
    };
    (apart > MOST).then(|| {
        Finding::warning(
            subject,
            format!("its clock is {} s {direction} ours", apart.as_secs()),
            "have both machines keep time by NTP: tokens end too early or too late, and measures stand at the wrong place",
        )
    })
}

/// The Keystone that the option `auth_url` names.
pub(super) async fn of_keystone(subject: &str, to: &ConnectionString) -> Option<Finding> {
    let url = to.option("auth_url")?;
    of(&format!("{subject}, Keystone"), &Http::at("Keystone", to, url).ok()?).await
}
