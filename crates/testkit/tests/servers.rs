//! The private servers do what the tests that use them count on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, ExitCode};

use nephoscope_testkit::gnocchi::functional_suite;
use nephoscope_testkit::http::{HttpDouble, Reply};
use nephoscope_testkit::server::{
    GnocchiOptions, GnocchiServer, JaegerServer, MariadbServer, Missing, OtelCollector, PostgresServer,
    RedisOptions, RedisServer, SentinelGroup, Server,
};
use nephoscope_testkit::{conclude, trial};

fn main() -> ExitCode {
    conclude(vec![
        trial("redis_keeps_what_it_acknowledged_over_a_kill_when_durable", durable_redis),
        trial("redis_forgets_all_when_not_durable", forgetful_redis),
        trial("redis_asks_for_its_password_over_tls", secured_redis),
        trial("redis_is_gone_when_dropped", dropped_redis),
        trial("sentinel_makes_the_replica_the_master", sentinel_fails_over),
        trial("postgresql_keeps_what_it_acknowledged_over_a_kill", postgres),
        trial("mariadb_keeps_what_it_acknowledged_over_a_kill", mariadb),
        trial("jaeger_keeps_what_it_acknowledged_over_a_kill_when_durable", jaeger),
        trial("the_collector_passes_on_what_it_gets", collector),
        trial("gnocchi_passes_its_own_suite_and_keeps_what_it_has_over_a_kill", gnocchi),
        trial("a_server_ends_when_the_test_process_is_killed", orphan),
    ])
}

fn durable_redis() -> Result<(), Missing> {
    let mut redis = RedisServer::start_with(RedisOptions { durable: true, ..RedisOptions::default() })?;
    assert_eq!(redis.command(&["SET", "key", "value"]), "OK");
    redis.kill();
    assert!(TcpStream::connect(("127.0.0.1", redis.port())).is_err());
    redis.restart();
    assert_eq!(redis.command(&["GET", "key"]), "value");
    Ok(())
}

fn forgetful_redis() -> Result<(), Missing> {
    let mut redis = RedisServer::start()?;
    redis.command(&["SET", "key", "value"]);
    redis.kill();
    redis.restart();
    assert_eq!(redis.command(&["GET", "key"]), "");
    Ok(())
}

fn secured_redis() -> Result<(), Missing> {
    let options = RedisOptions { password: true, tls: true, ..RedisOptions::default() };
    let redis = RedisServer::start_with(options)?;
    assert!(redis.url().starts_with("rediss://:cumulus%2Fof"));
    assert_eq!(redis.command(&["PING"]), "PONG");
    assert!(redis.command(&["--no-auth-warning", "-a", "wrong", "PING"]).contains("NOAUTH"));
    Ok(())
}

fn dropped_redis() -> Result<(), Missing> {
    let redis = RedisServer::start()?;
    let port = redis.port();
    drop(redis);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    Ok(())
}

fn sentinel_fails_over() -> Result<(), Missing> {
    let options = RedisOptions { password: true, ..RedisOptions::default() };
    let mut group = SentinelGroup::start_with(options)?;
    let first = group.master().port();
    group.master().command(&["SET", "key", "value"]);
    assert_eq!(group.master().command(&["WAIT", "1", "5000"]), "1");
    group.fail_over();
    assert_ne!(group.master().port(), first);
    assert_eq!(group.master().command(&["GET", "key"]), "value");
    assert_eq!(group.master().command(&["SET", "key", "other"]), "OK");
    Ok(())
}

fn postgres() -> Result<(), Missing> {
    let mut server = PostgresServer::start()?;
    server.create_database("other");
    server.sql("other", "CREATE TABLE t (c text); INSERT INTO t VALUES ('日')");
    server.kill();
    server.restart();
    assert_eq!(server.sql("other", "SELECT c FROM t"), "日");
    Ok(())
}

fn mariadb() -> Result<(), Missing> {
    let mut server = MariadbServer::start()?;
    server.create_database("other");
    server.sql("other", "CREATE TABLE t (c text); INSERT INTO t VALUES ('日')");
    server.kill();
    server.restart();
    assert_eq!(server.sql("other", "SELECT c FROM t"), "日");
    Ok(())
}

/// One file of its suite that waits for metricd. The second time its archive policies are there already, and the runner has
/// to say so.
fn gnocchi() -> Result<(), Missing> {
    let mut server = GnocchiServer::start(&GnocchiOptions::functional())?;
    let file = "metric-granularity.yaml";
    assert_eq!(functional_suite(file, &server.url())?.trim(), r#"{"passed": 6, "failed": []}"#);
    server.kill();
    server.restart();
    let again = functional_suite(file, &server.url())?;
    assert!(again.contains(r#""failed": [{"name": "create archive policy""#), "{again}");
    Ok(())
}

/// What a server answers to a request whose body is JSON.
fn ask(port: u16, request: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    let length = body.len();
    let head =
        format!("{request} HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all((head + body).as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    answer
}

const SPAN: &str = r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "cirrus", "startTimeUnixNano": "1767225600000000000",
    "traceId": "7f4c1a043d5e4a0a9a3f0c6d2b1e8f00", "spanId": "00f067aa0ba902b7", "endTimeUnixNano": "1767225600000000009"}]}]}]}"#;

fn jaeger() -> Result<(), Missing> {
    let mut server = JaegerServer::start_durable()?;
    assert!(ask(server.http_port(), "POST /v1/traces", SPAN).contains("200 OK"));
    server.kill();
    assert!(TcpStream::connect(("127.0.0.1", server.grpc_port())).is_err());
    server.restart();
    let answer = ask(server.query_port(), "GET /api/v3/traces/7f4c1a043d5e4a0a9a3f0c6d2b1e8f00", "");
    assert!(answer.contains("cirrus"), "{answer}");
    Ok(())
}

fn collector() -> Result<(), Missing> {
    let double = HttpDouble::start(|_| Reply::json(200, "{}"));
    let server = OtelCollector::start(double.port())?;
    assert!(ask(server.http_port(), "POST /v1/traces", SPAN).contains("200 OK"));
    let received = double.received();
    assert_eq!((received.len(), received[0].target.as_str()), (1, "/v1/traces"));
    assert!(received[0].text().contains("cirrus"), "{}", received[0].text());
    Ok(())
}

/// The variable that makes this binary the process that is killed.
const ORPHAN: &str = "NEPHOSCOPE_TEST_ORPHAN";

/// Runs this test again in a process of its own, which starts a server, tells its port and is killed.
#[expect(clippy::print_stdout, reason = "the parent process reads it")]
fn orphan() -> Result<(), Missing> {
    if std::env::var_os(ORPHAN).is_some() {
        let redis = RedisServer::start()?;
        println!("\nport {}", redis.port());
        loop {
            std::thread::park();
        }
    }
    drop(RedisServer::start()?);
    // A killed process leaves its files behind.
    let files = tempfile::tempdir().expect("a directory can be made");
    let mut child = Command::new(std::env::current_exe().expect("tests have a path"))
        .args(["--exact", "a_server_ends_when_the_test_process_is_killed"])
        .env(ORPHAN, "1")
        .env("TMPDIR", files.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("this binary can be run");
    let output = std::io::BufReader::new(child.stdout.take().expect("it is piped"));
    let port = std::io::BufRead::lines(output)
        .find_map(|line| line.ok()?.strip_prefix("port ")?.parse::<u16>().ok())
        .expect("it tells its port");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    child.kill().expect("it is our child");
    child.wait().expect("it is our child");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(std::time::Instant::now() < deadline, "the server outlived the test");
    }
    Ok(())
}
