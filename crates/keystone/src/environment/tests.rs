//! Clouds from files and variables that are told, not read.

use std::collections::HashMap;

use nephoscope_telemetry::ErrorKind;
use proptest::prelude::*;

use super::*;
use crate::login::Login;

const CLOUDS: &str = r#"
clouds:
  weather:
    auth_type: v3password
    auth:
      auth_url: https://keystone:5000/v3
      username: nephele
      password: 0123
      project_name: service
      user_domain_name: people
      project_domain_id: clouds
      token: none of our business
    region_name: north
    interface: internalURL
    verify: false
    cacert: /etc/ca.pem
    identity_api_version: 3
    volume_api_version: "3"
  robot:
    auth_type: v3applicationcredential
    auth:
      auth_url: https://keystone:5000
      application_credential_id: id
      application_credential_secret: s3cret
  rented:
    profile: vendor
    auth:
      username: tenant
      password: p
      project_id: 4711
  odd:
    auth_type: v3oidcpassword
    auth: {auth_url: "https://keystone"}
"#;
const SECURE: &str = "clouds: {weather: {auth: {password: hunter2}}}";
const PUBLIC: &str = "public-clouds: {vendor: {auth: {auth_url: 'https://vendor/v3'}, region_name: far}}";

/// These variables, and these files by their whole paths.
fn expand(text: &str, variables: &[(&str, &str)], files: &[(&str, &str)]) -> Result<ConnectionString> {
    let map = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<HashMap<_, _>>()
    };
    let (variables, files) = (map(variables), map(files));
    let to = ConnectionString::parse(text).unwrap();
    let around = Environment {
        variable: &|name| variables.get(name).cloned(),
        read: &|path| Ok(files.get(path.to_str().unwrap()).cloned()),
    };
    with_cloud_of(&to, &around)
}

fn options(to: &ConnectionString) -> Vec<(&str, &str)> {
    let mut options: Vec<_> =
        to.options().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    options.sort_unstable();
    options
}

const USUAL: [(&str, &str); 3] = [
    ("./clouds.yaml", CLOUDS),
    ("/home/n/.config/openstack/secure.yaml", SECURE),
    ("/etc/openstack/clouds-public.yaml", PUBLIC),
];
const HOME: (&str, &str) = ("HOME", "/home/n");

#[test]
fn a_cloud_becomes_options_and_its_secrets_come_from_elsewhere() {
    let to = expand("gnocchi://?cloud=weather", &[HOME], &USUAL).unwrap();
    let wanted = [
        ("auth_url", "https://keystone:5000/v3"),
        ("cacert", "/etc/ca.pem"),
        ("cloud", "weather"),
        ("insecure", "true"),
        ("interface", "internal"),
        ("password", "hunter2"),
        ("project", "service"),
        ("project_domain_id", "clouds"),
        ("region", "north"),
        ("user_domain", "people"),
        ("username", "nephele"),
    ];
    assert_eq!(options(&to), wanted);
    let Login { url, body, secret } = Login::read(&to).unwrap().unwrap();
    assert_eq!((url.as_str(), secret.as_str()), ("https://keystone:5000/v3", "hunter2"));
    let wanted = r#"{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"nephele","domain":{"name":"people"},"password":"hunter2"}}},"scope":{"project":{"name":"service","domain":{"id":"clouds"}}}}}"#;
    assert_eq!(body.to_string(), wanted);
    let shown = format!("{to} {to:?} {}", to.wrong("x"));
    assert!(!shown.contains("hunter2") && !shown.contains("nephele"), "{shown}");
}

#[test]
fn a_password_of_digits_stays_as_it_is_written() {
    let to = expand("gnocchi://?cloud=weather", &[HOME], &USUAL[..1]).unwrap();
    assert_eq!(to.option("password"), Some("0123"));
    let to = expand("gnocchi://?cloud=rented", &[HOME], &USUAL).unwrap();
    assert_eq!(to.option("project_id"), Some("4711"));
}

#[test]
fn a_profile_says_the_rest() {
    let to = expand("gnocchi://?cloud=rented", &[HOME], &USUAL).unwrap();
    assert_eq!((to.option("auth_url"), to.option("region")), (Some("https://vendor/v3"), Some("far")));
    let error = expand("gnocchi://?cloud=rented", &[HOME], &USUAL[..1]).unwrap_err();
    assert!(error.to_string().contains("profile `vendor`"), "{error}");
}

#[test]
fn what_the_connection_string_says_stays() {
    let text = "gnocchi://me:mine@?cloud=weather&region=south&project=other";
    let to = expand(text, &[HOME], &USUAL).unwrap();
    let named = ["username", "password", "user_domain", "region", "project", "auth_url", "project_domain_id"];
    let keystone = Some("https://keystone:5000/v3");
    let wanted = [None, None, None, Some("south"), Some("other"), keystone, Some("clouds")];
    assert_eq!(named.map(|name| to.option(name)), wanted);
    assert_eq!((to.user(), to.password()), (Some("me"), Some("mine")));
}

#[test]
fn variables_say_what_nobody_else_does() {
    let login = [
        ("OS_AUTH_URL", "http://k:5000"),
        ("OS_USERNAME", "u"),
        ("OS_PASSWORD", "p"),
        ("OS_TENANT_NAME", "t"),
        ("OS_DEFAULT_DOMAIN", "default"),
        ("OS_REGION_NAME", "r"),
        ("OS_INSECURE", "True"),
    ];
    let to = expand("gnocchi://", &login, &[]).unwrap();
    let wanted = [
        ("auth_url", "http://k:5000"),
        ("insecure", "true"),
        ("password", "p"),
        ("project", "t"),
        ("project_domain_id", "default"),
        ("region", "r"),
        ("user_domain_id", "default"),
        ("username", "u"),
    ];
    assert_eq!(options(&to), wanted);
    assert_eq!(expand("gnocchi://host?auth=keystone", &login, &[]).unwrap().option("username"), Some("u"));
    // Whoever says another way means it.
    for text in [
        "gnocchi://host",
        "gnocchi://?auth=basic",
        "gnocchi://?auth_url=http://other",
        "gnocchi://u@h?auth=none",
    ] {
        assert_eq!(expand(text, &login, &[]).unwrap(), ConnectionString::parse(text).unwrap(), "{text}");
    }
    assert_eq!(options(&expand("gnocchi://", &login[1..], &[]).unwrap()), []);
    let cloud = expand("gnocchi://", &[HOME, login[0], ("OS_CLOUD", "robot")], &USUAL).unwrap();
    let credential = ["application_credential", "application_credential_secret", "username"];
    assert_eq!(credential.map(|name| cloud.option(name)), [Some("id"), Some("s3cret"), None]);
}

#[test]
fn the_file_that_is_named_comes_before_the_usual_ones() {
    let named = ("OS_CLIENT_CONFIG_FILE", "/x/c.json");
    let file = |url: &str| format!(r#"{{"clouds": {{"c": {{"auth": {{"auth_url": "{url}"}}}}}}}}"#);
    let found = |variables: &[(&str, &str)], places: &[&str]| {
        let files: Vec<_> = places.iter().map(|place| (*place, file(place))).collect();
        let files: Vec<_> = files.iter().map(|(place, text)| (*place, text.as_str())).collect();
        expand("x://?cloud=c", variables, &files).unwrap().option("auth_url").unwrap().to_owned()
    };
    let places =
        ["/x/c.json", "./clouds.yml", "/home/n/.config/openstack/clouds.yaml", "/etc/openstack/clouds.json"];
    assert_eq!(found(&[named, HOME], &places), places[0]);
    assert_eq!(found(&[HOME], &places), places[1]);
    assert_eq!(found(&[HOME], &places[2..]), places[2]);
    assert_eq!(found(&[("XDG_CONFIG_HOME", "/xdg"), HOME], &places[2..]), places[3]);
}

#[test]
fn what_is_wrong_is_told_without_secrets() {
    for (text, files, told) in [
        (
            "x://?cloud=nothing",
            &USUAL[..1],
            "there is no cloud `nothing`; there are: odd, rented, robot, weather",
        ),
        ("x://?cloud=odd", &USUAL[..1], "`v3oidcpassword` is not possible"),
        ("x://?cloud=weather", &[][..], "OS_CLIENT_CONFIG_FILE"),
        (
            "x://?cloud=weather",
            &[("./clouds.yaml", "clouds: [hunter2]")][..],
            "./clouds.yaml: it is no file of clouds",
        ),
        (
            "x://?cloud=weather",
            &[("./clouds.yaml", "clouds: {weather: {auth: {password: [hunter2]}}}")][..],
            "line 1",
        ),
        ("x://?cloud=weather", &[("./clouds.yaml", "")][..], "there are: none"),
    ] {
        let error = expand(text, &[HOME], files).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(told) && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_file_that_refers_to_itself_without_end_is_refused() {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (one, other) in ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"].iter().map(|pair| pair.split_at(1)) {
        bomb.push_str(&format!(
            "{other}: &{other} [*{one}, *{one}, *{one}, *{one}, *{one}, *{one}, *{one}, *{one}]\n"
        ));
    }
    bomb.push_str("clouds: {c: {auth: {auth_url: http://k}}}\n");
    // Refused or not: it ends.
    drop(Clouds::parse(&bomb));
}

proptest! {
    #[test]
    fn any_text_is_taken(text in "(clouds|public-clouds|auth|[:\\n {}\\[\\]&*!|>'\"-]|.){0,60}") {
        drop(Clouds::parse(&text));
    }

    /// What is written as JSON, which YAML is a superset of, is read.
    #[test]
    fn a_password_is_read_whatever_it_is(password in "\\PC{1,40}") {
        let written = serde_json::json!({ "clouds": { "c": { "auth": { "auth_url": "http://k", "password": password } } } });
        let to = expand("x://?cloud=c", &[], &[("./clouds.json", &written.to_string())]).unwrap();
        prop_assert_eq!(to.option("password"), Some(password.as_str()));
    }
}
