//! `nephoscope config import`

use std::os::unix::fs::PermissionsExt;

use crate::program::{Store, run};

const CONF: &str = "\
# The agents of a cloud.
[DEFAULT]
debug = false
transport_url = rabbit://ceilometer:s3cret%40bus@mq-1:5672,ceilometer:s3cret%40bus@mq-2:5672/
polling_namespaces = compute

[notification]
workers = 4

[publisher]
telemetry_secret = s3cret to sign with

[oslo_messaging_rabbit]
rabbit_quorum_queue = true
heartbeat_rate = 3

[service_credentials]
auth_type = password
auth_url = https://keystone.example.com:5000/v3
username = ceilometer
password = s3cret:of/keystone
project_name = service
project_domain_name = Default
user_domain_name = Default
interface = internalURL
region_name = north

[coordination]
backend_url = redis://:s3cret@redis:6379
";

const PIPELINE: &str = "\
---
sources:
    - name: meter_source
      meters:
          - \"*\"
      sinks:
          - meter_sink
sinks:
    - name: meter_sink
      publishers:
          - gnocchi://
          - udp://collector:4952
";

const EVENT_PIPELINE: &str = "\
---
sources:
    - name: event_source
      events:
          - \"*\"
      sinks:
          - event_sink
sinks:
    - name: event_sink
      publishers:
          - notifier://
";

fn cloud() -> (Store, String) {
    let store = Store::new();
    let directory = store.path("ceilometer");
    std::fs::create_dir(&directory).unwrap();
    for (name, text) in
        [("ceilometer.conf", CONF), ("pipeline.yaml", PIPELINE), ("event_pipeline.yaml", EVENT_PIPELINE)]
    {
        std::fs::write(directory.join(name), text).unwrap();
    }
    let directory = directory.to_str().unwrap().to_owned();
    (store, directory)
}

#[test]
fn what_ceilometer_is_configured_to_do_becomes_a_configuration_that_loads() {
    let (store, directory) = cloud();
    let file = store.path("nephoscope.toml");
    let file = file.to_str().unwrap();
    let done = run(&["config", "import", &directory, "--output", file]);
    assert_eq!((done.code, done.out.as_str()), (Some(0), ""), "{}", done.err);
    assert!(!done.err.contains("s3cret"), "{}", done.err);
    let text = std::fs::read_to_string(file).unwrap();
    insta::assert_snapshot!("imported", text.replace(&directory, "/etc/ceilometer"));
    // What is told while it runs is told in the file, too.
    for line in done.err.lines() {
        let told = line.split_once("WARN ").unwrap().1;
        assert!(text.contains(told), "{told} is not in:\n{text}");
    }
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    run(&["config", "check", "--config", file]).ok();
    let shown = run(&["config", "show", "--config", file]).ok();
    assert!(shown.contains("url = \"rabbit://***@mq-2:5672") && !shown.contains("s3cret"), "{shown}");
    assert_eq!(run(&["config", "import", &directory]).ok(), text);
}

#[test]
fn nothing_is_written_over_and_nothing_is_made_of_nothing() {
    let (store, directory) = cloud();
    let file = store.path("mine.toml");
    std::fs::write(&file, "# Mine.\n").unwrap();
    let done = run(&["config", "import", &directory, "--output", file.to_str().unwrap()]);
    assert_eq!(done.code, Some(1));
    assert!(done.err.contains("it is there already"), "{}", done.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# Mine.\n");
    let nowhere = store.path("nowhere");
    let done = run(&["config", "import", nowhere.to_str().unwrap()]);
    assert_eq!((done.code, done.out.as_str()), (Some(3), ""), "{}", done.err);
    std::fs::write(store.path("ceilometer/pipeline.yaml"), "sources: [").unwrap();
    let done = run(&["config", "import", &directory]);
    assert_eq!((done.code, done.out.as_str()), (Some(64), ""), "{}", done.err);
    assert!(done.err.contains("pipeline.yaml:1: "), "{}", done.err);
}
