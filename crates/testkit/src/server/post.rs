//! A request to a server's own API, as whoever sets it up makes one.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

/// Posts a body and returns that of the answer, which has to be a good one.
pub(super) fn post(port: u16, target: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut head = format!("POST {target} HTTP/1.0\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    let mut answer = String::new();
    write!(stream, "{head}\r\n{body}").and_then(|()| stream.read_to_string(&mut answer)).expect("it answers");
    let (head, text) = answer.split_once("\r\n\r\n").expect("a head comes before a body");
    assert!(head.split(' ').nth(1).is_some_and(|status| status.starts_with("20")), "{body}: {answer}");
    text.to_owned()
}
