//! One InfluxDB, whatever its generation: rows in, rows out, rows away.

use nephoscope_http::Answer;
use nephoscope_telemetry::Result;
use serde::Deserialize;

use super::config::Config;
use super::one;
use super::part::Written;
use super::question::Question;
use super::row::Row;

/// So much of what a server says of a row is repeated: it may repeat the row.
const EXCERPT: usize = 300;

/// What became of rows that were written.
#[derive(Debug)]
pub(super) enum Taken {
    /// All are stored.
    All,
    /// Some are not, for this reason.
    Some(String),
    /// None is.
    None(String),
}

/// A server, and where in it the rows are.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) config: Config,
}

impl Server {
    /// Makes sure that the place is there.
    pub(super) async fn connect(config: Config) -> Result<Self> {
        let server = Self { config };
        one::prepare(&server.config).await?;
        Ok(server)
    }

    /// Stores rows. Those that it cannot hold do not keep the others from being stored.
    pub(super) async fn write(&self, operation: &'static str, rows: &[Written]) -> Result<Taken> {
        let bytes = rows.iter().map(|row| row.line.len() + 1).sum();
        let mut body = String::with_capacity(bytes);
        for row in rows {
            body.push_str(&row.line);
            body.push('\n');
        }
        let request = one::write(&self.config, operation);
        let request = request.query("precision", "ns").body("text/plain; charset=utf-8", body);
        let answer = request.accept(&[400, 413, 422]).send().await?;
        if answer.status().is_success() {
            return Ok(Taken::All);
        }
        let reason = reason(&answer);
        let all = dropped(&reason).is_some_and(|count| count == rows.len());
        Ok(if all { Taken::None(reason) } else { Taken::Some(reason) })
    }

    /// Reads rows, one after the other.
    pub(super) async fn ask(
        &self,
        operation: &'static str,
        question: &Question<'_>,
        take: impl FnMut(Row),
    ) -> Result<()> {
        one::ask(&self.config, operation, question, take).await
    }

    /// Deletes the rows of these times, of one bucket or of all.
    pub(super) async fn delete(
        &self,
        operation: &'static str,
        bucket: Option<&str>,
        from: i64,
        to: i64,
    ) -> Result<()> {
        one::delete(&self.config, operation, bucket, from, to).await
    }
}

/// Why rows are refused, as 1.x, 2.x or 3.x says it.
fn reason(answer: &Answer) -> String {
    #[derive(Deserialize)]
    struct Told {
        #[serde(alias = "message")]
        error: String,
    }
    let told = serde_json::from_slice(answer.body()).map(|Told { error }| error);
    let text =
        told.unwrap_or_else(|_| format!("{} {}", answer.status(), String::from_utf8_lossy(answer.body())));
    text.chars().take(EXCERPT).collect()
}

/// How many rows were not stored, when the server says so.
fn dropped(text: &str) -> Option<usize> {
    let (_, count) = text.rsplit_once("dropped=")?;
    let digits = count.find(|character: char| !character.is_ascii_digit()).unwrap_or(count.len());
    count[..digits].parse().ok()
}
