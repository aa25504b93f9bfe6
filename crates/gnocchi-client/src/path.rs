//! Names in paths.

use nephoscope_http::segment;

/// A name as a segment of a path; nothing where it cannot be one. A slash is one, encoded or not, to every server of
/// Python, an empty segment is none, and dots alone are taken for steps by whoever normalises the path on its way.
pub(crate) fn in_path(name: &str) -> Option<String> {
    let is_possible = !matches!(name, "" | "." | "..") && !name.contains('/');
    is_possible.then(|| segment(name))
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_segment_is_told_apart() {
        for name in ["", ".", "..", "a/b", "/"] {
            assert_eq!(in_path(name), None, "{name}");
        }
        for (name, segment) in [
            ("a b?#%", "a%20b%3F%23%25"),
            ("...", "..."),
            (".a", ".a"),
            ("é\u{1F327}", "%C3%A9%F0%9F%8C%A7"),
            ("%2e%2e", "%252e%252e"),
            ("a+b&c=d;e", "a%2Bb%26c%3Dd%3Be"),
        ] {
            assert_eq!(in_path(name).as_deref(), Some(segment));
        }
    }

    proptest! {
        /// Whoever decodes the segment has the name, and no byte of it means anything in a URL.
        #[test]
        fn a_segment_is_the_name(name in ".*") {
            let Some(segment) = in_path(&name) else { return Ok(()) };
            prop_assert!(segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
            prop_assert_eq!(percent_decode_str(&segment).decode_utf8().unwrap(), name);
        }
    }
}
