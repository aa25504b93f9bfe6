//! `nephoscope doctor`

use std::time::{Duration, Instant};

use nephoscope_testkit::http::{HttpDouble, Reply};
use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::http::{get, post};
use crate::program::{Run, Store, run};

/// A few times what a check may take.
const BOUND: Duration = Duration::from_secs(40);

/// Examines a configuration, to which the data directory and a port that nobody has are added.
fn examine(store: &Store, config: &str, options: &[&str]) -> Run {
    let file = store.path("nephoscope.toml");
    std::fs::write(&file, config).unwrap();
    let data = store.path("data");
    let (file, data) = (file.to_str().unwrap(), data.to_str().unwrap());
    let mut arguments = vec!["doctor", "--config", file, "--data-dir", data];
    if !options.contains(&"--listen") {
        arguments.extend(["--listen", "127.0.0.1:0"]);
    }
    arguments.extend(options);
    run(&arguments)
}

/// The findings without what differs between machines and runs.
fn shown(store: &Store, done: &Run, ports: &[(u16, &str)]) -> String {
    let mut text = done.out.replace(store.path("").to_str().unwrap(), "/");
    for (port, name) in ports {
        text = text.replace(&format!(":{port}"), &format!(":{name}"));
    }
    let lines =
        text.lines().filter(|line| !line.contains("MiB are free") && !line.contains("KiB of datagrams"));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn all_is_well_where_nothing_is_configured() {
    let store = Store::new();
    let done = examine(
        &store,
        "[[source]]\nurl = \"udp://127.0.0.1\"\n[[source]]\nurl = \"tcp://127.0.0.1:7\"\n",
        &[],
    );
    assert_eq!(done.code, Some(0), "{} {}", done.out, done.err);
    insta::assert_snapshot!("all_is_well", shown(&store, &done, &[]));
    // Nothing was made.
    assert!(!store.path("data").exists());
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let store = Store::new();
    let strict = HttpDouble::start(|_| Reply::json(401, r#"{"code": 401, "description": "no"}"#));
    let late = HttpDouble::start(|_| {
        let date = ("date", "Thu, 01 Jan 2026 00:00:00 GMT".to_owned());
        Reply::Answer(200, vec![date, ("content-type", "application/json".into())], b"[]".to_vec())
    });
    let definitions = store.path("resources.yaml");
    std::fs::write(
        &definitions,
        "resources:\n  - resource_type: volume\n    metrics: [volume.size]\n  - metrics: [x]\n",
    )
    .unwrap();
    std::fs::create_dir(store.path("data")).unwrap();
    let letter = r#"{"name": "x", "nephoscope_refused": {"by": "gnocchi://h", "reason": "its resource cannot be made"}}"#;
    std::fs::write(store.path("data/dead-letters.jsonl"), format!("{letter}\n")).unwrap();
    let config = format!(
        "[[source]]\nurl = \"udp://192.0.2.1\"\n[[source]]\nurl = \"rabbit://u:s3cret@127.0.0.1:1\"\n\
         [samples]\ndispatchers = [\"gnocchi://u:s3cret@127.0.0.1:{}\", \"gnocchi://127.0.0.1:{}?resources_definition_file={}\", \
         \"file:///nowhere/s.jsonl\", \"gnocchi://127.0.0.1:1\", \"http://u:s3cret@127.0.0.1:1/in\"]\n\
         [traces]\ndrivers = [\"embedded://\", \"redis://127.0.0.1:1\", \"postgresql://u:s3cret@127.0.0.1:1/d\"]\n\
         [keystone]\nurl = \"keystone://u:s3cret@?auth_url=http://127.0.0.1:{}&project=p\"\n",
        strict.port(),
        late.port(),
        definitions.display(),
        strict.port(),
    );
    let done = examine(&store, &config, &["--listen", "127.0.0.1:1"]);
    assert_eq!(done.code, Some(1), "{} {}", done.out, done.err);
    assert!(!format!("{} {}", done.out, done.err).contains("s3cret"), "{}", done.out);
    let text = shown(&store, &done, &[(strict.port(), "STRICT"), (late.port(), "LATE")]);
    // Time goes on.
    let text =
        text.split(' ').map(|word| if word.len() > 6 && word.parse::<u64>().is_ok() { "MANY" } else { word });
    insta::assert_snapshot!("what_is_wrong", text.collect::<Vec<_>>().join(" "));
    // Nobody was asked to change anything, but to let us in.
    let asked = [strict.received(), late.received()].concat();
    let stray = asked.iter().find(|asked| {
        asked.method != "GET" && !asked.target.contains("/auth/tokens") && !asked.target.contains("/search/")
    });
    assert_eq!(stray, None);
}

#[test]
fn a_project_that_cannot_be_left_out_is_told() {
    let store = Store::new();
    let both = HttpDouble::start(|request| match request.target.split('?').next().unwrap() {
        "/v3/auth/tokens" => {
            let token =
                r#"{"token": {"issued_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T01:00:00Z"}}"#;
            Reply::Answer(201, vec![("x-subject-token", "token".into())], token.into())
        }
        "/v3/domains" => Reply::json(200, r#"{"domains": [{"id": "default", "name": "Default"}]}"#),
        "/v3/projects" => Reply::json(200, r#"{"projects": []}"#),
        path if path.starts_with("/v3/") => Reply::json(404, "{}"),
        _ => Reply::json(200, "[]"),
    });
    let told = |options: &str| {
        let port = both.port();
        let to =
            format!("gnocchi://u:p@127.0.0.1:{port}?auth_url=http://127.0.0.1:{port}&project=p{options}");
        let done = examine(&store, &format!("[samples]\ndispatchers = [\"{to}\"]\n"), &[]);
        assert_eq!(done.code, Some(0), "{} {}", done.out, done.err);
        done.out.lines().find(|line| line.contains("are left out")).map(str::to_owned)
    };
    let line = told("").unwrap();
    assert!(
        line.starts_with("warning") && line.contains("no such project in the domain `Default`"),
        "{line}"
    );
    assert_eq!(told("&enable_filter_project=false"), None);
}

#[test]
fn a_server_that_hangs_costs_its_own_check() {
    let store = Store::new();
    let silent = HttpDouble::start(|_| Reply::Silence);
    let to = format!("gnocchi://127.0.0.1:{}", silent.port());
    let began = Instant::now();
    let done =
        examine(&store, &format!("[samples]\ndispatchers = [\"{to}\", \"embedded://\"]\n"), &["--json"]);
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    assert_eq!(done.code, Some(1), "{}", done.err);
    let findings: Value = serde_json::from_str(&done.out).unwrap();
    let of = |subject: &str| -> Vec<_> {
        findings.as_array().unwrap().iter().filter(|finding| finding["subject"] == subject).collect()
    };
    let told = "there is no answer within 10 s";
    assert_eq!(of(&format!("dispatcher {to}"))[0]["told"], told);
    assert_eq!(
        of("dispatcher embedded://"),
        [&json!({"status": "ok", "subject": "dispatcher embedded://", "told": "is the daemon's own store"})]
    );
}

#[test]
fn the_archive_policies_of_the_own_store_are_looked_up_without_a_daemon() {
    let store = Store::new();
    let look = |policy: &str, more: &str| {
        let config = format!(
            "{more}[samples]\ndispatchers = [\"embedded://?archive_policy={policy}\", \"embedded://?archive_policy={policy}&unowned=drop\"]\n"
        );
        let done = examine(&store, &config, &[]);
        let told = done.out.lines().find(|line| line.starts_with("problem") || line.contains("is not known"));
        (done.code, told.unwrap_or_default().to_owned())
    };
    let without_defaults = "[store]\ndefault_archive_policies = false\n";
    let misspelt = "`hihg` of option `archive_policy` (perhaps `high`)";
    // What a daemon would find in a new store.
    assert_eq!(look("high", ""), (Some(0), String::new()));
    let (code, told) = look("hihg", "");
    assert!(code == Some(1) && told.contains(misspelt), "{told}");
    assert_eq!(look("high", without_defaults).0, Some(1));
    assert!(!store.path("data").exists());
    // And in one that is there.
    let data = store.path("data");
    let mut daemon = Daemon::serve(&["--data-dir", data.to_str().unwrap()]);
    let (code, told) = look("hihg", "");
    assert!(code == Some(0) && told.starts_with("warning") && told.contains("has it open"), "{told}");
    daemon.terminate();
    assert!(daemon.wait().0.success());
    assert_eq!(look("high", without_defaults), (Some(0), String::new()));
    let made = ["policy", "create", "hihg", "-d", "granularity:60", "--data-dir", data.to_str().unwrap()];
    let (code, told) = look("hihg", "");
    assert!(code == Some(1) && told.contains(misspelt), "{told}");
    run(&made).ok();
    assert_eq!(look("hihg", ""), (Some(0), String::new()));
}

#[test]
fn a_running_daemon_tells_what_it_sees_and_is_left_as_it_is() {
    let store = Store::new();
    let data = store.path("data");
    let daemon = Daemon::serve(&["--data-dir", data.to_str().unwrap()]);
    let address = daemon.address.to_string();
    let elsewhere =
        format!("[samples]\ndispatchers = [\"embedded://\", \"gnocchi://{address}?unowned=drop\"]\n");
    let policies = || get(daemon.address, "/v1/archive_policy").body;
    let before = policies();
    let done = examine(&store, &elsewhere, &["--listen", &address]);
    assert_eq!(done.code, Some(0), "{} {}", done.out, done.err);
    assert_eq!(policies(), before);
    let misspelt = elsewhere.replace("unowned=drop", "archive_policy=hihg");
    let done = examine(&store, &misspelt, &["--listen", &address]);
    assert_eq!(done.code, Some(1), "{} {}", done.out, done.err);
    assert!(
        done.out.contains("`hihg` of option `archive_policy` (perhaps `high`); mend the names"),
        "{}",
        done.out
    );
    let definitions = store.path("resources.yaml");
    std::fs::write(
        &definitions,
        "resources:\n  - resource_type: volume\n    metrics: {x: {archive_policy_name: lwo}}\n",
    )
    .unwrap();
    let file = definitions.display();
    let misspelt = elsewhere.replace("unowned=drop", &format!("resources_definition_file={file}"));
    let done = examine(&store, &misspelt, &["--listen", &address]);
    assert_eq!(done.code, Some(1), "{} {}", done.out, done.err);
    let told = format!("`lwo` of {file}:3:40 (perhaps `low`); mend the names");
    assert!(done.out.contains(&told), "{}", done.out);
    let sample = json!([{"name": "weather", "type": "gauge", "unit": "", "volume": 1, "resource_id": "sky",
        "timestamp": "2026-01-31T12:00:00", "resource_metadata": {}}]);
    assert_eq!(post(daemon.address, "/samples", sample.to_string().as_bytes()).status, 202);
    let began = Instant::now();
    while get(daemon.address, "/v1/resource/generic/sky/metric/weather").status != 200 {
        assert!(began.elapsed() < BOUND, "the sample did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
    let done = examine(&store, &elsewhere, &["--listen", &address]);
    let port = daemon.address.port();
    insta::assert_snapshot!("a_running_daemon", shown(&store, &done, &[(port, "PORT")]));
    // Another program has the port.
    let other = HttpDouble::start(|_| Reply::json(200, "{}"));
    let done = examine(&store, "", &["--listen", &format!("127.0.0.1:{}", other.port())]);
    assert!(done.code == Some(1) && done.out.contains("something else answers there"), "{}", done.out);
}
