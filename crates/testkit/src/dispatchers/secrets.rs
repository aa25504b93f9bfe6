//! What is wrong in a connection string is told, and what is secret in it is not.

use nephoscope_telemetry::{ErrorKind, Result};

use super::Case;
use super::bench::Bench;
use super::made::sample;
use crate::failures::{WRONG_PASSWORD, expect_error, no_secret};
use crate::server::PASSWORD_ENCODED;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases!(
        a_dispatcher_does_not_show_its_secrets,
        an_unknown_option_is_a_mistake_in_the_connection_string,
        a_wrong_password_is_a_mistake_in_the_connection_string,
    )
}

async fn a_dispatcher_does_not_show_its_secrets(bench: Bench) {
    let url = bench.place.url();
    assert!(url.contains(PASSWORD_ENCODED), "{url} has no secret to hide, and no excuse");
    no_secret(&format!("{:?}", bench.connect().await));
    no_secret(&format!("{:#?}", bench.connect().await));
}

async fn an_unknown_option_is_a_mistake_in_the_connection_string(bench: Bench) {
    let url = bench.place.url();
    let separator = if url.contains('?') { '&' } else { '?' };
    let wrong = format!("{url}{separator}no_such_option=1");
    let error = expect_error(ErrorKind::Config, use_it(&bench, &wrong)).await;
    assert!(error.to_string().contains("no_such_option"), "{error}");
}

async fn a_wrong_password_is_a_mistake_in_the_connection_string(bench: Bench) {
    let wrong = bench.place.url().replace(PASSWORD_ENCODED, WRONG_PASSWORD);
    expect_error(ErrorKind::Config, use_it(&bench, &wrong)).await;
}

/// Makes a dispatcher and, where that does not ask the place yet, sends.
async fn use_it(bench: &Bench, url: &str) -> Result<()> {
    let dispatcher = bench.try_connect(url).await?;
    dispatcher.samples(&[sample("vm", "conformance.first", 0, "1")]).await.map(drop)
}
