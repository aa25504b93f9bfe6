//! Finding out what a place minds that does not say it.

use std::ops::Range;

use crate::{BoxFuture, ErrorKind, Refused, Result};

/// Sends a batch to a place that takes all of it or nothing. When it is [`Invalid`](ErrorKind::Invalid), the place gets
/// the halves, down to those that are to blame: they are refused, and the rest is there. Order is kept.
///
/// `send` sends the part that it is given, and counts what it refuses from the beginning of that part.
pub async fn in_halves<'a>(
    whole: Range<usize>,
    mut send: impl FnMut(Range<usize>) -> BoxFuture<'a, Result<Vec<Refused>>> + Send,
) -> Result<Vec<Refused>> {
    let mut refused = Vec::new();
    let mut parts = vec![whole];
    while let Some(part) = parts.pop() {
        match send(part.clone()).await {
            Ok(more) => {
                refused.extend(more.into_iter().map(|told| Refused { at: part.start + told.at, ..told }));
            }
            Err(error) if error.kind() == ErrorKind::Invalid && part.len() > 1 => {
                let middle = part.start + part.len() / 2;
                parts.push(middle..part.end);
                parts.push(part.start..middle);
            }
            Err(error) if error.kind() == ErrorKind::Invalid => {
                refused.push(Refused { at: part.start, reason: error.to_string() });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(refused)
}
