//! Telling whose tokens are, for a service: asking Keystone, and remembering for a while what it said.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nephoscope_telemetry::Result;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::{Bearer, Keystone};

/// How long what Keystone said is believed where nobody says otherwise, as with OpenStack's own services: so long may a
/// token that was revoked still do.
pub const DEFAULT_CACHE_TIME: Duration = Duration::from_secs(300);
/// How long a token is known to be none, at most: a client that does not notice asks again and again.
const REFUSAL_TIME: Duration = Duration::from_secs(30);
/// How many tokens are remembered, and, apart from those, how many that are none, so that who guesses tokens makes nobody
/// else's forgotten. At some 300 bytes each it is a few megabytes.
const MAX_REMEMBERED: usize = 10_000;
/// How many questions Keystone is asked at a time: it hashes and looks up for each.
const MAX_QUESTIONS: usize = 16;
/// The longest token that is looked at, in bytes: Keystone's own are of some 250, and those that carry all they say in
/// themselves fit as well.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Whose tokens are.
pub struct Bearers {
    keystone: Keystone,
    cache_time: Duration,
    questions: Semaphore,
    /// What was said. Held for a look and for an entry, never over a question.
    remembered: Mutex<Remembered>,
}

/// Tokens are known by their digests: whoever sees our memory cannot use them.
type Key = [u8; 32];

#[derive(Default)]
struct Remembered {
    bearers: Memory<Arc<Bearer>>,
    refused: Memory<()>,
}

impl Bearers {
    /// As this Keystone says, believed for so long at most.
    pub fn new(keystone: Keystone, cache_time: Duration) -> Self {
        Self { keystone, cache_time, questions: Semaphore::new(MAX_QUESTIONS), remembered: Mutex::default() }
    }

    /// Who has a token; nobody, where it is none of this Keystone's, or does no longer. An error says that this is not
    /// known: Keystone is away, or does not let us ask.
    pub async fn bearer(&self, token: &str) -> Result<Option<Arc<Bearer>>> {
        if token.is_empty()
            || token.len() > MAX_TOKEN_BYTES
            || token.bytes().any(|byte| byte.is_ascii_control())
        {
            return Ok(None);
        }
        let key: Key = Sha256::digest(token.as_bytes()).into();
        if let Some(known) = self.remember(&key) {
            return Ok(known);
        }
        let _permit = self.questions.acquire().await.expect("the semaphore is never closed");
        // Somebody else may have asked meanwhile.
        if let Some(known) = self.remember(&key) {
            return Ok(known);
        }
        let asked = Instant::now();
        let bearer = self.keystone.bearer(token).await?.filter(|bearer| !bearer.lasts.is_zero());
        let bearer = bearer.map(Arc::new);
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        match &bearer {
            Some(bearer) => {
                let until = asked + self.cache_time.min(bearer.lasts);
                remembered.bearers.put(key, bearer.clone(), until);
            }
            None => remembered.refused.put(key, (), asked + self.cache_time.min(REFUSAL_TIME)),
        }
        Ok(bearer)
    }

    /// What was said of a token, while that holds.
    fn remember(&self, key: &Key) -> Option<Option<Arc<Bearer>>> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let bearer = remembered.bearers.get(key, now).cloned().map(Some);
        bearer.or_else(|| remembered.refused.get(key, now).map(|()| None))
    }
}

impl fmt::Debug for Bearers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearers").field("keystone", &self.keystone).finish_non_exhaustive()
    }
}

/// Values that hold until some time, the oldest of which go when there are too many.
struct Memory<T> {
    values: HashMap<Key, (T, Instant)>,
    order: VecDeque<Key>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self { values: HashMap::new(), order: VecDeque::new() }
    }
}

impl<T> Memory<T> {
    fn get(&self, key: &Key, now: Instant) -> Option<&T> {
        self.values.get(key).filter(|(_, until)| now < *until).map(|(value, _)| value)
    }

    fn put(&mut self, key: Key, value: T, until: Instant) {
        if self.values.insert(key, (value, until)).is_none() {
            self.order.push_back(key);
        }
        while self.values.len() > MAX_REMEMBERED {
            let Some(oldest) = self.order.pop_front() else { return };
            self.values.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_for_the_newest() {
        let mut memory = Memory::default();
        let (now, key) =
            (Instant::now(), |number: usize| -> Key { Sha256::digest(number.to_be_bytes()).into() });
        let until = now + Duration::from_secs(1);
        for number in 0..=MAX_REMEMBERED {
            memory.put(key(number), number, until);
            memory.put(key(number), number, until);
        }
        assert_eq!(memory.get(&key(0), now), None);
        assert_eq!(memory.get(&key(1), now), Some(&1));
        assert_eq!(memory.get(&key(MAX_REMEMBERED), now), Some(&MAX_REMEMBERED));
        assert_eq!(memory.get(&key(1), until), None);
        assert_eq!((memory.values.len(), memory.order.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
    }
}
