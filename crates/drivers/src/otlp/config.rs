//! What the connection string says.

use std::sync::Arc;

use nephoscope_http::header::{HeaderName, HeaderValue};
use nephoscope_telemetry::{ConnectionString, Driver, Result};
use percent_encoding::percent_decode_str;

use super::grpc::GrpcSender;
use super::http::HttpSender;
use super::sender::Sender;

/// The options beside those of every HTTP backend.
const OPTIONS: [&str; 4] = ["compression", "filter_error_trace", "headers", "query"];

/// What sends to the address, not yet connected.
pub(super) fn sender(to: &ConnectionString) -> Result<Sender> {
    to.expect_options(&[&OPTIONS[..], &nephoscope_http::OPTIONS[..]].concat())?;
    to.flag("filter_error_trace")?;
    Ok(match to.scheme() {
        "otlp+grpc" => Sender::Grpc(GrpcSender::new(to, false)?),
        "otlp+grpcs" => Sender::Grpc(GrpcSender::new(to, true)?),
        scheme => Sender::Http(HttpSender::new(to, scheme == "otlp+https")?),
    })
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

/// Whether `compression` asks for gzip.
pub(super) fn gzip(to: &ConnectionString) -> Result<bool> {
    match to.option("compression") {
        None | Some("none") => Ok(false),
        Some("gzip") => Ok(true),
        Some(_) => Err(to.wrong("option `compression` is gzip or none")),
    }
}

/// The option `headers`, in the form of `OTEL_EXPORTER_OTLP_HEADERS`: names and values with `=` between them, pairs
/// with a comma, values percent-encoded. No message shows a value.
pub(super) fn headers(to: &ConnectionString) -> Result<Vec<(HeaderName, String)>> {
    let pairs = to.option("headers").unwrap_or_default().split(',').map(str::trim);
    let wrong =
        |name: &str, problem: &str| to.wrong(format!("header `{name}` of option `headers` {problem}"));
    let read = |pair: &str| {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(to.wrong("option `headers` is a list such as name=value,name=value"));
        };
        let name = name.trim();
        let header =
            name.parse::<HeaderName>().map_err(|_| wrong("?", "has a name that no header can have"))?;
        let value = percent_decode_str(value.trim()).decode_utf8();
        let value = value.map_err(|_| wrong(name, "is not UTF-8 when decoded"))?.into_owned();
        match HeaderValue::from_str(&value) {
            Ok(_) => Ok((header, value)),
            Err(_) => Err(wrong(name, "has a value that no header can have")),
        }
    };
    pairs.filter(|pair| !pair.is_empty()).map(read).collect()
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ErrorKind;

    use super::*;

    fn to(options: &str) -> ConnectionString {
        ConnectionString::parse(&format!("otlp://collector?{options}")).unwrap()
    }

    #[test]
    fn headers_are_those_of_the_environment_variable() {
        let read = headers(&to("headers=x-api-key=a%253Db%2520c%252C, X-Tenant = 5 ,,")).unwrap();
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("x-api-key", "a=b c,"), ("x-tenant", "5")]);
        assert_eq!(headers(&to("")).unwrap(), []);
    }

    #[test]
    fn what_is_wrong_in_headers_is_told_without_their_values() {
        for wrong in
            ["headers=s3cret", "headers=a b=s3cret", "headers=a=s3cret%250A", "headers=a=%25FFs3cret"]
        {
            let error = headers(&to(wrong)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(
                error.to_string().contains("headers") && !error.to_string().contains("s3cret"),
                "{error}"
            );
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_back_from_is_told() {
        for wrong in
            ["query=", "query=1://x", "query=otlp://127.0.0.1:1", "compression=zstd", "insecure=perhaps"]
        {
            let to = to(wrong);
            let tried = match sender(&to) {
                Ok(_) => read_back(&to).await.map(drop),
                Err(error) => Err(error),
            };
            let error = tried.expect_err(wrong);
            assert!([ErrorKind::Config, ErrorKind::Unavailable].contains(&error.kind()), "{wrong}: {error}");
        }
    }
}
