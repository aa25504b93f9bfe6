//! The samples of the demo, and what Gnocchi's API has of them.

use std::io::Write;

use anyhow::{Context, ensure};
use nephoscope_collector::Run;
use nephoscope_gnocchi::{
    AggregationMethod, AttributeValue, Function, Gnocchi, Point, Range, Resource, ResourceSelection,
};
use nephoscope_telemetry::Dispatcher;
use uuid::Uuid;

use crate::table;

/// Recorded from the real Ceilometer 27; `demo/record_samples.py` made it.
const RECORDED: &str = include_str!("../../demo/samples.jsonl");
/// The machine that they are of.
pub(super) const INSTANCE: &str = "f3ac9d1e-5b0c-4c83-9f2a-1d0e7b6a5c42";
/// From small to large.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const RATE: AggregationMethod = AggregationMethod { rate: true, function: Function::Mean };

/// Sends them.
pub(super) async fn send(dispatcher: &dyn Dispatcher) -> anyhow::Result<()> {
    let mut run = Run::Samples(Vec::new());
    RECORDED.lines().try_for_each(|line| run.push(line))?;
    let refused = run.send_to(dispatcher).await?;
    ensure!(refused.is_empty(), "what is bundled is refused: {refused:?}");
    Ok(())
}

/// Draws a table of all resources and their metrics: of counters how they grow, of others what they are.
pub(super) async fn show(gnocchi: &dyn Gnocchi, out: &mut impl Write) -> anyhow::Result<()> {
    let selection = ResourceSelection { details: true, ..ResourceSelection::default() };
    let mut resources = gnocchi.resources("generic", &selection).await?;
    resources.sort_by(|one, other| one.resource_type.cmp(&other.resource_type));
    let mut rows = Vec::new();
    for resource in &resources {
        for (name, id) in &resource.metrics {
            let first = rows.last().is_none_or(|(of, _)| *of != resource.id);
            let described = if first { describe(resource) } else { String::new() };
            rows.push((resource.id, row(gnocchi, described, name, *id).await?));
        }
    }
    let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
    table::write(&["resource", "metric", "unit", "aggregate", "last", "measures"], &rows, out)
        .context("cannot draw the table")
}

/// Its type, and what people call it.
fn describe(resource: &Resource) -> String {
    let names = ["display_name", "name"].map(|name| resource.attribute(name));
    let name = names.into_iter().find_map(|value| match value {
        AttributeValue::String(name) => Some(name),
        _ => None,
    });
    format!("{} {}", resource.resource_type, name.as_ref().unwrap_or(&resource.original_resource_id))
}

async fn row(gnocchi: &dyn Gnocchi, resource: String, name: &str, id: Uuid) -> anyhow::Result<Vec<String>> {
    let metric = gnocchi.metric(id).await?;
    let kept = &metric.archive_policy.aggregation_methods;
    let aggregation = if kept.contains(&RATE) { RATE } else { AggregationMethod::MEAN };
    let range = Range { start: None, stop: None, aggregation, granularity: None, resample: None };
    let points = gnocchi.measures(id, &range).await?;
    let last = points.last().map(|point| point.value.to_string()).unwrap_or_default();
    let unit = metric.unit.unwrap_or_default();
    Ok(vec![resource, name.into(), unit, aggregation.to_string(), last, bars(&points)])
}

/// A bar for each, between the least and the greatest.
fn bars(points: &[Point]) -> String {
    let values = || points.iter().map(|point| point.value);
    let (least, greatest) = (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max));
    let bar = |value: f64| {
        let part = if greatest > least { (value - least) / (greatest - least) } else { 0.0 };
        let at = BARS.iter().enumerate().rev().find(|(at, _)| part * 8.0 >= *at as f64);
        at.map_or(BARS[0], |(_, bar)| *bar)
    };
    values().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use nephoscope_gnocchi::Creator;
    use nephoscope_store::Options;

    use super::*;
    use crate::{metrics, samples};

    #[tokio::test]
    async fn an_hour_of_a_machine_is_shown() {
        let directory = tempfile::tempdir().unwrap();
        let store = metrics::open(directory.path(), Options::default()).await.unwrap();
        let around = samples::around(directory.path(), &store).unwrap();
        let to = "embedded://".parse().unwrap();
        let dispatcher = nephoscope_dispatchers::connect(&to, &around).await.unwrap();
        send(&*dispatcher).await.unwrap();
        let mut shown = Vec::new();
        show(&store.as_user(Creator::default()), &mut shown).await.unwrap();
        insta::assert_snapshot!(String::from_utf8(shown).unwrap(), @r"
        +-------------------------------------------+------------------------+------+-----------+-------------+--------------+
        | resource                                  | metric                 | unit | aggregate | last        | measures     |
        +-------------------------------------------+------------------------+------+-----------+-------------+--------------+
        | instance web-1                            | cpu                    | ns   | rate:mean | 47759671705 | ▁▁▁▃▆██▇▃▁▁  |
        |                                           | memory.usage           | MiB  | mean      | 1231.1      | ▁▁▁▁▃▆██▇▃▂▁ |
        |                                           | vcpus                  | vcpu | mean      | 2           | ▁▁▁▁▁▁▁▁▁▁▁▁ |
        | instance_network_interface tap7b1c2d3e-4f | network.incoming.bytes | B    | rate:mean | 10126799    | ▁▁▁▃▅███▄▁▁  |
        |                                           | network.outgoing.bytes | B    | rate:mean | 206123085   | ▁▁▁▃▆██▇▃▁▁  |
        +-------------------------------------------+------------------------+------+-----------+-------------+--------------+
        ");
    }
}
