//! Volumes that are no plain numbers.

use super::Case;
use super::bench::{Bench, deliver, send};
use super::made::sample;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases!(a_volume_may_be_written_in_any_way, a_volume_that_is_no_number_costs_nothing_else)
}

async fn a_volume_may_be_written_in_any_way(bench: Bench) {
    let dispatcher = bench.connect().await;
    let volumes = ["0", "-0.5", "1E-7", "1.5e300", "12345678901234567890", "\"12.5\"", "\" 1_000 \"", "true"];
    // Each in a series of its own: some places keep the digits that all values of a series have in common.
    let samples = volumes.map(|volume| sample(volume, "conformance.first", 0, volume));
    deliver(&*dispatcher, &samples).await;
    bench.expect(&samples).await;
}

/// Whether the place refuses, takes or passes over such a sample is its own affair.
async fn a_volume_that_is_no_number_costs_nothing_else(bench: Bench) {
    let dispatcher = bench.connect().await;
    let odd = ["null", "\"many\"", "\"\"", "NaN", "Infinity", "-Infinity"];
    let beside_plain = |(moment, volume)| {
        [
            sample("odd", "conformance.first", moment, volume),
            sample("plain", "conformance.first", moment, "7"),
        ]
    };
    let samples: Vec<_> = (0..).zip(odd).flat_map(beside_plain).collect();
    for refused in send(&*dispatcher, &samples).await {
        assert_eq!(samples[refused.at].resource_id, "odd", "{refused:?}");
    }
    let plain = bench.arrived(|arrived| arrived.resource_id == "plain", odd.len()).await;
    assert!(plain.iter().all(|arrived| arrived.value == 7.0) && plain.len() == odd.len(), "{plain:?}");
}
