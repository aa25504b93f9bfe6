//! Archive policies and rules.

use nephoscope_gnocchi::{ArchivePolicy, ArchivePolicyRule, Definition, Timespan};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

#[derive(Debug, Deserialize)]
pub(crate) struct WirePolicy {
    name: String,
    #[serde(default)]
    back_window: u64,
    definition: Vec<WireDefinition>,
    aggregation_methods: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct WireDefinition {
    #[serde(deserialize_with = "span")]
    granularity: Timespan,
    points: Option<u64>,
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timespan, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Wire {
        Text(String),
        Seconds(f64),
    }
    let span = match Wire::deserialize(deserializer)? {
        Wire::Text(text) => Timespan::parse(&text),
        Wire::Seconds(seconds) => Timespan::from_seconds_f64(seconds),
    };
    span.map_err(D::Error::custom)
}

impl From<WirePolicy> for ArchivePolicy {
    fn from(wire: WirePolicy) -> Self {
        let definition = wire.definition.into_iter();
        let definition = definition.map(|it| Definition { granularity: it.granularity, points: it.points });
        Self {
            name: wire.name,
            back_window: u32::try_from(wire.back_window).unwrap_or(u32::MAX),
            definition: definition.collect(),
            // One that a later Gnocchi has cannot be asked for anyway.
            aggregation_methods: wire
                .aggregation_methods
                .iter()
                .filter_map(|name| name.parse().ok())
                .collect(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct WireRule {
    name: String,
    metric_pattern: String,
    archive_policy_name: String,
}

impl From<WireRule> for ArchivePolicyRule {
    fn from(wire: WireRule) -> Self {
        let WireRule { name, metric_pattern, archive_policy_name } = wire;
        Self { name, metric_pattern, archive_policy_name }
    }
}
