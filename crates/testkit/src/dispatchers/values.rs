//! What was sent is found as it was.

use nephoscope_telemetry::{Json, Sample};

use super::Case;
use super::bench::{Bench, deliver, send};
use super::made::sample;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases!(
        nothing_in_nothing_out,
        samples_arrive_in_order,
        a_repeated_batch_is_there_once,
        ten_thousand_samples_in_one_call,
        ids_and_metadata_may_be_any_text,
        who_it_belongs_to_may_be_unknown,
        what_is_refused_is_told_by_its_place_and_the_others_arrive,
    )
}

async fn nothing_in_nothing_out(bench: Bench) {
    let dispatcher = bench.connect().await;
    deliver(&*dispatcher, &[]).await;
    assert_eq!(dispatcher.events(&[]).await.expect("nothing is taken"), []);
    assert_eq!(bench.place.samples().await, []);
    dispatcher.close().await.expect("it can be closed");
}

/// So many moments of two meters of three resources, as they come from several agents.
fn interleaved(moments: std::ops::Range<i64>) -> Vec<Sample> {
    let volumes = ["1", "0.5", "-3", "1e3", "123456.789"];
    let of_moment = |moment: i64| {
        let volume = volumes[moment.unsigned_abs() as usize % volumes.len()];
        let of_resource = move |resource| {
            ["conformance.first", "conformance.second"].map(|meter| sample(resource, meter, moment, volume))
        };
        ["vm-1", "vm-2", "vm-3"].into_iter().flat_map(of_resource)
    };
    moments.flat_map(of_moment).collect()
}

async fn samples_arrive_in_order(bench: Bench) {
    let dispatcher = bench.connect().await;
    let samples = interleaved(0..20);
    // Batches of all sizes, in mid-moment too.
    let mut rest = samples.as_slice();
    for size in (1..).take_while(|size| size * (size - 1) / 2 < samples.len()) {
        let (batch, after) = rest.split_at(size.min(rest.len()));
        deliver(&*dispatcher, batch).await;
        rest = after;
    }
    bench.expect(&samples).await;
}

async fn a_repeated_batch_is_there_once(bench: Bench) {
    let dispatcher = bench.connect().await;
    let samples = interleaved(0..5);
    for _ in 0..2 {
        deliver(&*dispatcher, &samples).await;
    }
    bench.expect(&samples).await;
}

async fn ten_thousand_samples_in_one_call(bench: Bench) {
    let dispatcher = bench.connect().await;
    let of_moment = |moment| {
        (0..100).map(move |vm| sample(&format!("vm-{vm}"), "conformance.first", moment, &format!("{vm}.5")))
    };
    let samples: Vec<_> = (0..100).flat_map(of_moment).collect();
    assert_eq!(samples.len(), 10_000);
    deliver(&*dispatcher, &samples).await;
    bench.expect(&samples).await;
}

/// Texts that mean something to one place or the other, or to nobody.
const ODD_TEXTS: [&str; 16] = [
    "*",
    "'; DROP TABLE sample;--",
    "\\",
    "\"quoted\"",
    "a{b=\"c\"}#d?e&f",
    "100% {{x}} $1",
    " spaces around ",
    "two\nlines\r\n\tand a tab",
    "日本語 😀",
    "e\u{301}",
    "é",
    "\u{202e}right to left",
    "null",
    "5",
    "X",
    "x",
];

async fn ids_and_metadata_may_be_any_text(bench: Bench) {
    let dispatcher = bench.connect().await;
    let long = "long ".repeat(40);
    let texts = ODD_TEXTS.iter().copied().chain([long.trim_end()]);
    let odd = |(at, text): (i64, &str)| {
        let mut odd = sample(text, "conformance.first", at, "1");
        (odd.project_id, odd.user_id) = (Some(text.into()), Some(text.into()));
        odd.unit = text.into();
        let (key, value) = (Json::string(&format!("k{text}")), Json::string(text));
        odd.metadata = Json::parse(&format!("{{{key}: {value}, \"host\": {value}, \"half\": \"\\ud800\"}}"))
            .expect("it is JSON");
        odd
    };
    let samples: Vec<_> = (0..).zip(texts).map(odd).collect();
    deliver(&*dispatcher, &samples).await;
    bench.expect(&samples).await;
}

async fn who_it_belongs_to_may_be_unknown(bench: Bench) {
    let dispatcher = bench.connect().await;
    let mut unknown = sample("vm-1", "conformance.first", 0, "1");
    (unknown.project_id, unknown.user_id, unknown.source, unknown.id) = (None, None, None, None);
    (unknown.kind, unknown.unit) = ("".into(), "".into());
    let mut without_user = sample("vm-2", "conformance.first", 0, "2");
    without_user.user_id = None;
    let samples = [unknown, without_user];
    deliver(&*dispatcher, &samples).await;
    bench.expect(&samples).await;
}

async fn what_is_refused_is_told_by_its_place_and_the_others_arrive(bench: Bench) {
    let dispatcher = bench.connect().await;
    let mut samples = interleaved(0..3);
    let unholdable = bench.subject.unholdable().expect("the subject knows a sample or has an excuse");
    samples.insert(15, unholdable.clone());
    samples.insert(4, unholdable);
    let refused = send(&*dispatcher, &samples).await;
    assert_eq!(refused.iter().map(|refused| refused.at).collect::<Vec<_>>(), [4, 16], "{refused:?}");
    assert!(refused.iter().all(|refused| !refused.reason.is_empty()), "{refused:?}");
    bench.expect(&interleaved(0..3)).await;
}
