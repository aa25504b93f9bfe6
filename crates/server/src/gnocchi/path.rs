//! Paths as Gnocchi's router takes them.

use axum::extract::Request;
use axum::http::Uri;

use super::owns;

/// Makes one of several slashes in a row: Gnocchi does not count empty parts of a path, and its own client sends some.
pub(crate) async fn without_empty_parts(mut request: Request) -> Request {
    if let Some(uri) = collapsed(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

/// The same place with single slashes; nothing where it has no others, or is nobody's but ours.
fn collapsed(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    if !owns(path) || !path.contains("//") {
        return None;
    }
    let mut single = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    if let Some(query) = uri.query() {
        single.push('?');
        single.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(single.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_parts_go_and_the_query_stays() {
        for (given, wanted) in [
            ("/v1/archive_policy//low", Some("/v1/archive_policy/low")),
            ("/v1///metric//?name=a//b", Some("/v1/metric/?name=a//b")),
            ("/v1/metric/?name=a//b", None),
            ("/api//traces", None),
            ("/v1/resource/generic/a%2F%2Fb", None),
        ] {
            let collapsed = collapsed(&given.parse().unwrap());
            assert_eq!(collapsed.map(|uri| uri.to_string()).as_deref(), wanted, "{given}");
        }
    }
}
