//! A Keystone that answers as it is told; the real one is in `tests/real.rs`.

use std::sync::atomic::{AtomicUsize, Ordering};

use nephoscope_http::Http;
use nephoscope_telemetry::{ConnectionString, Error, ErrorKind};
use nephoscope_testkit::http::{HttpDouble, Received, Reply};

use super::*;

const SECRET: &str = "hunter2";

/// A token of this number that lasts so many minutes, by a clock that is years off.
fn token(number: usize, minutes: u32) -> Reply {
    let body = format!(
        r#"{{"token": {{"issued_at": "2001-01-01T00:00:00.000000Z", "expires_at": "2001-01-01T00:{minutes:02}:00.000000Z",
            "catalog": [{{"type": "metering", "name": "ceilometer", "endpoints": [
                {{"interface": "public", "region_id": "north", "url": "http://north:8777/"}},
                {{"interface": "public", "region_id": "south", "url": "http://south:8777"}},
                {{"interface": "internal", "region_id": "south", "url": "http://inside:8777"}}]}}]}}}}"#
    );
    Reply::Answer(201, vec![("x-subject-token", format!("token-{number}"))], body.into_bytes())
}

/// A Keystone that gives one token after the other.
fn tokens(minutes: u32) -> HttpDouble {
    let count = AtomicUsize::new(0);
    HttpDouble::start(move |_| token(count.fetch_add(1, Ordering::Relaxed), minutes))
}

fn to(port: u16, options: &str) -> ConnectionString {
    let auth = format!("auth_url=http://127.0.0.1:{port}&project=weather");
    ConnectionString::parse(&format!("ceilometer://nephele:{SECRET}@/?{auth}{options}")).unwrap()
}

fn keystone(double: &HttpDouble) -> Keystone {
    Keystone::of(&to(double.port(), "")).unwrap().unwrap()
}

/// What is sent to log in with these options.
async fn sent(options: &str) -> String {
    let double = tokens(59);
    Keystone::of(&to(double.port(), options)).unwrap().unwrap().session().await.unwrap();
    let received = double.received().pop().unwrap();
    assert_eq!((received.method.as_str(), received.target.as_str()), ("POST", "/v3/auth/tokens"));
    received.text()
}

#[tokio::test]
async fn a_password_is_of_a_user_in_a_domain() {
    let default = r#"{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"nephele","domain":{"name":"Default"},"password":"hunter2"}}},"scope":{"project":{"name":"weather","domain":{"name":"Default"}}}}}"#;
    assert_eq!(sent("").await, default);
    let named = default.replacen("Default", "people", 1).replacen("Default", "clouds", 1);
    assert_eq!(sent("&user_domain=people&project_domain=clouds").await, named);
}

#[tokio::test]
async fn an_application_credential_is_of_one_project_already() {
    assert_eq!(
        sent("&application_credential=id&application_credential_secret=s").await,
        r#"{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"id","secret":"s"}}}}"#
    );
}

#[tokio::test]
async fn a_token_is_exchanged_for_one_of_the_project() {
    let body = sent("&token=given").await;
    assert!(body.contains(r#""identity":{"methods":["token"],"token":{"id":"given"}},"scope""#), "{body}");
}

#[tokio::test]
async fn one_login_serves_all_until_shortly_before_its_end() {
    let double = tokens(59);
    let keystone = keystone(&double);
    let (one, other) = tokio::join!(keystone.session(), keystone.session());
    assert_eq!((one.unwrap().token(), other.unwrap().token()), ("token-0", "token-0"));
    assert_eq!(double.received().len(), 1);
}

#[tokio::test]
async fn a_token_that_has_ended_is_not_used() {
    let double = tokens(0);
    let keystone = keystone(&double);
    assert_eq!(keystone.session().await.unwrap().token(), "token-0");
    assert_eq!(keystone.session().await.unwrap().token(), "token-1");
}

/// A service that takes these tokens only.
fn service(taken: &'static [&str]) -> HttpDouble {
    HttpDouble::start(move |request: &Received| {
        let token = request.header("x-auth-token").unwrap_or_default();
        if taken.contains(&token) { Reply::json(200, "[]") } else { Reply::json(401, "no") }
    })
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let (double, taking) = (tokens(59), service(&["token-1"]));
    let keystone = keystone(&double);
    let http = Http::at("Weather", &to(1, ""), &format!("http://127.0.0.1:{}", taking.port())).unwrap();
    for _ in 0..2 {
        let answer = keystone.send(|| http.get("ask", "/x").query("a", "b")).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let asked: Vec<_> = taking.received().iter().map(|request| request.target.clone()).collect();
    assert_eq!((asked, double.received().len()), (vec!["/x?a=b".to_owned(); 3], 2));

    let refusing = service(&[]);
    let http = Http::at("Weather", &to(1, ""), &format!("http://127.0.0.1:{}", refusing.port())).unwrap();
    let error = keystone.send(|| http.get("ask", "/x")).await.unwrap_err();
    assert_eq!((error.kind(), refusing.received().len()), (ErrorKind::Config, 2));
}

#[tokio::test]
async fn endpoints_are_found_in_the_catalog() {
    let session = keystone(&tokens(59)).session().await.unwrap();
    let any = Service { types: &["event", "metering"], name: None, region: None, interface: "public" };
    assert_eq!(session.endpoint(&any).unwrap(), "http://north:8777");
    let south = Service { region: Some("south"), ..any };
    assert_eq!(session.endpoint(&south).unwrap(), "http://south:8777");
    let inside = Service { interface: "internal", name: Some("ceilometer"), ..any };
    assert_eq!(session.endpoint(&inside).unwrap(), "http://inside:8777");
    for (wanted, told) in [
        (Service { types: &["metric"], ..any }, "service metric; its services: metering"),
        (Service { region: Some("west"), ..any }, "with the region west"),
        (Service { name: Some("panko"), ..any }, "with the name panko"),
        (Service { interface: "admin", ..any }, "no admin endpoint"),
    ] {
        let error = session.endpoint(&wanted).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(told), "{error}");
    }
}

/// The error of a Keystone that replies so.
async fn failure(reply: Reply) -> Error {
    // Only where nothing comes, so that a busy machine makes no difference to the others.
    let impatient = if matches!(reply, Reply::Silence) { "&timeout=0.2" } else { "" };
    let double = HttpDouble::start(move |_| reply.clone());
    let keystone = Keystone::of(&to(double.port(), impatient)).unwrap().unwrap();
    let error = keystone.session().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
    error
}

#[tokio::test]
async fn a_keystone_that_fails_says_what_to_do() {
    let refused = failure(Reply::json(401, format!("{{\"error\": \"not {SECRET}\"}}"))).await;
    assert_eq!(refused.kind(), ErrorKind::Config);
    assert!(refused.to_string().contains("mend the login"), "{refused}");
    for reply in [Reply::empty(503), Reply::empty(429), Reply::Silence, Reply::Raw(Vec::new())] {
        assert_eq!(failure(reply).await.kind(), ErrorKind::Unavailable);
    }
    let without_token =
        Reply::json(201, r#"{"token": {"issued_at": "2001-01-01", "expires_at": "2001-01-01"}}"#);
    let page = Reply::Answer(200, Vec::new(), b"<html>".to_vec());
    for reply in [Reply::json(201, "{}"), without_token, page, Reply::empty(404)] {
        let error = failure(reply).await;
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
}

#[test]
fn what_is_missing_in_a_connection_string_is_told() {
    let refusal = |text: &str| {
        let error = Keystone::of(&ConnectionString::parse(text).unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    };
    assert!(refusal("x://?auth_url=http://k").contains("a user and a password"));
    assert!(refusal("x://user@?auth_url=http://k").contains("a user and a password"));
    assert!(
        refusal("x://?auth_url=http://k&application_credential=i")
            .contains("`application_credential_secret`")
    );
    assert!(refusal("x://u:p@?auth_url=http://k/v2.0").contains("version 2"));
    assert!(refusal("x://u:p@?auth_url=k:5000").contains("https://host:port/path"));
    assert!(Keystone::of(&ConnectionString::parse("x://u:p@host").unwrap()).unwrap().is_none());
}

#[tokio::test]
async fn nothing_of_it_shows_a_secret() {
    let keystone = keystone(&tokens(59));
    let session = keystone.session().await.unwrap();
    let shown = format!("{keystone:?} {session:?}");
    assert!(!shown.contains(SECRET) && !shown.contains("token-0"), "{shown}");
}

/// The words for a bearer whose token lasts until this year.
fn bearer(project: &str, year: u32) -> String {
    format!(
        r#"{{"token": {{"expires_at": "{year}-01-01T00:00:00.000000Z", "user": {{"id": "u", "name": "jd"}}, {project}
            "roles": [{{"id": "1", "name": "member"}}, {{"id": "2", "name": "reader"}}]}}}}"#
    )
}

/// A Keystone that lets us in, and answers so to the token that is asked after.
fn telling(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> HttpDouble {
    HttpDouble::start(move |request: &Received| {
        match (request.method.as_str(), request.header("x-subject-token")) {
            ("GET", Some(subject)) => reply(subject),
            _ => token(0, 59),
        }
    })
}

fn bearers(double: &HttpDouble) -> Bearers {
    Bearers::new(keystone(double), DEFAULT_CACHE_TIME)
}

fn questions(double: &HttpDouble) -> Vec<Received> {
    double.received().into_iter().filter(|request| request.method == "GET").collect()
}

#[tokio::test]
async fn a_token_is_asked_after_once() {
    let double = telling(|subject| match subject {
        "good" => Reply::json(200, bearer(r#""project": {"id": "p"},"#, 2250)),
        _ => Reply::json(404, "{}"),
    });
    let bearers = bearers(&double);
    for _ in 0..3 {
        let known = bearers.bearer("good").await.unwrap().unwrap();
        assert_eq!(
            (known.user_id.as_str(), known.project_id.as_deref(), &known.domain_id),
            ("u", Some("p"), &None)
        );
        assert_eq!(known.roles, ["member", "reader"]);
        assert_eq!(bearers.bearer("bad").await.unwrap(), None);
    }
    let asked = questions(&double);
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].target, "/v3/auth/tokens?nocatalog=1");
    assert_eq!(
        (asked[0].header("x-auth-token"), asked[0].header("x-subject-token")),
        (Some("token-0"), Some("good"))
    );
    for nonsense in ["", "a\nb", "a".repeat(20_000).as_str()] {
        assert_eq!(bearers.bearer(nonsense).await.unwrap(), None);
    }
    assert_eq!(questions(&double).len(), 2);
}

#[tokio::test]
async fn a_token_that_has_ended_is_nobodys() {
    let double = telling(|_| Reply::json(200, bearer("", 2001)));
    assert_eq!(bearers(&double).bearer("old").await.unwrap(), None);
}

#[tokio::test]
async fn what_is_said_is_not_believed_for_longer_than_is_wanted() {
    let double = telling(|subject| match subject {
        "good" => Reply::json(200, bearer(r#""domain": {"id": "d"},"#, 2250)),
        _ => Reply::json(404, "{}"),
    });
    let bearers = Bearers::new(keystone(&double), std::time::Duration::ZERO);
    for _ in 0..2 {
        assert_eq!(bearers.bearer("good").await.unwrap().unwrap().domain_id.as_deref(), Some("d"));
        assert_eq!(bearers.bearer("bad").await.unwrap(), None);
    }
    assert_eq!(questions(&double).len(), 4);
}

#[tokio::test]
async fn what_is_not_known_is_an_error_and_not_remembered() {
    for (reply, kind) in [
        (Reply::empty(503), ErrorKind::Unavailable),
        (Reply::json(403, "{}"), ErrorKind::Config),
        (Reply::json(401, "{}"), ErrorKind::Config),
        (Reply::json(200, "{}"), ErrorKind::Config),
    ] {
        let double = telling(move |_| reply.clone());
        let bearers = bearers(&double);
        for _ in 0..2 {
            let error = bearers.bearer("secret-token").await.unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(!format!("{error} {error:?} {bearers:?}").contains("secret-token"), "{error:?}");
        }
        assert!(questions(&double).len() >= 2);
    }
}
