//! Headers that a connection string names.

use nephoscope_telemetry::{ConnectionString, Result};
use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderName, HeaderValue};

/// The option `headers`, in the form of `OTEL_EXPORTER_OTLP_HEADERS`: names and values with `=` between them, pairs
/// with a comma, values percent-encoded. No message shows a value.
pub fn headers(to: &ConnectionString) -> Result<Vec<(HeaderName, String)>> {
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
        ConnectionString::parse(&format!("weather://host?{options}")).unwrap()
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
}
