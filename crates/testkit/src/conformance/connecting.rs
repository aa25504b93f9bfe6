//! Connecting: what is wrong in a connection string is told, and what was stored is there again.

use nephoscope_telemetry::{Capabilities, Error, ErrorKind, Result, Timestamp, TraceFilter};

use super::Case;
use super::bench::{Bench, expect_error, list, no_secret, read, store};
use super::traces::{id, pair, uuid};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases!(
        false,
        a_second_connection_sees_what_the_first_stored,
        what_was_stored_is_there_after_connecting_again,
        a_wrong_password_is_a_mistake_in_the_connection_string,
        a_wrong_database_is_a_mistake_in_the_connection_string,
        an_unknown_option_is_a_mistake_in_the_connection_string,
        a_driver_does_not_show_its_secrets,
        what_is_not_claimed_is_unsupported,
    )
}

pub(super) async fn a_second_connection_sees_what_the_first_stored(bench: Bench) {
    let (first, second) = (bench.connect().await, bench.connect().await);
    let points = pair(&uuid(1), 1, 0);
    store(&*first, &points[..1]).await;
    assert_eq!(read(&*second, &uuid(1)).await, points[..1]);
    store(&*second, &points[1..]).await;
    assert_eq!(read(&*first, &uuid(1)).await, points);
}

pub(super) async fn what_was_stored_is_there_after_connecting_again(bench: Bench) {
    let driver = bench.connect().await;
    let points = pair(&uuid(1), 1, 0);
    store(&*driver, &points).await;
    driver.close().await.expect("it can be closed");
    drop(driver);
    let driver = bench.connect().await;
    assert_eq!(read(&*driver, &uuid(1)).await, points);
    assert_eq!(list(&*driver, &TraceFilter::default()).await.len(), 1);
}

/// Connects and, where connecting does not yet ask the server, stores.
async fn use_it(bench: &Bench, url: &str) -> Result<()> {
    let driver = bench.try_connect(url).await?;
    driver.notify(&pair(&uuid(1), 1, 0)).await
}

pub(super) async fn a_wrong_password_is_a_mistake_in_the_connection_string(bench: Bench) {
    let url = bench.place.wrong_password.clone().expect("the subject has a password or an excuse");
    expect_error(ErrorKind::Config, use_it(&bench, &url)).await;
}

pub(super) async fn a_wrong_database_is_a_mistake_in_the_connection_string(bench: Bench) {
    let url = bench.place.wrong_database.clone().expect("the subject has a database or an excuse");
    expect_error(ErrorKind::Config, use_it(&bench, &url)).await;
}

pub(super) async fn an_unknown_option_is_a_mistake_in_the_connection_string(bench: Bench) {
    let error = expect_error(ErrorKind::Config, bench.try_connect(&bench.url_with("no_such_option=1"))).await;
    assert!(error.to_string().contains("no_such_option"), "{error}");
    let error =
        expect_error(ErrorKind::Config, bench.try_connect(&bench.url_with("filter_error_trace=maybe"))).await;
    assert!(error.to_string().contains("filter_error_trace"), "{error}");
}

pub(super) async fn a_driver_does_not_show_its_secrets(bench: Bench) {
    let driver = bench.connect().await;
    no_secret(&format!("{driver:?} {driver:#?}"));
}

pub(super) async fn what_is_not_claimed_is_unsupported(bench: Bench) {
    let driver = bench.connect().await;
    let Capabilities { read, list, search_errors, error_records, purge, .. } = driver.capabilities();
    let trace = id(&uuid(1));
    let all = TraceFilter::default();
    check(read, driver.points(&trace).await.err().as_ref());
    check(list, driver.list(&all).await.err().as_ref());
    check(search_errors || error_records, driver.list_errors(&all).await.err().as_ref());
    check(purge, driver.purge(Timestamp::from_micros(0)).await.err().as_ref());
}

fn check(claimed: bool, error: Option<&Error>) {
    let kind = error.map(Error::kind);
    assert_eq!(kind, (!claimed).then_some(ErrorKind::Unsupported), "{error:?}");
}
