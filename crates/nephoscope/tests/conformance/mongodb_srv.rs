//! `mongodb+srv://`: the servers of a cluster are found by its name.
//!
//! The program asks the name server that the machine has, so it runs where that is one of ours: in a mount namespace with
//! another `/etc/resolv.conf`.

use std::io::Write;
use std::net::UdpSocket;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nephoscope_testkit::server::{FerretdbServer, Missing, PASSWORD_ENCODED, USER};
use nephoscope_testkit::{Trial, trial};

/// An address of the loopback interface on which nobody else answers to names.
const NAME_SERVER: &str = "127.53.0.1";
const CLUSTER: &str = "traces.cloud.test";
const SERVICE: &str = "_mongodb._tcp.traces.cloud.test";
const HOST: &str = "one.traces.cloud.test";
/// A client that follows a name looks it up again after a minute at the earliest. Nobody is to wait for that.
const TOO_LONG: Duration = Duration::from_secs(50);

pub(super) fn trials() -> Vec<Trial> {
    vec![trial("mongodb_srv::a_cluster_is_found_by_its_name", a_cluster_is_found_by_its_name)]
}

fn a_cluster_is_found_by_its_name() -> Result<(), Missing> {
    let namespace = Command::new("unshare").args(["--mount", "true"]).output();
    if !namespace.is_ok_and(|output| output.status.success()) {
        return Err(Missing::Program {
            program: "unshare, with the right to make a mount namespace,",
            package: "util-linux",
        });
    }
    let server = FerretdbServer::start()?;
    let port = server
        .url()
        .rsplit_once(':')
        .and_then(|(_, rest)| rest.split_once('/'))
        .expect("it has one")
        .0
        .parse();
    answer_names(port.expect("it is a number"));
    let directory = tempfile::tempdir().expect("there is room");
    let resolver = directory.path().join("resolv.conf");
    std::fs::write(&resolver, format!("nameserver {NAME_SERVER}\n")).expect("there is room");
    let url = format!("mongodb+srv://{USER}:{PASSWORD_ENCODED}@{CLUSTER}/?tls=false");
    let run = |arguments: &[&str], input: &str| -> Output {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\""]);
        command.arg(&resolver).arg(env!("CARGO_BIN_EXE_nephoscope")).args(arguments);
        command.args(["--connection-string", &url]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().expect("it starts");
        child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert!(
            output.status.success() && began.elapsed() < TOO_LONG,
            "{arguments:?} took {:?}",
            began.elapsed()
        );
        output
    };
    let point = r#"{"name": "wsgi-start", "base_id": "b", "trace_id": "t", "parent_id": "b", "timestamp": "2026-01-31T12:00:00.000001", "info": {}}"#;
    run(&["trace", "import", "-"], point);
    let listed = run(&["trace", "list"], "");
    assert!(String::from_utf8_lossy(&listed.stdout).contains("| b "), "{listed:?}");
    Ok(())
}

/// Answers for the cluster, as long as the test runs: which service has which host on which port, options, and where that is.
fn answer_names(port: u16) {
    let socket = UdpSocket::bind((NAME_SERVER, 53)).expect("nobody else answers there");
    thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            let answer = answer(&query[..length], port);
            socket.send_to(&answer, from).expect("it is the loopback interface");
        }
    });
}

/// The answer to a query of one name, as RFC 1035 and, for services, RFC 2782 have it.
fn answer(query: &[u8], port: u16) -> Vec<u8> {
    const HEADER: usize = 12;
    const ADDRESS: u16 = 1;
    const TEXT: u16 = 16;
    const SERVICES: u16 = 33;
    let mut at = HEADER;
    let mut labels = Vec::new();
    while query[at] != 0 {
        let label = &query[at + 1..][..usize::from(query[at])];
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        at += 1 + label.len();
    }
    let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
    let question = &query[HEADER..at + 5];
    let data = match (labels.join(".").as_str(), kind) {
        (SERVICE, SERVICES) => {
            let mut data = vec![0, 0, 0, 0];
            data.extend(port.to_be_bytes());
            for label in HOST.split('.') {
                data.push(u8::try_from(label.len()).expect("a label is short"));
                data.extend(label.bytes());
            }
            data.push(0);
            Some(data)
        }
        (CLUSTER, TEXT) => Some(b"\x10authSource=admin".to_vec()),
        (HOST, ADDRESS) => Some(vec![127, 0, 0, 1]),
        _ => None,
    };
    let mut answer = query[..2].to_vec();
    // An answer of authority to a query, with recursion, without error; one question, so many answers, nothing else.
    answer.extend([0x85, 0x80, 0, 1, 0, u8::from(data.is_some()), 0, 0, 0, 0]);
    answer.extend(question);
    if let Some(data) = data {
        // Of the name in the question, of its kind, on the internet, good for a minute.
        answer.extend([0xc0, 0x0c]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 60]);
        answer.extend(u16::try_from(data.len()).expect("it is short").to_be_bytes());
        answer.extend(data);
    }
    answer
}
