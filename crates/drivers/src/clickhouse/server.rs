//! Asking the server.
//!
//! Source: <https://clickhouse.com/docs/interfaces/http>. The query is the body of a POST, its parameters stand in the
//! URL as `param_<name>`; of an insert the query stands in the URL and the rows are the body.

use bytes::{Buf, BytesMut};
use nephoscope_http::header::HeaderName;
use nephoscope_http::{Http, Incoming, OPTIONS, Request};
use nephoscope_telemetry::{ConnectionString, Error, ErrorKind, Result};

use super::binary::Reader;
use super::refusal;

const USER: HeaderName = HeaderName::from_static("x-clickhouse-user");
const PASSWORD: HeaderName = HeaderName::from_static("x-clickhouse-key");
/// What every row of every answer begins with, as [`Query::select`] writes it. No exception begins so, and ClickHouse
/// may put one behind the rows that it sent before something went wrong.
const MARK: u8 = 1;

/// One server, or several that hold the same.
#[derive(Debug)]
pub(super) struct Server {
    http: Http,
    database: String,
}

/// A query and its parameters.
pub(super) struct Query {
    sql: String,
    parameters: Vec<(&'static str, String)>,
}

impl Query {
    /// A query whose answer has rows: what stands behind the `SELECT` of its outermost part.
    pub(super) fn select(sql: &str) -> Self {
        Self::statement(&format!("SELECT toUInt8({MARK}), {sql} FORMAT RowBinary"))
    }

    /// A query that answers nothing.
    pub(super) fn statement(sql: &str) -> Self {
        Self { sql: sql.into(), parameters: Vec::new() }
    }

    /// With a subquery of this name in front.
    pub(super) fn with(mut self, name: &str, subquery: &str) -> Self {
        self.sql = format!("WITH {name} AS ({subquery}) {}", self.sql);
        self
    }

    /// With a text that stands in the query as `unhex({name:String})`, so that no rule of quoting matters.
    pub(super) fn text(self, parameter: &'static str, text: &str) -> Self {
        let hex = text.bytes().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex = hex.map(|digit| char::from_digit(digit.into(), 16).expect("it is below 16")).collect();
        self.parameter(parameter, hex)
    }

    /// With a number.
    pub(super) fn number(self, parameter: &'static str, number: i64) -> Self {
        self.parameter(parameter, number.to_string())
    }

    fn parameter(mut self, parameter: &'static str, value: String) -> Self {
        self.parameters.push((parameter, value));
        self
    }
}

impl Server {
    /// The server of a connection string. Nothing is asked of it yet.
    pub(super) fn new(to: &ConnectionString) -> Result<Self> {
        let known: Vec<&str> = OPTIONS.into_iter().chain(["filter_error_trace", "retention"]).collect();
        to.expect_options(&known)?;
        to.flag("filter_error_trace")?;
        let encrypted = to.scheme() == "clickhouse+https";
        let port = if encrypted { 8443 } else { 8123 };
        let mut http = Http::new("ClickHouse", to, encrypted, port, "")?.with_meaning(refusal::meaning);
        for (header, what, value) in [(USER, "user", to.user()), (PASSWORD, "password", to.password())] {
            let Some(value) = value else { continue };
            if value.contains(char::is_control) {
                return Err(to.wrong(format!("the {what} holds a control character, which no header can")));
            }
            http = http.with_header(header, value);
        }
        let database = to.database().as_deref().unwrap_or("default").to_owned();
        Ok(Self { http, database })
    }

    fn request(&self, operation: &'static str) -> Request<'_> {
        // The server answers when the query has ended: an exception then comes with its status.
        self.http
            .post(operation, "/")
            .query("database", self.database.as_str())
            .query("wait_end_of_query", "1")
    }

    fn with_query(&self, operation: &'static str, query: Query) -> Request<'_> {
        let mut request = self.request(operation);
        for (name, value) in query.parameters {
            request = request.query(name, value);
        }
        request.body("text/plain; charset=utf-8", query.sql)
    }

    /// The rows that a query gives, read as they come.
    pub(super) async fn ask(&self, operation: &'static str, query: Query) -> Result<Rows<'_>> {
        let incoming = self.with_query(operation, query).open().await?;
        Ok(Rows { incoming, buffer: BytesMut::new() })
    }

    /// All rows of a small answer.
    pub(super) async fn ask_all<T>(
        &self,
        operation: &'static str,
        query: Query,
        read: impl Fn(&mut Reader<'_>) -> Option<T>,
    ) -> Result<Vec<T>> {
        let mut rows = self.ask(operation, query).await?;
        let mut all = Vec::new();
        while let Some(row) = rows.next(&read).await? {
            all.push(row);
        }
        Ok(all)
    }

    /// Runs a query that gives no rows.
    pub(super) async fn run(&self, operation: &'static str, query: Query) -> Result<()> {
        nothing(self.with_query(operation, query).open().await?).await
    }

    /// Inserts rows in the format that the statement names.
    pub(super) async fn insert(&self, operation: &'static str, statement: &str, rows: Vec<u8>) -> Result<()> {
        let request = self.request(operation).query("query", statement);
        // A batch over many days is as good as any; the limit is there for tables with a partition too many.
        let request = request.query("max_partitions_per_insert_block", "0");
        nothing(request.body("application/octet-stream", rows).open().await?).await
    }
}

/// Makes sure that the answer is empty: whatever is not comes from somebody else, or tells of an exception.
async fn nothing(mut incoming: Incoming<'_>) -> Result<()> {
    match incoming.chunk().await? {
        None => Ok(()),
        Some(text) => Err(broken(&mut incoming, text.as_ref().into()).await),
    }
}

/// The error of an answer that goes on with this where a row, or nothing, should be.
async fn broken(incoming: &mut Incoming<'_>, mut text: BytesMut) -> Error {
    let mut cut_off = None;
    while text.len() < MAX_EXCEPTION && cut_off.is_none() {
        match incoming.chunk().await {
            Ok(Some(chunk)) => text.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => cut_off = Some(error),
        }
    }
    let text = String::from_utf8_lossy(&text);
    // An exception says more than that it was cut off.
    match (refusal::meaning(incoming.status(), &text), cut_off) {
        (Some((kind, _)), _) => incoming.failed(kind, &text),
        (None, Some(error)) => error,
        (None, None) => incoming.failed(ErrorKind::Config, &text),
    }
}

/// The rows of an answer.
pub(super) struct Rows<'a> {
    incoming: Incoming<'a>,
    /// What has come and was not read yet.
    buffer: BytesMut,
}

impl Rows<'_> {
    /// The next row; nothing at the end. `read` gives nothing while the row has not come whole.
    pub(super) async fn next<T>(&mut self, read: impl Fn(&mut Reader<'_>) -> Option<T>) -> Result<Option<T>> {
        loop {
            let mut reader = Reader::new(&self.buffer);
            match reader.byte() {
                Some(MARK) => {
                    if let Some(row) = read(&mut reader) {
                        let taken = self.buffer.len() - reader.left();
                        self.buffer.advance(taken);
                        return Ok(Some(row));
                    }
                }
                Some(_) => return Err(broken(&mut self.incoming, self.buffer.split()).await),
                None => {}
            }
            match self.incoming.chunk().await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None if self.buffer.is_empty() => return Ok(None),
                None => return Err(broken(&mut self.incoming, self.buffer.split()).await),
            }
        }
    }
}

/// So much of an exception is read: the reason stands at its beginning.
const MAX_EXCEPTION: usize = 64 * 1024;
