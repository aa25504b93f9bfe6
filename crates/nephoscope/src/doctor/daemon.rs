//! The daemon that runs with this configuration, if one does.

use nephoscope_http::{Http, StatusCode};
use nephoscope_telemetry::ConnectionString;

use super::finding::Finding;

/// A dispatcher that is further behind is not just busy.
const MUCH_BEHIND: f64 = 300.0;

/// Where it would be reached from here, as a connection string; nothing for a port that is chosen when it starts.
pub(super) fn place(listen: &str) -> Option<ConnectionString> {
    let (host, port) = listen.rsplit_once(':')?;
    let host = match host {
        "0.0.0.0" | "" => "127.0.0.1",
        "[::]" => "[::1]",
        host => host,
    };
    (port != "0").then(|| ConnectionString::parse(&format!("gnocchi://{host}:{port}")).ok()).flatten()
}

/// How it stands.
pub(super) async fn look(listen: &str) -> Vec<Finding> {
    let subject = format!("daemon at {listen}");
    let Some(place) = place(listen) else { return Vec::new() };
    let http = match Http::new("the daemon", &place, false, 8041, "") {
        Ok(http) => http,
        Err(error) => return vec![Finding::problem(subject, error.message(), "mend [http] `listen`")],
    };
    let metrics = match http.get("read metrics", "/metrics").send().await {
        Ok(answer) => String::from_utf8_lossy(answer.body()).into_owned(),
        Err(error) => {
            let cure = "start it; what it sees cannot be told until then";
            return vec![Finding::warning(subject, error.message(), cure)];
        }
    };
    if !metrics.contains("nephoscope_taken_in") {
        let told = "something else answers there";
        return vec![Finding::problem(subject, told, "end it, or choose another port with [http] `listen`")];
    }
    let mut findings = vec![ready(&subject, &http).await];
    findings.extend(of_metrics(&metrics));
    findings
}

async fn ready(subject: &str, http: &Http) -> Finding {
    match http.get("ask whether it is ready", "/readyz").accept_all().send().await {
        Ok(answer) if answer.status() == StatusCode::OK => {
            Finding::ok(subject, "runs, and its backends answer")
        }
        Ok(answer) => {
            let told = String::from_utf8_lossy(answer.body()).into_owned();
            Finding::problem(subject, format!("is not ready: {told}"), "see to that backend")
        }
        Err(error) => Finding::problem(subject, error.message(), "see its log"),
    }
}

/// What its metrics tell of samples.
fn of_metrics(metrics: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for line in metrics.lines() {
        let Some((name, value)) = line.rsplit_once(' ') else { continue };
        let value: f64 = value.parse().unwrap_or_default();
        let (family, labels) = name.split_once('{').unwrap_or((name, ""));
        let dispatcher = || format!("dispatcher {}", label(labels, "dispatcher"));
        match family {
            "nephoscope_spool_full" if value > 0.0 => findings.push(Finding::problem(
                "spool",
                "it is full, and what comes has to wait",
                "see to the dispatcher that is behind, or raise [spool] `max_size`",
            )),
            "nephoscope_dispatcher_lag_seconds" if value > MUCH_BEHIND => findings.push(Finding::warning(
                dispatcher(),
                format!("is {value:.0} s behind"),
                "see in the log what fails there",
            )),
            "nephoscope_dispatched_total" if value > 0.0 && label(labels, "what") == "refused" => {
                findings.push(Finding::warning(
                    dispatcher(),
                    format!("refused {value:.0} samples and events since the daemon started"),
                    "dead-letters.jsonl in data_dir says why",
                ));
            }
            _ => {}
        }
    }
    findings
}

/// The value of a label.
fn label<'l>(labels: &'l str, name: &str) -> &'l str {
    let behind = labels.split_once(&format!("{name}=\"")).map_or("", |(_, behind)| behind);
    behind.split('"').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemon_is_reached_where_it_listens() {
        let at = |listen| place(listen).map(|place| place.to_string());
        assert_eq!(at("0.0.0.0:8041").as_deref(), Some("gnocchi://127.0.0.1:8041"));
        assert_eq!(at("[::]:1").as_deref(), Some("gnocchi://[::1]:1"));
        assert_eq!(at("h:2").as_deref(), Some("gnocchi://h:2"));
        assert_eq!(at("127.0.0.1:0"), None);
    }

    #[test]
    fn metrics_tell_what_is_wrong() {
        let findings = of_metrics(
            "# HELP nephoscope_spool_full x\nnephoscope_spool_full 1\nnephoscope_spool_bytes 5\n\
             nephoscope_dispatcher_lag_seconds{dispatcher=\"gnocchi://h\"} 301.5\n\
             nephoscope_dispatcher_lag_seconds{dispatcher=\"embedded://\"} 2.5\n\
             nephoscope_dispatched_total{dispatcher=\"gnocchi://h\",what=\"refused\"} 7\n\
             nephoscope_dispatched_total{dispatcher=\"gnocchi://h\",what=\"samples\"} 7\n",
        );
        let told: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("problem  spool: it is full"), "{told:?}");
        assert!(told[1].starts_with("warning  dispatcher gnocchi://h: is 302 s behind"), "{told:?}");
        assert!(told[2].contains("refused 7 samples"), "{told:?}");
        assert_eq!(of_metrics("nephoscope_spool_full 0\n"), []);
    }
}
