//! What failures have to be like, whoever fails.

use std::error::Error as StdError;
use std::time::Duration;

use nephoscope_telemetry::{BoxFuture, Error, ErrorKind, Result};

use crate::server::{PASSWORD, PASSWORD_ENCODED, USER};

/// How long one operation may take when the backend is away. The drivers' own limits for connecting are below it.
const OUTAGE_LIMIT: Duration = Duration::from_secs(30);
/// How long a driver may go on failing when the backend is back.
const RECOVERY_LIMIT: Duration = Duration::from_secs(30);
/// Wrong passwords begin with it, so that an error that shows one is found.
pub(crate) const WRONG_PASSWORD: &str = "wrong-cirrus";

/// The operation has to fail with this kind, in bounded time, and without telling a secret.
pub(crate) async fn expect_error<T>(kind: ErrorKind, operation: impl Future<Output = Result<T>>) -> Error {
    let Ok(result) = tokio::time::timeout(OUTAGE_LIMIT, operation).await else {
        panic!("it hangs: no {kind:?} within {OUTAGE_LIMIT:?}");
    };
    let Err(error) = result else { panic!("it succeeds instead of failing with {kind:?}") };
    check_secrets(&error);
    assert_eq!(error.kind(), kind, "{}", chain(&error));
    error
}

/// Tries until the backend is back; on the way only `Unavailable` is right.
pub(crate) async fn until_back<'a, T>(mut operation: impl FnMut() -> BoxFuture<'a, Result<T>>) -> T {
    let tries = async {
        loop {
            match operation().await {
                Ok(done) => return done,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", chain(&error)),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(RECOVERY_LIMIT, tries).await.expect("the driver works again when its backend does")
}

/// An error must not show user or password, at any depth, in any way.
pub(crate) fn check_secrets(error: &Error) {
    no_secret(&chain(error));
    no_secret(&format!("{error:?} {error:#?}"));
}

pub(crate) fn no_secret(text: &str) {
    for secret in [USER, PASSWORD, PASSWORD_ENCODED, WRONG_PASSWORD] {
        assert!(!text.contains(secret), "{secret:?} is shown in: {text}");
    }
}

/// An error with all that caused it.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = format!("{:?}: {error}", error.kind());
    let mut next = error.source();
    while let Some(source) = next {
        text += &format!(": {source} ({source:?})");
        next = source.source();
    }
    text
}
