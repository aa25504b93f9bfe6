//! The signature of samples and events: whether they come from someone who knows the secret.
//!
//! Source: Ceilometer 27, `ceilometer/publisher/utils.py`. It is an HMAC with SHA-256 over the keys and values as Python's
//! `str` writes them, sorted by key, so that numbers have to be written the way Python writes them.

mod python;

use std::fmt;

use hmac::{Hmac, Mac};
use nephoscope_telemetry::json;
use sha2::Sha256;

/// The key that is not signed, as it holds the signature.
const SIGNATURE: &str = "message_signature";
/// How deep a message may be nested: Python cannot sign what is much deeper, as it allows 1,000 calls inside of each
/// other, and nothing that is metered comes near.
const MOST_DEPTH: usize = 400;

/// Tells messages of those who know the secret from others.
#[derive(Clone)]
pub struct Verifier(Hmac<Sha256>);

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// There is no signature.
    #[error("it is not signed; its sender has to know the `telemetry_secret`")]
    Missing,
    /// There is one of another secret, or of another message.
    #[error(
        "its signature does not fit; the sender's `telemetry_secret` is another one, or the message was changed"
    )]
    Wrong,
    /// It is nested too deep to be signed by anyone.
    #[error("it is nested deeper than {MOST_DEPTH} levels, which nobody could have signed")]
    TooDeep,
}

impl Verifier {
    /// With the secret that senders have as `telemetry_secret`; nothing when it is empty, as nothing is signed then.
    pub fn new(secret: &str) -> Option<Self> {
        let keyed = || Hmac::new_from_slice(secret.as_bytes()).expect("a key may have any length");
        (!secret.is_empty()).then(|| Self(keyed()))
    }

    /// Checks a message, the JSON object of a sample or an event as it was sent. Takes as long for a signature that is all
    /// wrong as for one that is almost right.
    pub fn verify(&self, message: &str) -> Result<(), BadSignature> {
        let given = json::entries(message).filter(|(key, _)| key == SIGNATURE).last();
        let given = given.and_then(|(_, value)| json::decode(value)).filter(|given| !given.is_empty());
        let given = given.ok_or(BadSignature::Missing)?;
        let mut hmac = self.0.clone();
        let mut text = String::new();
        python::signed(message, MOST_DEPTH, |name, value| {
            if name != SIGNATURE {
                text.clear();
                value.write(&mut text);
                hmac.update(name.as_bytes());
                hmac.update(text.as_bytes());
            }
        })
        .ok_or(BadSignature::TooDeep)?;
        let given = bytes(&given).ok_or(BadSignature::Wrong)?;
        hmac.verify_slice(&given).map_err(|_| BadSignature::Wrong)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(***)")
    }
}

/// What hexadecimal digits in lower case stand for; Python compares the digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Some(value(pair[0])? << 4 | value(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests;
