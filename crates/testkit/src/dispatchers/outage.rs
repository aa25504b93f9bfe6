//! The place goes away and comes back.

use std::sync::Arc;

use nephoscope_telemetry::{Dispatcher, ErrorKind};

use super::Case;
use super::bench::{Bench, deliver};
use super::made::{event, sample};
use crate::failures::{expect_error, until_back};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases!(
        a_place_that_is_away_is_unavailable_and_takes_all_when_it_is_back,
        a_place_may_be_away_when_the_dispatcher_is_made,
    )
}

/// The same dispatcher, so that it sees the place go.
async fn a_place_that_is_away_is_unavailable_and_takes_all_when_it_is_back(mut bench: Bench) {
    let dispatcher = bench.connect().await;
    let samples: Vec<_> = (0..40).map(|moment| sample("vm", "conformance.first", moment, "1")).collect();
    let (before, after) = samples.split_at(10);
    deliver(&*dispatcher, before).await;
    bench.server().kill();
    for _ in 0..2 {
        expect_error(ErrorKind::Unavailable, dispatcher.samples(after)).await;
    }
    bench.server().restart();
    take_when_back(&dispatcher, after).await;
    bench.expect(&samples).await;
}

async fn a_place_may_be_away_when_the_dispatcher_is_made(mut bench: Bench) {
    bench.server().kill();
    let dispatcher = bench.connect().await;
    let samples = [sample("vm", "conformance.first", 0, "1")];
    expect_error(ErrorKind::Unavailable, dispatcher.samples(&samples)).await;
    bench.server().restart();
    take_when_back(&dispatcher, &samples).await;
    assert_eq!(dispatcher.events(&[event(0)]).await.expect("they are taken"), []);
    bench.expect(&samples).await;
}

async fn take_when_back(dispatcher: &Arc<dyn Dispatcher>, samples: &[nephoscope_telemetry::Sample]) {
    assert_eq!(until_back(|| dispatcher.samples(samples)).await, []);
}
