//! Peers that misbehave.

use std::error::Error as StdError;
use std::io::{Read, Write};
use std::net::TcpListener;

use nephoscope_telemetry::{ConnectionString, Error, ErrorKind};
use nephoscope_testkit::http::{HttpDouble, Reply};

use super::*;

const SECRET: &str = "hunter2";

fn to(hosts: &str, options: &str) -> ConnectionString {
    ConnectionString::parse(&format!("weather://user:{SECRET}@{hosts}/{options}")).unwrap()
}

fn http(hosts: &str, options: &str) -> Http {
    Http::new("Weather", &to(hosts, options), false, 80, "/base").unwrap().with_basic_auth("user", SECRET)
}

/// The error of a JSON answer of a server that replies so.
async fn failure(reply: Reply) -> Error {
    // Only where nothing comes, so that a busy machine makes no difference to the others.
    let options = if matches!(reply, Reply::Silence) { "?timeout=0.2" } else { "" };
    let double = HttpDouble::start(move |_| reply.clone());
    let http = http(&format!("127.0.0.1:{}", double.port()), options);
    let answer = http.get("ask", "/x").send().await;
    let error = answer.and_then(|answer| answer.json::<Vec<u8>>()).unwrap_err();
    assert!(!full(&error).contains(SECRET), "{}", full(&error));
    assert!(full(&error).contains(&double.port().to_string()), "{}", full(&error));
    error
}

/// The error with what caused it.
fn full(error: &Error) -> String {
    format!("{error}: {:?}", error.source().map(ToString::to_string))
}

#[tokio::test]
async fn a_request_arrives_as_it_was_written() {
    let double = HttpDouble::start(|_| Reply::json(200, "[1, 2]"));
    let http = http(&format!("127.0.0.1:{}", double.port()), "");
    let request = http.post("ask", &format!("/{}", segment("a/b c")));
    let answer = request.query("q", "x&y").json(&["z"]).send().await.unwrap();
    assert_eq!(answer.json::<Vec<u8>>().unwrap(), [1, 2]);
    let received = double.received().pop().unwrap();
    assert_eq!((received.method.as_str(), received.target.as_str()), ("POST", "/base/a%2Fb%20c?q=x%26y"));
    assert_eq!(received.header("authorization"), Some("Basic dXNlcjpodW50ZXIy"));
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.text(), "[\"z\"]");
}

#[tokio::test]
async fn a_status_tells_what_to_do_and_repeats_no_secret() {
    use ErrorKind::{Config, Conflict, Invalid, NotFound, Unavailable, Unsupported};
    for (status, kind) in [
        (302, Config),
        (400, Invalid),
        (401, Config),
        (403, Config),
        (404, NotFound),
        (405, Unsupported),
        (409, Conflict),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ] {
        let error = failure(Reply::json(status, format!("{{\"error\": \"not  with {SECRET}\"}}"))).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(&format!("answers {status}")), "{error}");
        assert!(error.to_string().contains("\"not with ***\""), "{error}");
    }
}

#[tokio::test]
async fn a_backend_may_say_more_than_its_status() {
    let double = HttpDouble::start(|received| match received.target.as_str() {
        "/base/known" => Reply::json(500, "code 7"),
        _ => Reply::json(500, "code 8"),
    });
    let meaning: Meaning =
        |status, text| (status == 500 && text == "code 7").then_some((ErrorKind::Config, "; do as it says"));
    let http = http(&format!("127.0.0.1:{}", double.port()), "").with_meaning(meaning);
    let error = http.get("ask", "/known").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().ends_with("code 7; do as it says"), "{error}");
    assert_eq!(http.get("ask", "/other").send().await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_web_page_is_told_from_an_answer() {
    let page = || b"\n<!DOCTYPE html><title>Welcome</title>".to_vec();
    let error = failure(Reply::Answer(200, Vec::new(), page())).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("a web page; is the address right"), "{error}");
    let error = failure(Reply::Answer(502, Vec::new(), page())).await;
    assert!(error.to_string().ends_with("answers 502 Bad Gateway with a web page"), "{error}");
}

#[tokio::test]
async fn half_an_answer_is_no_answer() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[1, 2".to_vec();
    let error = failure(Reply::Raw(half)).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().ends_with("broke off"), "{error}");
    assert_eq!(failure(Reply::Raw(Vec::new())).await.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn silence_ends_with_the_time_and_the_option() {
    let error = failure(Reply::Silence).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().ends_with("did not answer within 0.2 s (option `timeout`)"), "{error}");
}

#[tokio::test]
async fn what_is_no_http_is_told() {
    let error = failure(Reply::Raw(b"-ERR unknown command\r\n".to_vec())).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("does not answer in HTTP; does it want TLS"), "{}", full(&error));
}

#[tokio::test]
async fn json_of_another_form_is_shown() {
    let error = failure(Reply::json(200, "{\"weather\": \"fine\"}")).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("{\"weather\": \"fine\"}"), "{error}");
}

#[tokio::test]
async fn an_address_that_cannot_be_reached_is_left_for_the_next() {
    let double = HttpDouble::start(|_| Reply::json(200, "[]"));
    let http = http(&format!("127.0.0.1:1,127.0.0.1:{}", double.port()), "");
    let error = http.get("ask", "/").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("127.0.0.1:1 cannot be reached"), "{error}");
    for _ in 0..2 {
        http.get("ask", "/").send().await.unwrap();
    }
}

#[tokio::test]
async fn tls_with_a_server_that_has_none_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = to(&listener.local_addr().unwrap().to_string(), "");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        // Until the client has seen it and gone away.
        drop(stream.read_to_end(&mut Vec::new()));
    });
    let http = Http::new("Weather", &to, true, 443, "").unwrap();
    let error = http.get("ask", "/").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{}", full(&error));
    assert!(error.to_string().contains("no TLS connection"), "{error}");
}

#[test]
fn options_that_make_no_sense_are_refused_by_name() {
    for (options, named) in [
        ("?timeout=soon", "`timeout`"),
        ("?connect_timeout=0", "`connect_timeout`"),
        ("?cacert=/no/such/file", "/no/such/file"),
        ("?key=/key.pem", "`cert`"),
        ("?insecure=perhaps", "`insecure`"),
    ] {
        let error = Http::new("Weather", &to("host", options), true, 443, "").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(named) && !error.to_string().contains(SECRET), "{error}");
    }
    let error = Http::new("Weather", &to("host", "?cacert=/x.pem"), false, 80, "").unwrap_err();
    assert!(error.to_string().contains("option `cacert` is for TLS"), "{error}");
}

#[tokio::test]
async fn a_backend_may_be_at_a_url_of_its_own() {
    let double = HttpDouble::start(|_| Reply::json(200, "[]"));
    let to = to("elsewhere", "?cacert=/only/for/tls.pem");
    let http = Http::at("Weather", &to, &format!("http://127.0.0.1:{}/v3/", double.port())).unwrap();
    http.get("ask", "/x").send().await.unwrap();
    assert_eq!(double.received().pop().unwrap().target, "/v3/x");
    for url in ["", "host:80", "ftp://host", "http://user@host", "http://host?x=y", "http://"] {
        let error = Http::at("Weather", &to, url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{url}");
        assert!(!error.to_string().contains(SECRET), "{error}");
    }
}

#[test]
fn a_path_has_its_slashes_and_nothing_else_that_means_anything() {
    for (text, path) in [
        ("", "/"),
        ("/", "/"),
        ("a b/c?", "/a%20b/c%3F"),
        ("/a/b/", "/a/b/"),
        ("a//b", "/a//b"),
        ("%2F", "/%252F"),
    ] {
        assert_eq!(crate::path(text), path, "{text}");
    }
}
