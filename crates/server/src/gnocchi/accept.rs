//! What a client wants to be answered with.

use axum::http::{HeaderMap, HeaderValue, header};

const JSON: &str = "application/json";

/// Whether an answer in JSON will do: it does not where the client lists other types alone.
pub(super) fn takes_json(headers: &HeaderMap) -> bool {
    quality(headers, JSON) > 0
}

/// Whether a refusal is written in JSON: only where the client would rather have that than text or HTML, so that a
/// browser, and whoever says nothing, sees a page.
pub(super) fn prefers_json(headers: &HeaderMap) -> bool {
    let wanted = quality(headers, JSON);
    wanted > quality(headers, "text/plain").max(quality(headers, "text/html"))
}

/// How much a type is wanted, in thousandths: as the most specific range that it is in says (RFC 9110, 12.5.1).
fn quality(headers: &HeaderMap, offer: &str) -> u16 {
    let family = offer.split('/').next().unwrap_or_default();
    let mut best = None;
    for value in headers.get_all(header::ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let specific = if name.eq_ignore_ascii_case(offer) {
                2
            } else if name.strip_suffix("/*").is_some_and(|it| it.eq_ignore_ascii_case(family)) {
                1
            } else if name == "*/*" {
                0
            } else {
                continue;
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
            best = best.max(Some((specific, quality)));
        }
    }
    match best {
        Some((_, quality)) => quality,
        // Who says nothing takes everything.
        None if headers.get(header::ACCEPT).is_none_or(HeaderValue::is_empty) => 1000,
        None => 0,
    }
}

fn thousandths(quality: &str) -> u16 {
    let quality: f32 = quality.trim().parse().unwrap_or(1.0);
    // In bounds after clamping, and a cast of what is no number gives 0.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1000")]
    let thousandths = (quality.clamp(0.0, 1.0) * 1000.0) as u16;
    thousandths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_those_who_ask_for_it() {
        for (accept, takes, prefers) in [
            (None, true, false),
            (Some(""), true, false),
            (Some("*/*"), true, false),
            (Some("application/json"), true, true),
            (Some("application/*"), true, true),
            (Some("application/json, */*"), true, false),
            (Some("application/json, */*;q=0.1"), true, true),
            (Some("text/html,application/xhtml+xml,*/*;q=0.8"), true, false),
            (Some("text/html"), false, false),
            (Some("text/plain"), false, false),
            (Some("application/json;q=0"), false, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!((takes_json(&headers), prefers_json(&headers)), (takes, prefers), "{accept:?}");
        }
    }
}
