//! Samples or events that are sent together.

use std::ops::Range;
use std::time::Duration;

use nephoscope_telemetry::{
    BadRecord, Dispatcher, Error, ErrorKind, Event, Refused, Result, Sample, SampleForm,
};
use tokio::time::timeout;

/// How long one attempt may take: a server that takes longer for some thousands of samples hangs.
const ATTEMPT: Duration = Duration::from_secs(60);

/// Items of one kind that follow each other.
#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    /// Samples.
    Samples(Vec<Sample>),
    /// Events.
    Events(Vec<Event>),
}

impl Run {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Samples(samples) => samples.len(),
            Self::Events(events) => events.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the JSON object of one more.
    pub fn push(&mut self, text: &str) -> Result<(), BadRecord> {
        match self {
            Self::Samples(samples) => samples.push(Sample::from_json(text)?),
            Self::Events(events) => events.push(Event::from_json(text)?),
        }
        Ok(())
    }

    /// One of them as a JSON object.
    pub fn text(&self, at: usize) -> String {
        match self {
            Self::Samples(samples) => samples[at].to_json(SampleForm::Message),
            Self::Events(events) => events[at].to_json(),
        }
    }

    /// One attempt at sending all of them, in order. Those that the dispatcher will never take are told; after an error
    /// some may be there, and all are to be sent once more.
    pub async fn send_to(&self, dispatcher: &dyn Dispatcher) -> Result<Vec<Refused>> {
        match timeout(ATTEMPT, self.send_in_parts(dispatcher)).await {
            Ok(refused) => refused,
            Err(_) => {
                let problem = format!("no answer within {} s", ATTEMPT.as_secs());
                Err(Error::new(ErrorKind::Unavailable, "send on", problem))
            }
        }
    }

    /// When the dispatcher cannot take something without saying what, it gets the halves, down to the one that is to
    /// blame.
    async fn send_in_parts(&self, dispatcher: &dyn Dispatcher) -> Result<Vec<Refused>> {
        let mut refused = Vec::new();
        let whole = 0..self.len();
        let mut parts: Vec<_> = std::iter::once(whole).collect();
        while let Some(part) = parts.pop() {
            match self.send_part(part.clone(), dispatcher).await {
                Ok(more) => refused.extend(
                    more.into_iter().map(|refused| Refused { at: part.start + refused.at, ..refused }),
                ),
                Err(error) if error.kind() == ErrorKind::Invalid && part.len() > 1 => {
                    let middle = part.start + part.len() / 2;
                    parts.push(middle..part.end);
                    parts.push(part.start..middle);
                }
                Err(error) if error.kind() == ErrorKind::Invalid => {
                    refused.push(Refused { at: part.start, reason: error.to_string() });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }

    async fn send_part(&self, part: Range<usize>, dispatcher: &dyn Dispatcher) -> Result<Vec<Refused>> {
        match self {
            Self::Samples(samples) => dispatcher.samples(&samples[part]).await,
            Self::Events(events) => dispatcher.events(&events[part]).await,
        }
    }
}
