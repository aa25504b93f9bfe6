//! What the connection string says.

use std::sync::Arc;

use nephoscope_otlp_client::Client;
use nephoscope_telemetry::{ConnectionString, Driver, Result};

use super::sender::Sender;

/// The options beside those of every receiver of OTLP.
const OPTIONS: [&str; 2] = ["filter_error_trace", "query"];

/// What sends to the address, not yet connected.
pub(super) fn sender(to: &ConnectionString) -> Result<Sender> {
    let of_receivers = [&nephoscope_http::OPTIONS[..], &nephoscope_otlp_client::OPTIONS].concat();
    to.expect_options(&[&OPTIONS[..], &of_receivers].concat())?;
    to.flag("filter_error_trace")?;
    Ok(Sender::new(Client::new(to)?))
}

/// The driver of the place that holds what was sent.
pub(super) async fn read_back(to: &ConnectionString) -> Result<Option<Arc<dyn Driver>>> {
    let Some(query) = to.option("query") else { return Ok(None) };
    let wrong = |problem: &str| to.wrong(format!("option `query` {problem}"));
    let query = ConnectionString::parse(query).map_err(|_| {
        wrong("is the connection string of the backend to read from, such as jaeger://host:16686")
    })?;
    let driver = crate::registry().connect(&query).await?;
    if !driver.capabilities().read {
        return Err(wrong("names a backend that cannot be read from"));
    }
    Ok(Some(driver))
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    #[tokio::test]
    async fn what_cannot_be_read_back_from_is_told() {
        for wrong in
            ["query=", "query=1://x", "query=otlp://127.0.0.1:1", "compression=zstd", "insecure=perhaps"]
        {
            let to = ConnectionString::parse(&format!("otlp://collector?{wrong}")).unwrap();
            let tried = match sender(&to) {
                Ok(_) => read_back(&to).await.map(drop),
                Err(error) => Err(error),
            };
            let error = tried.expect_err(wrong);
            assert!([ErrorKind::Config, ErrorKind::Unavailable].contains(&error.kind()), "{wrong}: {error}");
        }
    }
}
