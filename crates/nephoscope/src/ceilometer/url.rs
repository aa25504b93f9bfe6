//! Connection strings in the making.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

/// What has to be encoded in the value of an option, so that addresses and paths stay readable.
const VALUE: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b'&').add(b'+').add(b'"').add(b'\\');
/// What has to be encoded in a user, a password and the segment of a path: all but the unreserved characters of RFC 3986.
const WORD: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A connection string that options are added to. Holds secrets, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Url {
    text: String,
    separator: char,
}

impl Url {
    /// What stands before the options.
    pub(super) fn new(place: impl Into<String>) -> Self {
        Self { text: place.into(), separator: '?' }
    }

    pub(super) fn option(&mut self, name: &str, value: &str) {
        self.text.push(self.separator);
        self.text.push_str(name);
        self.text.push('=');
        self.text.extend(utf8_percent_encode(value, VALUE));
        self.separator = '&';
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// A user or a password as it stands before the `@`.
pub(super) fn word(text: &str) -> String {
    utf8_percent_encode(text, WORD).to_string()
}

#[cfg(test)]
mod tests {
    use nephoscope_telemetry::ConnectionString;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_put_in_is_read(user in "\\PC{1,12}", password in "\\PC{1,12}", one in "\\PC{0,12}", two in "\\PC{0,12}") {
            let mut url = Url::new(format!("gnocchi://{}:{}@", word(&user), word(&password)));
            url.option("one", &one);
            url.option("two", &two);
            let read = ConnectionString::parse(url.text()).unwrap();
            prop_assert_eq!((read.user(), read.password()), (Some(&*user), Some(&*password)));
            prop_assert_eq!((read.option("one"), read.option("two")), (Some(&*one), Some(&*two)));
        }
    }
}
