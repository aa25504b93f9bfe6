//! `nephoscope sample …` and `nephoscope event …`: what sends samples and events with no daemon in between.

mod import;
mod send;
mod target;

use nephoscope_collector::Run;
use nephoscope_telemetry::Registry;

use crate::cli::{EventCommand, SampleCommand};

/// Runs one of the sample commands.
pub async fn run(command: SampleCommand, registry: &Registry) -> anyhow::Result<()> {
    match command {
        SampleCommand::Import(args) => import::run(Kind::Samples, &args, registry).await,
        SampleCommand::Send(args) => send::sample(args, registry).await,
    }
}

/// Runs one of the event commands.
pub async fn run_event(command: EventCommand, registry: &Registry) -> anyhow::Result<()> {
    match command {
        EventCommand::Import(args) => import::run(Kind::Events, &args, registry).await,
        EventCommand::Send(args) => send::event(args, registry).await,
    }
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Samples,
    Events,
}

impl Kind {
    /// In messages.
    fn name(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Events => "events",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Samples => Self::Events,
            Self::Events => Self::Samples,
        }
    }

    /// Nothing yet.
    fn none(self) -> Run {
        match self {
            Self::Samples => Run::Samples(Vec::new()),
            Self::Events => Run::Events(Vec::new()),
        }
    }
}
