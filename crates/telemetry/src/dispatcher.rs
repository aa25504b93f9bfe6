//! What every place does that samples and events are sent on to.

use std::fmt;

use crate::{BoxFuture, Event, Result, Sample};

/// Sends samples and events on to one place.
///
/// Every promise here is a case of the conformance suite. Dispatchers neither retry nor set time limits: whoever calls
/// them does that for all, and calls them with one batch at a time, in the order in which telemetry came.
pub trait Dispatcher: fmt::Debug + Send + Sync {
    /// Sends samples on, keeping the order of those of one meter and resource. `Ok` means that they are as durable there
    /// as that place makes them, but for those that it will never take, which are told with the reason.
    ///
    /// After an error some of them may be there. They are all given once more, and the place must tell that they are the
    /// same where it can. Only after one of the kind [`Invalid`](crate::ErrorKind::Invalid), which says that something among
    /// them will never be taken, they are given in [halves](crate::in_halves).
    fn samples<'a>(&'a self, samples: &'a [Sample]) -> BoxFuture<'a, Result<Vec<Refused>>>;

    /// Sends events on, as [`samples`](Self::samples) does. A place that has no use for events takes all of them.
    fn events<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Result<Vec<Refused>>>;

    /// Ends the work in hand and lets go of the place. Nothing acknowledged waits for this.
    fn close(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// What a place will never take, however often it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which of those that were given, counted from 0.
    pub at: usize,
    /// Why, in a sentence for the operator.
    pub reason: String,
}
