use proptest::prelude::*;

use super::*;
use crate::cli::ConfigArgs;
use crate::config::Config;

/// A directory with these files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

/// What is made of these files, as the daemon reads it, and what was found.
fn imported(files: &[(&str, &str)]) -> (Config, String) {
    let directory = directory(files);
    let draft = Draft::of(directory.path()).map_err(|failure| failure.to_string()).unwrap();
    let file = directory.path().join("nephoscope.toml");
    write(&file, &draft.to_toml()).unwrap();
    let args = ConfigArgs { config: Some(file), ..ConfigArgs::default() };
    let config = Config::read(&args, &nephoscope_drivers::registry());
    let findings: Vec<_> = draft.findings.iter().map(ToString::to_string).collect();
    let findings = findings.join("\n").replace(&format!("{}/", directory.path().display()), "");
    (config.unwrap_or_else(|failure| panic!("{failure}:\n{}", draft.to_toml())), findings)
}

fn failure(files: &[(&str, &str)]) -> String {
    let directory = directory(files);
    let text = Draft::of(directory.path()).err().unwrap().to_string();
    text.replace(&format!("{}/", directory.path().display()), "")
}

const PIPELINE: &str =
    "sources:\n  - {name: a, meters: ['*'], sinks: [s]}\nsinks:\n  - {name: s, publishers: [PUBLISHERS]}\n";

/// The dispatchers of a pipeline of samples with these publishers.
fn dispatchers(conf: &str, publishers: &str) -> (Vec<String>, String) {
    let pipeline = PIPELINE.replace("PUBLISHERS", publishers);
    let (config, findings) = imported(&[("ceilometer.conf", conf), ("pipeline.yaml", &pipeline)]);
    let exposed = config.samples.dispatchers.value.iter().map(|to| to.expose(to.scheme(), |_| true));
    (exposed.collect(), findings)
}

#[test]
fn every_option_of_ceilometer_is_taken_or_told_with_what_to_do() {
    let conf = include_str!("../../tests/golden/ceilometer/options.conf");
    let (config, findings) = imported(&[("ceilometer.conf", conf)]);
    assert!(!findings.contains("not known here"), "{findings}");
    assert_eq!(config.samples.telemetry_secret.value.0, "change this for valid signing");
    let options = conf.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let mut taken: Vec<_> = options.filter(|name| !findings.contains(&format!("] {name}: "))).collect();
    taken.dedup();
    let expected = "pipeline_cfg_file event_pipeline_cfg_file transport_url notification_control_exchanges \
                    transport_url topics amqp_durable_queues amqp_auto_delete ssl ssl_key_file ssl_cert_file \
                    ssl_ca_file rabbit_ha_queues rabbit_quorum_queue rabbit_quorum_delivery_limit \
                    rabbit_quorum_max_memory_length rabbit_quorum_max_memory_bytes telemetry_secret certfile \
                    keyfile auth_type auth_url project_id project_name project_domain_id project_domain_name \
                    default_domain_id default_domain_name user_id user_domain_id user_domain_name region_name \
                    interface";
    assert_eq!(taken.join(" "), expected);
}

#[cfg(feature = "messaging")]
#[test]
fn buses_are_taken_over_with_how_their_queues_are_declared() {
    let sources = |conf: &str| {
        let (config, findings) = imported(&[("ceilometer.conf", conf)]);
        let exposed = config.sources.iter().map(|source| source.value.expose("rabbit", |_| true));
        (exposed.collect::<Vec<_>>(), findings)
    };
    let (all, _) = sources(
        "[DEFAULT]\ntransport_url = rabbit://c:p%40s@one:5672,c:q@two:5672/v\n\
         [oslo_messaging_rabbit]\nrabbit_quorum_queue = true\nssl = 1\nkombu_ssl_ca_certs = /dev/null\n",
    );
    assert_eq!(
        all,
        [
            "rabbit://c:p%40s@one:5672,c:q@two:5672/v?topics=notifications&ssl=1&ssl_ca_file=/dev/null&rabbit_quorum_queue=true"
        ]
    );
    // Buses of services come before that of Ceilometer, and what a URL says of itself before the section.
    let (all, findings) = sources(
        "[DEFAULT]\ntransport_url = rabbit://default\n\
         [notification]\nmessaging_urls = rabbit://nova?ssl=0&heartbeat_rate=3\nmessaging_urls = kafka://u:s3cret@cinder:9092\n\
         notification_control_exchanges = nova\nnotification_control_exchanges = cinder\nworkers = 4\n\
         [oslo_messaging_rabbit]\nssl = true\nssl_ca_file = /ca.pem\namqp_durable_queues = true\n\
         [oslo_messaging_notifications]\ntopics = one, notifications\n",
    );
    let options = "topics=one,notifications&control_exchange=nova,cinder&\
                   priorities=audit,debug,info,warn,error,critical,sample&amqp_durable_queues=true&ssl=0";
    assert_eq!(all, [format!("rabbit://nova?{options}")]);
    for told in [
        "ceilometer.conf:4: option `heartbeat_rate` of [notification] messaging_urls: nothing to do",
        "ceilometer.conf:5: [notification] messaging_urls: only RabbitMQ is spoken",
        "ceilometer.conf:8: [notification] workers: nothing to do",
        "ceilometer.conf:4: notifications of services: ",
    ] {
        assert!(findings.contains(told), "{told} is not in:\n{findings}");
    }
    assert!(!findings.contains("s3cret"), "{findings}");
    let (all, findings) = sources("[DEFAULT]\ntransport_url = rabbit://u:s3cret@h:no\n");
    assert!(all.is_empty() && findings.contains("by hand") && !findings.contains("s3cret"), "{findings}");
}

#[test]
fn the_gnocchi_of_ceilometer_is_found_in_each_of_its_ways() {
    let keystone = "auth_type = password\nauth_url = https://k:5000/v3\nusername = ceilometer\npassword = p@ss#1\n\
                    project_name = service\ndefault_domain_id = default\ninterface = internalURL\nregion_name = north\n\
                    cafile = /ca.pem\ntimeout = 3\n";
    let by_keystone = "gnocchi://ceilometer:p%40ss%231@?auth_url=https://k:5000/v3&project=service&user_domain_id=default&\
                       project_domain_id=default&region=north&interface=internal&cacert=/ca.pem";
    let rest = "&filter_project=service&unowned=drop";
    let (all, findings) = dispatchers(&format!("[service_credentials]\n{keystone}"), "gnocchi://");
    assert_eq!(all, [format!("{by_keystone}&unowned=drop")]);
    assert!(
        findings.contains("ceilometer.conf:11: [service_credentials] timeout: the option `timeout`"),
        "{findings}"
    );
    assert!(!findings.contains("p@ss"), "{findings}");
    let other = format!("[gnocchi]\nauth_section = mine\n[mine]\n{keystone}");
    assert_eq!(dispatchers(&other, "gnocchi://").0, [format!("{by_keystone}&unowned=drop")]);
    for (options, taken) in [
        ("enable_filter_project=false&filter_project=p", "enable_filter_project=false"),
        ("filter_project=p&filter_domain=d", "filter_project=p&filter_domain=d"),
    ] {
        let (all, findings) = dispatchers(&other, &format!("'gnocchi://?{options}'"));
        assert_eq!(all, [format!("{by_keystone}&{taken}&unowned=drop")]);
        assert!(!findings.contains("filter_"), "{findings}");
    }
    let credential = "auth_type = v3applicationcredential\nauth_url = http://k\napplication_credential_id = i\n\
                      application_credential_secret = s\n";
    for (login, expected) in [
        ("auth_type = gnocchi-basic\nendpoint = http://g:8041\ncafile = /ca.pem\n", "gnocchi://admin@g:8041"),
        (
            "auth_type = gnocchi-basic\nuser = u\nendpoint = https://g/metric/\ncafile = /ca.pem\n",
            "gnocchi+https://u@g:443/metric?cacert=/ca.pem",
        ),
        (
            "auth_type = gnocchi-noauth\nuser_id = u\nproject_id = p\nroles = admin\nendpoint = http://g\n",
            "gnocchi://u@g:80?auth=none&project_id=p",
        ),
    ] {
        let (all, _) = dispatchers(&format!("[service_credentials]\n{login}"), "gnocchi://");
        let separator = if expected.contains('?') { '&' } else { '?' };
        assert_eq!(all, [format!("{expected}{separator}{}", &rest[1..])]);
    }
    let by_credential =
        "gnocchi://?auth_url=http://k&application_credential=i&application_credential_secret=s&unowned=drop";
    let (all, _) = dispatchers(&format!("[service_credentials]\n{credential}"), "gnocchi://");
    assert_eq!(all, [by_credential]);
    let (all, findings) =
        dispatchers("[service_credentials]\nauth_type = v3kerberos\nauth_url = http://k\n", "gnocchi://");
    assert_eq!(all, [format!("embedded://?{}", &rest[1..])]);
    for told in [
        "[service_credentials] auth_type: log in by a password",
        "publisher gnocchi://: ceilometer.conf does not say",
    ] {
        assert!(findings.contains(told), "{findings}");
    }
}

#[test]
fn publishers_become_dispatchers_or_are_told() {
    let conf = "[service_credentials]\nauth_type = gnocchi-basic\nendpoint = http://g:8041\n";
    let id = "0123456789abcdef0123456789abcdef";
    let (all, findings) = dispatchers(
        conf,
        &format!(
            "'gnocchi://?archive_policy=low&filter_project={id}&timeout=3&filter_domain=D', \
             'file:///var/log/s%20s?json&max_bytes=5&backup_count=2', 'file:///py', 'file://', \
             'gnocchi://?enable_filter_project=false', notifier, 'udp://u:s3cret@h', 'tcp://h', 'https://u:s3cret@h/x?verify_ssl=False', \
             'prometheus://h', 'opentelemetryhttp://h:4318/v1/metrics', 'opentelemetryhttp://u:p@h/in/v1/metrics?ssl=true', 'opentelemetryhttp://h/elsewhere', 'zaqar://?queue=q', 'test://', 'ht tp://'"
        ),
    );
    assert_eq!(
        all,
        [
            format!("gnocchi://admin@g:8041?timeout=3&archive_policy=low&filter_project={id}&unowned=drop"),
            "file:///var/log/s%20s?max_bytes=5&backup_count=2".into(),
            "file:///py".into(),
            "gnocchi://admin@g:8041?unowned=drop".into(),
            "https://u:s3cret@h/x?verify_ssl=False".into(),
            "otlp+metrics://h:4318".into(),
            "otlp+metrics+https://u:p@h:443/in".into(),
        ]
    );
    for told in [
        "publisher file:///py: what is written is JSON lines",
        "publisher file://: it names no file",
        "publisher notifier://: nothing is put on the bus",
        "publisher udp://***@h: nothing is sent on in this way",
        "publisher tcp://h: nothing",
        "publisher prometheus://h: nothing goes to a Pushgateway",
        "publisher opentelemetryhttp://h/elsewhere: write an otlp+metrics:// dispatcher by hand",
        "publisher zaqar://?queue=q: no dispatcher",
        "publisher test://: no dispatcher",
        "a publisher: write a dispatcher by hand: not a connection string",
    ] {
        assert!(findings.contains(&format!("pipeline.yaml:4: {told}")), "{told} is not in:\n{findings}");
    }
    assert!(!findings.contains("s3cret"), "{findings}");
}

#[test]
fn events_go_to_the_gnocchi_of_the_samples() {
    let conf = "[service_credentials]\nauth_type = gnocchi-basic\n";
    let events = PIPELINE.replace("meters", "events").replace("PUBLISHERS", "'gnocchi://', 'file:///e?json'");
    let (config, _) = imported(&[("ceilometer.conf", conf), ("event_pipeline.yaml", &events)]);
    let all: Vec<_> = config.samples.dispatchers.value.iter().map(ToString::to_string).collect();
    assert_eq!(all, ["gnocchi://***@localhost:8041?filter_project=service&unowned=drop", "file:///e"]);
}

#[test]
fn definitions_are_named_and_say_for_themselves_how_long_metrics_are_kept() {
    let conf =
        "[service_credentials]\nauth_type = gnocchi-basic\n[database]\nmetering_time_to_live = 2592000\n";
    let polling =
        "sources:\n  - {name: a, interval: 600, meters: [x]}\n  - {name: b, interval: 60, meters: [y]}\n";
    let built_in = nephoscope_resource_types::openstack::DEFINITIONS;
    let own = "archive_policy_default: low\nresources:\n  - {resource_type: volume, metrics: [volume.size]}\n  - {metrics: []}\n";
    let with = |definitions: &str| {
        let files =
            [("ceilometer.conf", conf), ("polling.yaml", polling), ("gnocchi_resources.yaml", definitions)];
        let (config, findings) = imported(&files);
        (config.samples.dispatchers.value[0].clone(), findings)
    };
    let (to, findings) = with(built_in);
    assert!(to.option("resources_definition_file").unwrap().ends_with("/gnocchi_resources.yaml"));
    assert_eq!((to.option("granularity"), to.option("ttl")), (None, None));
    assert!(
        findings.contains("ceilometer.conf:4: [database] metering_time_to_live: the archive policies"),
        "{findings}"
    );
    let (to, findings) = with(own);
    assert!(to.option("resources_definition_file").unwrap().ends_with("/gnocchi_resources.yaml"));
    assert_eq!((to.option("granularity"), to.option("ttl")), (Some("60"), Some("2592000")));
    assert!(
        findings.contains("gnocchi_resources.yaml:4: a definition: mend it: `resource_type` is missing"),
        "{findings}"
    );
    assert!(!findings.contains("metering_time_to_live"), "{findings}");
    let (_, findings) = dispatchers(conf, "'gnocchi://?resources_definition_file=gone.yaml'");
    assert!(findings.contains("`gone.yaml`: there is no such file"), "{findings}");
}

#[test]
fn missing_files_are_fine_and_broken_ones_are_told_with_their_lines() {
    assert!(failure(&[]).contains("has neither ceilometer.conf nor pipeline.yaml"));
    let (config, _) = imported(&[("ceilometer.conf", "")]);
    assert_eq!(config.samples.dispatchers.value[0].scheme(), "embedded");
    let broken = failure(&[
        ("ceilometer.conf", "[DEFAULT]\ntransport_url\n"),
        ("ceilometer.conf.d/one.conf", "[publisher]\ntelemetry_secret = $nothing\n"),
        ("pipeline.yaml", "sources: []\nsinks: ["),
        ("event_pipeline.yaml", "sources: 5\nsinks: []\n"),
        ("polling.yaml", "sources:\n  - {name: a, interval: soon}\n"),
        ("gnocchi_resources.yaml", "resources:\n  - a: [\n"),
    ]);
    for told in [
        "ceilometer.conf:2: expected an option",
        "ceilometer.conf.d/one.conf:2: `$nothing` names no option",
        "pipeline.yaml:2: ",
        "event_pipeline.yaml:1: expected a map in which `sources` is a list",
        "polling.yaml:2: `interval` is a number of seconds",
    ] {
        assert!(broken.contains(told), "{told} is not in:\n{broken}");
    }
    let broken = failure(&[("ceilometer.conf", ""), ("gnocchi_resources.yaml", "resources:\n  - a: [\n")]);
    assert!(broken.contains("gnocchi_resources.yaml:"), "{broken}");
}

fn secret() -> impl Strategy<Value = String> {
    // The configuration of Ceilometer has no control characters, and takes blanks and quotes away from both ends.
    "[^\\p{C}\\s\"'$]([^\\p{C}\\s$]{0,14}[^\\p{C}\\s\"'$])?"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_imported_the_daemon_takes(
        secret in secret(),
        user in secret(),
        password in secret(),
        section in "[a-z_]{1,12}",
        name in "[a-z_]{1,12}",
        value in "\\PC{0,20}",
        publisher in "(gnocchi|file|udp|kafka)://[ -~]{0,20}",
    ) {
        let bus = url::word(&password);
        let conf = format!(
            "[{section}]\n{name} = {value}\n[publisher]\ntelemetry_secret = {secret}\n[DEFAULT]\ntransport_url = rabbit://u:{bus}@h\n\
             [service_credentials]\nauth_type = password\nauth_url = http://k\nusername = {user}\npassword = {password}\n",
            value = value.replace('$', "$$"),
        );
        let quoted = format!("'gnocchi://', '{}'", publisher.replace('\'', "''"));
        let pipeline = PIPELINE.replace("PUBLISHERS", &quoted);
        let (config, findings) = imported(&[("ceilometer.conf", &conf), ("pipeline.yaml", &pipeline)]);
        prop_assert_eq!(&config.samples.telemetry_secret.value.0, &secret);
        let to = &config.samples.dispatchers.value[0];
        prop_assert_eq!((to.user(), to.password()), (Some(&*user), Some(&*password)));
        if cfg!(feature = "messaging") {
            prop_assert_eq!(config.sources[0].value.password(), Some(&*password));
        }
        let _said = findings;
    }
}
