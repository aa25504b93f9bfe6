//! Events, where a place has a use for them and where it has none.

use super::Case;
use super::bench::Bench;
use super::made::event;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases!(events_are_taken, events_arrive_as_they_are)
}

async fn events_are_taken(bench: Bench) {
    let dispatcher = bench.connect().await;
    let events: Vec<_> = (0..300).map(event).collect();
    for _ in 0..2 {
        assert_eq!(dispatcher.events(&events).await.expect("they are taken"), []);
    }
}

async fn events_arrive_as_they_are(bench: Bench) {
    let dispatcher = bench.connect().await;
    let events: Vec<_> = (0..300).map(event).collect();
    let (first, rest) = events.split_at(1);
    for batch in [first, rest] {
        assert_eq!(dispatcher.events(batch).await.expect("they are taken"), []);
    }
    let mut arrived = bench.arrived_events(events.len()).await;
    arrived.sort_by_cached_key(|event| event.message_id.clone());
    assert_eq!(arrived, events);
}
