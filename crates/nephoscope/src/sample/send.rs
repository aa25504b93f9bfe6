//! `nephoscope sample send` and `nephoscope event send`

use clap::ValueEnum;
use nephoscope_collector::Run;
use nephoscope_telemetry::{Event, Json, Registry, Sample, Trait, json};
use uuid::Uuid;

use super::target::Target;
use crate::cli::{EventArgs, Metadata, SampleArgs, TargetArgs};
use crate::exit::Failure;
use crate::time;

/// A trait that is text.
const TEXT: u8 = 1;

/// Sends one sample.
pub(super) async fn sample(args: SampleArgs, registry: &Registry) -> anyhow::Result<()> {
    let timestamp = args.timestamp.unwrap_or_else(time::now).to_string();
    let kind = args.kind.to_possible_value().expect("no type is skipped");
    let sample = Sample {
        kind: kind.get_name().into(),
        unit: args.unit.into(),
        project_id: args.project.map(Into::into),
        user_id: args.user.map(Into::into),
        metadata: object(args.metadata),
        id: Some(Uuid::new_v4().to_string().into()),
        ..Sample::new(&args.meter, args.volume, &args.resource, &timestamp)
    };
    send(&Run::Samples(vec![sample]), &args.target, registry).await
}

/// Sends one event.
pub(super) async fn event(args: EventArgs, registry: &Registry) -> anyhow::Result<()> {
    let traits = args.traits.into_iter();
    let event = Event {
        message_id: Uuid::new_v4().to_string().into(),
        event_type: args.event_type.into(),
        generated: args.timestamp.unwrap_or_else(time::now).to_string().into(),
        traits: traits
            .map(|(name, value)| Trait { name: name.into(), kind: TEXT, value: Json::string(&value) })
            .collect(),
        raw: Json::empty_object(),
        extra: Vec::new(),
    };
    send(&Run::Events(vec![event]), &args.target, registry).await
}

async fn send(run: &Run, to: &TargetArgs, registry: &Registry) -> anyhow::Result<()> {
    let target = Target::open(to, registry).await?;
    let refused = target.send(run).await?;
    let name = target.name.clone();
    target.close().await?;
    match refused.first() {
        None => {
            tracing::info!("sent to {name}");
            Ok(())
        }
        Some(refused) => Err(Failure::Partly(format!("{name} refuses it: {}", refused.reason)).into()),
    }
}

/// One object of all that was given. Of a key given twice the last counts.
fn object(metadata: Vec<Metadata>) -> Json {
    let mut text = String::from("{");
    for (key, value) in metadata.into_iter().flat_map(|Metadata(entries)| entries) {
        text.push_str(if text.len() > 1 { ", " } else { "" });
        json::write_string(&mut text, &key);
        text.push_str(": ");
        text.push_str(value.as_str());
    }
    text.push('}');
    Json::written(&text)
}
