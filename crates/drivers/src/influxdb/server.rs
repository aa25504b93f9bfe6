//! One InfluxDB, whatever its generation: rows in, rows out, rows away.

use nephoscope_http::Answer;
use nephoscope_telemetry::Result;
use serde::Deserialize;

use super::config::{Config, Generation};
use super::part::Written;
use super::question::Question;
use super::row::Row;
use super::{one, three, two};

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
        match server.config.generation {
            Generation::One => one::prepare(&server.config).await?,
            Generation::Two => two::prepare(&server.config).await?,
            Generation::Three => three::prepare(&server.config).await?,
        }
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
        let request = match self.config.generation {
            Generation::One => one::write(&self.config, operation),
            Generation::Two => two::write(&self.config, operation),
            Generation::Three => three::write(&self.config, operation),
        };
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
        if question.from.zip(question.to).is_some_and(|(from, to)| from > to) {
            // InfluxDB 2 refuses to look for nothing.
            return Ok(());
        }
        match self.config.generation {
            Generation::One => one::ask(&self.config, operation, question, take).await,
            Generation::Two => two::ask(&self.config, operation, question, take).await,
            Generation::Three => three::ask(&self.config, operation, question, take).await,
        }
    }

    /// Whether it can delete rows.
    pub(super) fn deletes(&self) -> bool {
        self.config.generation != Generation::Three
    }

    /// Whether it may hide rows that it was not asked to delete.
    pub(super) fn hides(&self) -> bool {
        self.config.generation == Generation::One
    }

    /// Deletes the rows of these times, of one bucket or of all.
    pub(super) async fn delete(
        &self,
        operation: &'static str,
        bucket: Option<&str>,
        from: i64,
        to: i64,
    ) -> Result<()> {
        match self.config.generation {
            Generation::One => one::delete(&self.config, operation, bucket, from, to).await,
            Generation::Two => two::delete(&self.config, operation, bucket, from, to).await,
            Generation::Three => three::delete(operation),
        }
    }
}

/// What 1.x, 2.x and 3.x say of rows that they refuse.
#[derive(Deserialize)]
struct Told {
    #[serde(alias = "message")]
    error: String,
    /// Of 3.x: each row.
    #[serde(default)]
    data: Vec<ToldOfRow>,
}

#[derive(Deserialize)]
struct ToldOfRow {
    error_message: String,
}

/// Why rows are refused.
fn reason(answer: &Answer) -> String {
    let told = serde_json::from_slice(answer.body());
    let text = match told {
        Ok(Told { error, data }) => data.into_iter().next().map_or(error, |row| row.error_message),
        Err(_) => format!("{} {}", answer.status(), String::from_utf8_lossy(answer.body())),
    };
    text.chars().take(EXCERPT).collect()
}

/// How many rows were not stored, when the server says so.
fn dropped(text: &str) -> Option<usize> {
    let (_, count) = text.rsplit_once("dropped=")?;
    let digits = count.find(|character: char| !character.is_ascii_digit()).unwrap_or(count.len());
    count[..digits].parse().ok()
}
