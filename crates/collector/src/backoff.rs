//! Pauses between tries, which grow.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::time::Duration;

/// The pause after the first failure; each later one is twice as long, up to the longest: soon enough for whoever waits
/// for what is in the queue, seldom enough for a server that comes up.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The failures in a row of one thing.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Waits after a failure, unless `stop` ends.
    pub(crate) async fn wait(&mut self, stop: Pin<&mut impl Future<Output = ()>>) -> ControlFlow<()> {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures += 1;
        tokio::select! {
            biased;
            () = stop => ControlFlow::Break(()),
            () = tokio::time::sleep(pause) => ControlFlow::Continue(()),
        }
    }

    /// Whether nothing has failed since the last success.
    pub(crate) fn is_fresh(&self) -> bool {
        self.failures == 0
    }

    /// It went well. Whether it had failed before.
    pub(crate) fn reset(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_the_longest_and_begin_anew() {
        let (mut backoff, mut pauses) = (Backoff::default(), Vec::new());
        for _ in 0..40 {
            let began = Instant::now();
            assert!(backoff.wait(pin!(pending())).await.is_continue());
            pauses.push(began.elapsed().as_millis());
        }
        assert_eq!(pauses[..7], [200, 400, 800, 1600, 3200, 6400, 10_000]);
        assert_eq!(pauses[39], 10_000);
        assert!(backoff.reset() && backoff.is_fresh() && !backoff.reset());
        assert!(backoff.wait(pin!(ready(()))).await.is_break());
    }
}
