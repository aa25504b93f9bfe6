//! Samples or events that are sent together.

use std::ops::Range;
use std::time::Duration;

use nephoscope_telemetry::{
    BadRecord, Dispatcher, Error, ErrorKind, Event, Refused, Result, Sample, SampleForm, in_halves,
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
        let send = |part: Range<usize>| match self {
            Self::Samples(samples) => dispatcher.samples(&samples[part]),
            Self::Events(events) => dispatcher.events(&events[part]),
        };
        match timeout(ATTEMPT, in_halves(0..self.len(), send)).await {
            Ok(refused) => refused,
            Err(_) => {
                let problem = format!("no answer within {} s", ATTEMPT.as_secs());
                Err(Error::new(ErrorKind::Unavailable, "send on", problem))
            }
        }
    }
}
