//! Requests and answers over one connection that is kept open.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Longer than the slowest answer of the real Gnocchi on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A connection to a server on this machine, made again where the server ended it between two requests.
pub(crate) struct Conversation {
    port: u16,
    connection: Option<BufReader<TcpStream>>,
}

impl Conversation {
    pub(crate) fn with(port: u16) -> Self {
        Self { port, connection: None }
    }

    /// The answer to a request.
    pub(crate) fn ask(&mut self, request: &Request) -> Answer {
        let kept = self.connection.is_some();
        match self.try_ask(request) {
            Ok(answer) => answer,
            Err(_) if kept => {
                self.connection = None;
                self.ask(request)
            }
            Err(error) => panic!("{error}: {request:?}"),
        }
    }

    fn try_ask(&mut self, request: &Request) -> io::Result<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_nodelay(true)?;
                BufReader::new(stream)
            }
        };
        let Request { method, target, headers, body } = request;
        let mut text = format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", self.port);
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        connection.get_mut().write_all(format!("{text}\r\n{body}").as_bytes())?;
        let answer = read(&mut connection)?;
        if answer.header("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close")) {
            self.connection = Some(connection);
        }
        Ok(answer)
    }
}

fn read(connection: &mut impl BufRead) -> io::Result<Answer> {
    let line = read_line(connection)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let mut answer = Answer { status: status.ok_or(io::ErrorKind::InvalidData)?, ..Answer::default() };
    loop {
        let line = read_line(connection)?;
        let Some((name, value)) = line.split_once(':') else { break };
        answer.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut body = Vec::new();
    if answer.header("transfer-encoding").is_some() {
        loop {
            let length = usize::from_str_radix(&read_line(connection)?, 16).map_err(io::Error::other)?;
            let start = body.len();
            body.resize(start + length, 0);
            connection.read_exact(&mut body[start..])?;
            read_line(connection)?;
            if length == 0 {
                break;
            }
        }
    } else {
        let length = answer.header("content-length").map_or(Ok(0), str::parse);
        body.resize(length.map_err(io::Error::other)?, 0);
        connection.read_exact(&mut body)?;
    }
    answer.body = String::from_utf8(body).map_err(io::Error::other)?;
    Ok(answer)
}

/// The next line without its end; an error at the end of the connection.
fn read_line(connection: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}
