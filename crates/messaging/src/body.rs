//! From the bytes of a message to its text.

use std::fmt;
use std::io::Read;

use flate2::read::ZlibDecoder;
use lapin::BasicProperties;
use lapin::types::AMQPValue;

/// How long a text may be: what RabbitMQ 3 takes as one message. A compressed one could grow without end.
const MAX_TEXT_BYTES: u64 = 128 << 20;
/// The header in which kombu, below oslo.messaging, says how it compressed a body.
const COMPRESSION: &str = "compression";
/// Its name for `kombu_compression=gzip`. What it makes is a zlib stream all the same.
const GZIP: &str = "application/x-gzip";

/// Why a message is no notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadMessage {
    kind: &'static str,
    detail: String,
}

impl BadMessage {
    /// What is wrong, in a word that is the same for all such messages, and in detail.
    pub fn new(kind: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// The word: `compression`, `encoding`, `json` or `envelope`, or what the user of the message found.
    pub fn kind(&self) -> &'static str {
        self.kind
    }
}

impl fmt::Display for BadMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for BadMessage {}

/// The text of a body, inflated where its header says so.
pub(crate) fn text(body: Vec<u8>, properties: &BasicProperties) -> Result<String, BadMessage> {
    let body = match compression(properties) {
        None => body,
        Some(GZIP) => inflate(&body, MAX_TEXT_BYTES)?,
        Some(other) => {
            return Err(BadMessage::new("compression", format!("its compression `{other}` is not known")));
        }
    };
    String::from_utf8(body).map_err(|error| {
        BadMessage::new("encoding", format!("it is not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
    })
}

fn compression(properties: &BasicProperties) -> Option<&str> {
    match properties.headers().as_ref()?.inner().get(COMPRESSION)? {
        AMQPValue::LongString(name) => std::str::from_utf8(name.as_bytes()).ok(),
        AMQPValue::ShortString(name) => Some(name.as_str()),
        _ => None,
    }
}

fn inflate(body: &[u8], most: u64) -> Result<Vec<u8>, BadMessage> {
    let mut text = Vec::new();
    match ZlibDecoder::new(body).take(most + 1).read_to_end(&mut text) {
        Ok(length) if length as u64 <= most => Ok(text),
        Ok(_) => Err(BadMessage::new("compression", format!("it inflates to more than {most} bytes"))),
        Err(error) => Err(BadMessage::new("compression", format!("it cannot be inflated: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use lapin::types::FieldTable;
    use proptest::prelude::*;

    use super::*;

    fn deflate(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn compressed_by(name: &str) -> BasicProperties {
        let mut headers = FieldTable::default();
        headers.insert(COMPRESSION.into(), AMQPValue::LongString(name.into()));
        BasicProperties::default().with_headers(headers)
    }

    #[test]
    fn a_body_is_inflated_only_where_its_header_says_so() {
        assert_eq!(text(deflate(b"{}"), &compressed_by(GZIP)).unwrap(), "{}");
        assert_eq!(text(b"{}".to_vec(), &BasicProperties::default()).unwrap(), "{}");
        assert_eq!(text(deflate(b"{}"), &BasicProperties::default()).unwrap_err().kind(), "encoding");
        assert_eq!(text(b"{}".to_vec(), &compressed_by(GZIP)).unwrap_err().kind(), "compression");
        assert!(
            text(b"{}".to_vec(), &compressed_by("application/x-bz2"))
                .unwrap_err()
                .to_string()
                .contains("bz2")
        );
    }

    #[test]
    fn a_body_that_grows_without_end_is_refused() {
        let bomb = deflate(&vec![b' '; 1 << 20]);
        assert!(inflate(&bomb, 1 << 20).is_ok());
        assert!(inflate(&bomb, (1 << 20) - 1).unwrap_err().to_string().contains("more than"));
    }

    proptest! {
        #[test]
        fn what_was_compressed_is_read_and_junk_is_refused(original in ".*", junk: Vec<u8>) {
            prop_assert_eq!(text(deflate(original.as_bytes()), &compressed_by(GZIP)), Ok(original));
            let _outcome = text(junk, &compressed_by(GZIP));
        }
    }
}
