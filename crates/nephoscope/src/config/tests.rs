use std::io::Write;
use std::time::Duration;

use super::*;

fn read(text: &str) -> (PathBuf, Result<Config, String>) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let args = ConfigArgs { config: Some(file.path().into()), ..ConfigArgs::default() };
    let config = Config::read(&args, &nephoscope_drivers::registry());
    (file.path().into(), config.map_err(|failure| failure.to_string()))
}

#[test]
fn every_setting_is_read_with_its_origin() {
    let (path, config) = read(
        "data_dir = \"/d\"\n[http]\nlisten = \"[::1]:1\"\n[otlp]\ngrpc_listen = \"127.0.0.1:2\"\n[traces]\ndrivers = [\n  \"memory://\"]\n",
    );
    let config = config.unwrap();
    assert_eq!(config.data_dir.value, Path::new("/d"));
    assert_eq!(config.listen.value, "[::1]:1");
    assert_eq!(config.otlp_grpc_listen.value.as_deref(), Some("127.0.0.1:2"));
    assert_eq!(config.trace_drivers.value[0].scheme(), "memory");
    assert_eq!(config.trace_drivers.origin, Origin::File(path, 7));
}

#[test]
fn every_mistake_is_told_at_once_with_its_line() {
    let (path, config) = read(
        "data_dir = 5\nport = 1\n[http]\nlisten = \"here\"\ntls = true\n[traces]\ndrivers = [\"memory://\", \"redis://:s3cret@h:x\", 7]\n[otlp]\ngrpc_listen = \"4317\"\nhttp = 1\n",
    );
    let path = path.display();
    let mistakes = config.unwrap_err();
    for told in [
        format!("{path}:1: `data_dir` is a string"),
        format!("{path}:2: `port` is not known"),
        format!("{path}:4: `listen` is an address"),
        format!("{path}:5: `tls` is not known in [http]"),
        format!("{path}:7: not a connection string: a port"),
        format!("{path}:7: `drivers` is a string"),
        format!("{path}:9: `grpc_listen` is an address"),
        format!("{path}:10: `http` is not known in [otlp]"),
    ] {
        assert!(mistakes.contains(&told), "{told} is not in:\n{mistakes}");
    }
    assert_eq!(mistakes.lines().count(), 8);
    assert!(!mistakes.contains("s3cret"));
}

#[test]
fn how_the_api_is_served_is_read_and_shown() {
    let (_, config) = read(
        "[http]\nauth = \"remoteuser\"\nremote_user_header = \"X-User\"\nmax_limit = 7\nproxy_headers = true\n\
         cors_allowed_origins = [\"http://foobar.com\"]\n",
    );
    let (_, again) = read(&config.unwrap().to_string());
    let api = again.unwrap().api;
    let settings = api.settings(&Keystone::default());
    assert!(
        matches!(settings.auth, nephoscope_server::Auth::RemoteUser(name) if name == "x-user"),
        "{api:?}"
    );
    assert_eq!((settings.max_limit, settings.proxy_headers), (7, true));
    assert_eq!(settings.cors_allowed_origins, ["http://foobar.com"]);
    let (_, config) = read("");
    let api = config.unwrap().api;
    let (settings, default) =
        (api.settings(&Keystone::default()), nephoscope_server::GnocchiSettings::default());
    assert!(matches!(settings.auth, nephoscope_server::Auth::None));
    assert_eq!((settings.max_limit, settings.proxy_headers), (default.max_limit, false));
    assert_eq!(settings.policy, default.policy);
}

#[test]
fn how_the_store_keeps_things_is_read_and_shown() {
    let (path, config) = read(
        "[store]\ndefault_archive_policies = false\nkeep_ended_resources = \"36h\"\nkeep_revisions = \"4w\"\n",
    );
    let shown = config.unwrap().to_string();
    for line in ["keep_ended_resources = \"36h\"", "keep_revisions = \"4w\""]
        .map(|line| format!("{line}  # {}:", path.display()))
    {
        assert!(shown.contains(&line), "{line} is not in:\n{shown}");
    }
    let (_, again) = read(&shown);
    let store = again.unwrap().store;
    assert!(!store.default_archive_policies.value);
    let options = store.options();
    assert_eq!(options.purge_ended_resources, Some(Duration::from_secs(36 * 3600)));
    assert_eq!(options.purge_revisions, Some(Duration::from_secs(28 * 86_400)));
    let (_, config) = read("");
    let store = config.unwrap().store;
    assert!(store.default_archive_policies.value);
    assert_eq!(store.options().purge_ended_resources, None);
    let (path, config) = read("[store]\nkeep_revisions = 30\nkeep_ended_resources = \"soon\"\n");
    let (path, mistakes) = (path.display(), config.unwrap_err());
    for told in [
        format!("{path}:2: `keep_revisions` is a duration in quotes, such as \"30d\""),
        format!("{path}:3: `keep_ended_resources` is a duration"),
    ] {
        assert!(mistakes.contains(&told), "{told} is not in:\n{mistakes}");
    }
}

#[test]
fn every_mistake_about_the_api_is_told_with_its_line() {
    let (path, config) = read(
        "[http]\nauth = \"kerberos\"\nmax_limit = 0\nproxy_headers = 1\ncors_allowed_origins = \"*\"\n[store]\nsacks = 128\n",
    );
    let (path, mistakes) = (path.display(), config.unwrap_err());
    for told in [
        format!("{path}:2: `auth` is one of none, basic, remoteuser, keystone"),
        format!("{path}:3: `max_limit` is a number from 1"),
        format!("{path}:4: `proxy_headers` is true or false"),
        format!("{path}:5: `cors_allowed_origins` is a list of strings"),
        format!(
            "{path}:7: `sacks` is not known in [store]; known: default_archive_policies, keep_ended_resources"
        ),
    ] {
        assert!(mistakes.contains(&told), "{told} is not in:\n{mistakes}");
    }
    for text in ["auth = \"remoteuser\"\n", "auth = \"remoteuser\"\nremote_user_header = \"a b\"\n"] {
        let (_, config) = read(&format!("[http]\n{text}"));
        assert!(config.unwrap_err().contains("`remote_user_header`"), "{text}");
    }
}

#[test]
fn a_keystone_is_read_and_shown_without_secrets() {
    let (_, config) = read(
        "[http]\nauth = \"keystone\"\n[keystone]\nurl = \"keystone://nephele:s3cret@?auth_url=https://k:5000&project=p\"\n\
         public_url = \"https://cloud:5000/v3\"\ncache_time = \"1m\"\n",
    );
    let config = config.unwrap();
    let shown = config.to_string();
    assert!(!format!("{shown} {config:?}").contains("s3cret"), "{shown}");
    for told in
        ["[keystone]\nurl = \"keystone://", "public_url = \"https://cloud:5000/v3\"", "cache_time = \"1m\""]
    {
        assert!(shown.contains(told), "{told} is not in:\n{shown}");
    }
    let settings = config.api.settings(&config.keystone);
    assert!(format!("{:?}", settings.auth).contains("https://cloud:5000/v3"));
}

#[test]
fn every_mistake_about_keystone_and_the_policy_is_told() {
    let (path, config) = read("[http]\nauth = \"keystone\"\n");
    assert!(
        config.unwrap_err().contains(&format!("{}:2: `keystone` needs [keystone] `url`", path.display()))
    );
    for (url, told) in [
        ("keystone://u:s3cret@?project=p", "`auth_url`"),
        ("keystone://u@?auth_url=https://k", "a user and a password"),
        ("redis://u:s3cret@?auth_url=https://k", "the scheme of a Keystone"),
        ("keystone://u:s3cret@?auth_url=https://k&projct=p", "projct"),
    ] {
        let (path, config) = read(&format!("[keystone]\nurl = \"{url}\"\nuser = \"u\"\n"));
        let mistakes = config.unwrap_err();
        assert!(
            mistakes.contains(told) && mistakes.contains(&format!("{}:2: ", path.display())),
            "{mistakes}"
        );
        assert!(
            mistakes.contains(&format!("{}:3: `user` is not known in [keystone]", path.display())),
            "{mistakes}"
        );
        assert!(!mistakes.contains("s3cret"), "{mistakes}");
    }
    let mut policy = tempfile::NamedTempFile::new().unwrap();
    policy
        .write_all(b"\"get status\": \"role:reader\"\n\"get metrc\": \"@\"\nowner: \"role:a and\"\n")
        .unwrap();
    let (path, config) = read(&format!("[http]\npolicy_file = \"{}\"\n", policy.path().display()));
    let mistakes = config.unwrap_err();
    let place = format!("{}:2: {}: rule ", path.display(), policy.path().display());
    assert_eq!(mistakes.matches(&place).count(), 2, "{mistakes}");
    let (_, config) = read("[http]\npolicy_file = \"/nowhere/policy.yaml\"\n");
    assert!(config.unwrap_err().contains("/nowhere/policy.yaml: No such file"));
    let mut policy = tempfile::NamedTempFile::new().unwrap();
    policy.write_all(b"\"get status\": \"role:reader\"\n").unwrap();
    let (_, config) = read(&format!("[http]\npolicy_file = \"{}\"\n", policy.path().display()));
    let config = config.unwrap();
    assert_ne!(config.api.settings(&config.keystone).policy, nephoscope_server::Policy::default());
    assert!(config.to_string().contains("policy_file = "));
}

#[test]
fn the_door_for_statsd_is_read_and_shown() {
    const ID: &str = "07f26121-5777-48ba-8a0b-d70468133dd9";
    let (_, config) = read(&format!(
        "[statsd]\nlisten = \"0.0.0.0:8125\"\nresource_id = \"{ID}\"\ncreator = \"u:p\"\narchive_policy_name = \"low\"\n\
         flush_delay = \"500ms\"\n"
    ));
    let (_, again) = read(&config.unwrap().to_string());
    let statsd = again.unwrap().statsd;
    let (creator, settings) = statsd.settings().unwrap();
    assert_eq!((statsd.listen.value.as_str(), creator.to_string().as_str()), ("0.0.0.0:8125", "u:p"));
    assert_eq!((settings.resource_id.as_str(), settings.archive_policy_name.as_deref()), (ID, Some("low")));
    assert_eq!(settings.flush_delay, Duration::from_millis(500));
    let (_, config) = read("");
    let config = config.unwrap();
    assert!(config.statsd.settings().is_none() && !config.to_string().contains("statsd"));
    let (path, config) =
        read("[statsd]\nlisten = \"here\"\nresource_id = \"one\"\nflush_delay = \"0s\"\nport = 1\n");
    let (path, mistakes) = (path.display(), config.unwrap_err());
    for told in [
        format!("{path}:2: `listen` is an address"),
        format!("{path}:3: `resource_id` is a UUID"),
        format!("{path}:4: `flush_delay` is longer than nothing"),
        format!("{path}:5: `port` is not known in [statsd]"),
    ] {
        assert!(mistakes.contains(&told), "{told} is not in:\n{mistakes}");
    }
    let (path, config) = read("[statsd]\ncreator = \"u\"\n");
    assert!(config.unwrap_err().contains(&format!("{}:2: [statsd] needs `resource_id`", path.display())));
}

#[test]
fn a_driver_that_nobody_has_is_a_mistake() {
    let (_, config) = read("[traces]\ndrivers = [\"cassandra://h\"]\n");
    assert!(config.unwrap_err().contains("`cassandra`"));
    let (_, config) = read("[traces]\ndrivers = []\n");
    assert!(config.unwrap_err().contains("names no driver"));
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let (path, config) = read("data_dir = \"/d\"\n[http\n");
    assert!(config.unwrap_err().contains(&format!("{}:2:", path.display())));
}

#[test]
fn a_flag_comes_before_the_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"[http]\nlisten = \"127.0.0.1:1\"\n").unwrap();
    let args = ConfigArgs {
        config: Some(file.path().into()),
        listen: Some("127.0.0.1:2".into()),
        ..ConfigArgs::default()
    };
    let config = Config::read(&args, &nephoscope_drivers::registry()).unwrap();
    assert_eq!((config.listen.value.as_str(), config.listen.origin), ("127.0.0.1:2", Origin::Flag));
}

#[test]
fn what_is_shown_can_be_read_again_and_holds_no_secret() {
    let (_, config) = read(
        "data_dir = \"/a \\\"b\\\"\"\n[otlp]\ngrpc_listen = \"[::]:1\"\n[traces]\ndrivers = [\"memory://\"]\n",
    );
    let shown = config.unwrap().to_string();
    let (_, again) = read(&shown);
    let again = again.unwrap();
    assert_eq!(again.data_dir.value, Path::new("/a \"b\""));
    assert_eq!(again.otlp_grpc_listen.value.as_deref(), Some("[::]:1"));
    let secret = ConnectionString::parse("redis://:s3cret@h").unwrap();
    let config = Config {
        data_dir: Setting { value: "/d".into(), origin: Origin::Default },
        listen: Setting { value: DEFAULT_LISTEN.into(), origin: Origin::Default },
        otlp_grpc_listen: Setting { value: None, origin: Origin::Default },
        api: Api::default(),
        keystone: Keystone::default(),
        statsd: Statsd::default(),
        store: Store::default(),
        samples: Samples::default(),
        trace_drivers: Setting { value: vec![secret.clone()], origin: Origin::Default },
        sources: vec![Setting { value: secret, origin: Origin::Default }],
    };
    assert!(!format!("{config} {config:?}").contains("s3cret"));
}

#[test]
fn where_samples_go_is_read_and_shown_without_secrets() {
    let (path, config) = read(
        "[samples]\ndispatchers = [\"embedded://\", \"file:///s.jsonl\"]\ntelemetry_secret = \"s3cret\"\n[spool]\nmax_size = \"5GiB\"\n",
    );
    let samples = config.unwrap().samples;
    assert_eq!(samples.dispatchers.value[1].scheme(), "file");
    assert_eq!((samples.max_size.value, samples.max_size.origin.clone()), (5 << 30, Origin::File(path, 5)));
    assert_eq!(samples.telemetry_secret.value.0, "s3cret");
    assert!(!format!("{samples} {samples:?}").contains("s3cret"));
    let (_, again) = read(&samples.to_string());
    assert_eq!(again.unwrap().samples.max_size.value, 5 << 30);
    let (_, mistakes) = read("[samples]\ndispatchers = []\nto = 1\n[spool]\nmax_size = 5\nsize = 1\n");
    let mistakes = mistakes.unwrap_err();
    for told in ["`to` is not known", "names no dispatcher", "`max_size` is a size", "`size` is not known"] {
        assert!(mistakes.contains(told), "{mistakes}");
    }
    let (_, mistakes) = read("[samples]\ndispatchers = [\"kafka://h\"]\n");
    assert!(mistakes.unwrap_err().contains("no dispatcher has the scheme `kafka`"));
}

#[cfg(feature = "messaging")]
#[test]
fn sources_are_read_and_shown_without_secrets() {
    let (path, config) = read(
        "[[source]]\nurl = \"rabbit://nova:s3cret@mq/?topics=a,b\"\n[[source]]\nurl = \"rabbit://two\"\n",
    );
    let config = config.unwrap();
    assert_eq!(config.sources[0].origin, Origin::File(path, 2));
    let shown = config.to_string();
    assert!(!shown.contains("s3cret"), "{shown}");
    let (_, again) = read(&shown);
    assert_eq!(again.unwrap().sources[1].value.hosts()[0].name, "two");
}

#[cfg(feature = "messaging")]
#[test]
fn every_mistake_in_a_source_is_told_with_its_line() {
    let (path, config) = read(
        "[[source]]\nurl = \"kafka://h:9092\"\n[[source]]\nurl = \"rabbit://:s3cret@h?topic=x\"\n[[source]]\nuri = \"\"\n[[source]]\nurl = 5\n",
    );
    let (path, mistakes) = (path.display(), config.unwrap_err());
    for told in [
        format!("{path}:2: kafka://h:9092: no source has the scheme `kafka`; known: rabbit"),
        format!("{path}:4: rabbit://"),
        format!("{path}:5: [[source]] has no `url`"),
        format!("{path}:6: `uri` is not known in [[source]]; known: url"),
        format!("{path}:8: `url` is a string"),
    ] {
        assert!(mistakes.contains(&told), "{told} is not in:\n{mistakes}");
    }
    assert_eq!(mistakes.lines().count(), 5);
    assert!(!mistakes.contains("s3cret"));
    let (path, config) = read("[source]\nurl = \"rabbit://h\"\n");
    assert!(config.unwrap_err().contains(&format!("{}:1: `source` is a list of sections", path.display())));
}
