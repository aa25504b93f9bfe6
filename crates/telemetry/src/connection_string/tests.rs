use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> ConnectionString {
    ConnectionString::parse(text).unwrap()
}

#[test]
fn every_part_of_the_grammar_is_read() {
    let cs =
        parse("MongoDB://al%40ice:p%2Fw:d@one:27017,[::1],[fe80::2]:27019/tra%20ces?replicaSet=rs0&w=%26");
    assert_eq!(cs.scheme(), "mongodb");
    assert_eq!(cs.user(), Some("al@ice"));
    assert_eq!(cs.password(), Some("p/w:d"));
    let hosts: Vec<_> = cs.hosts().iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["one:27017", "[::1]", "[fe80::2]:27019"]);
    assert_eq!(cs.database().as_deref(), Some("tra ces"));
    assert_eq!((cs.option("replicaSet"), cs.option("w"), cs.option("x")), (Some("rs0"), Some("&"), None));
}

#[test]
fn every_spelling_that_osprofiler_takes_is_taken() {
    for (text, scheme) in [
        ("messaging", "messaging"),
        ("messaging://", "messaging"),
        ("mysql+pymysql://root@127.0.0.1:3306/osp", "mysql+pymysql"),
        ("mysql+mysqldb://u:p@h/d?charset=utf8mb4", "mysql+mysqldb"),
        ("postgresql+psycopg2://u@h/d", "postgresql+psycopg2"),
        ("redissentinel://:secret@h:26379", "redissentinel"),
        ("redis://:secret@h:6379/1", "redis"),
        ("elasticsearch://h:9200", "elasticsearch"),
        ("jaeger://localhost:6831", "jaeger"),
        ("loginsight://user:pass@h", "loginsight"),
        ("sqlite:////tmp/x.db", "sqlite"),
        ("REDIS://h", "redis"),
    ] {
        assert_eq!(parse(text).scheme(), scheme);
    }
}

#[test]
fn a_place_on_disk_is_read_whole() {
    assert_eq!(parse("embedded:///var/lib/a%20b?x=1").location(), "/var/lib/a b");
    assert_eq!(parse("embedded://").location(), "");
    assert_eq!(parse("sqlite:///here/x.db").database().as_deref(), Some("here/x.db"));
    let moved = parse("embedded://?filter_error_trace=true").with_location("/a dir/50%?/#");
    assert_eq!(moved.location(), "/a dir/50%?/#");
    assert_eq!(parse(&moved.to_string()), moved);
}

#[test]
fn another_port_is_that_of_every_address() {
    for (text, moved) in [
        ("jaeger://", "jaeger://127.0.0.1:7"),
        ("jaeger://u:p%40@a:1,[::1]:2/x%20y@z?q=1", "jaeger://u:p%40@a:7,[::1]:7/x%20y@z?q=1"),
    ] {
        assert_eq!(parse(text).with_port(7), parse(moved));
    }
}

#[test]
fn no_secret_is_ever_shown() {
    for text in [
        "redis://s3cret:s3cret@h:1/0",
        "redis://:s3cret@h",
        "redis://a:s3c@s3cret@h",
        "influxdb2://h/db?token=s3cret&org=x",
        "mongodb://h/?tlsCertificateKeyFilePassword=s3cret",
        "elasticsearch://h?api_key=s3cret",
        "otlp://h?headers=authorization=s3cret",
        "otlp://h?query=jaeger://u:s3cret@h",
        "otlp://h?query=http%3A%2F%2Fu%3As3cret%40h%2F%3Fx%3D1%26token%3Ds3cret",
        "otlp://h?query=://s3cret",
    ] {
        let cs = parse(text);
        for shown in
            [cs.to_string(), format!("{cs:?}"), cs.wrong("no").to_string(), format!("{:?}", cs.wrong("no"))]
        {
            assert!(!shown.contains("s3c"), "{shown}");
            assert!(shown.contains(HIDDEN), "{shown}");
        }
    }
    assert_eq!(parse("redis://u:p@h:1/2?a=b").to_string(), "redis://***@h:1/2?a=b");
    assert_eq!(
        parse("otlp://h?a=%3D&query=x%3A%2F%2Fu@h%3Fb").to_string(),
        "otlp://h?a=%3D&query=x://***@h?b"
    );
    assert_eq!(parse("redis://h:1/2/a@b").to_string(), "redis://h:1/2/a@b");
}

#[test]
fn what_is_wrong_is_told_without_secrets() {
    for (text, told) in [
        ("", "empty"),
        ("://h", "empty"),
        ("re dis://:s3cret@h", "backend type"),
        ("redis://:s3cret@h:99999", "port"),
        ("redis://:s3cret@::1", "brackets"),
        ("redis://:s3cret@[::1", "IPv6"),
        ("redis://:s3#cret@h", "%23"),
        ("redis://:s3cret%ff@h", "UTF-8"),
    ] {
        let error = ConnectionString::parse(text).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
        assert!(!error.contains("s3"), "{error}");
    }
}

#[test]
fn options_are_checked() {
    let cs = parse("redis://h?filter_error_trace=True&tpyo=1&b=maybe");
    assert!(cs.flag("filter_error_trace").unwrap());
    assert!(!cs.flag("absent").unwrap());
    assert!(cs.flag("b").unwrap_err().to_string().contains("`b`"));
    assert!(cs.expect_options(&["filter_error_trace", "b"]).unwrap_err().to_string().contains("`tpyo`"));
    assert_eq!(cs.expose("redis", |name| name == "b"), "redis://h?b=maybe");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".*", rest in ".*") {
        let _outcome = ConnectionString::parse(&text);
        if let Ok(cs) = ConnectionString::parse(&format!("x://{rest}")) {
            let _outcome = (cs.to_string(), cs.location(), cs.database());
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again(rest in "[a-z%0-9@:/?&=,.\\[\\]]*", any in ".*") {
        for text in [format!("x://{rest}"), format!("x://{any}")] {
            if let Ok(cs) = ConnectionString::parse(&text) {
                let shown = cs.to_string();
                prop_assert_eq!(parse(&shown).to_string(), shown);
            }
        }
    }

    #[test]
    fn a_password_is_never_shown(password in "[a-zA-Z0-9:@!$*+]{8,20}", host in "[a-z]{1,5}") {
        let cs = parse(&format!("redis://u:{password}@{host}/0?secret_option={password}"));
        prop_assert_eq!(cs.password().unwrap(), password.as_str());
        prop_assert!(!cs.to_string().contains(&password));
    }
}

#[test]
fn what_ends_with_a_blank_is_refused_since_it_could_not_be_shown() {
    for text in ["x:// ?", "x://\u{b}?a=b", "x://h/d\t?", "x://? &"] {
        assert!(ConnectionString::parse(text).is_err(), "{text:?}");
    }
    assert_eq!(parse(" x://h/d ").database().unwrap(), "d");
}

#[test]
fn an_added_option_is_read_as_it_was_given() {
    for text in ["messaging://", "messaging://h?topic=t"] {
        let to =
            ConnectionString::parse(text).unwrap().with_option("transport_url", "rabbit://u:p%40w&@h/?ssl=1");
        assert_eq!(to.option("transport_url"), Some("rabbit://u:p%40w&@h/?ssl=1"));
        assert_eq!(ConnectionString::parse(&to.expose("messaging", |_| true)).unwrap(), to);
        assert!(to.to_string().ends_with("transport_url=***"), "{to}");
    }
}
