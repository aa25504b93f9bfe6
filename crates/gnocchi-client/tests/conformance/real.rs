//! The client before the real Gnocchi.

use std::sync::{Arc, LazyLock, OnceLock};

use nephoscope_testkit::Excuse;
use nephoscope_testkit::gnocchi::conformance::{Opening, Place, Subject};
use nephoscope_testkit::server::{GnocchiOptions, GnocchiServer, Missing};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::remote;

pub(super) struct Real;

/// One for all cases: it takes a while to start. Its lists have parts of
/// [`MAX_LIMIT`](nephoscope_testkit::gnocchi::conformance::MAX_LIMIT) items.
fn server() -> Result<&'static GnocchiServer, Missing> {
    static SERVER: OnceLock<Result<GnocchiServer, Missing>> = OnceLock::new();
    let options = || GnocchiOptions { settings: vec!["api.max_limit=7"], ..GnocchiOptions::default() };
    SERVER.get_or_init(|| GnocchiServer::start(&options())).as_ref().map_err(|missing| *missing)
}

/// The right to use it. One case does at a time: Gnocchi answers 500 now and then while somebody else makes a resource
/// type, which is a table of its database.
fn turn() -> OwnedSemaphorePermit {
    static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(1)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it can be made");
    runtime.block_on(TURNS.clone().acquire_owned()).expect("it is never closed")
}

impl Subject for Real {
    fn name(&self) -> &'static str {
        "real"
    }

    fn place(&self) -> Result<Opening, Missing> {
        let port = server()?.port();
        let turn = turn();
        // It processes measures by and by; what is read is to be processed at once.
        let options = "?refresh=true";
        Ok(Box::pin(async move {
            Place {
                gnocchi: remote("admin", port, options).await,
                other: remote("other", port, options).await,
                keep: Box::new(turn),
            }
        }))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const {
            &[
                excuse("a_metric_of_a_resource_that_is_not_there_is_refused"),
                excuse("a_search_for_a_value_of_another_kind_is_refused"),
                excuse("series_are_counted_across_metrics"),
            ]
        }
    }
}

const fn excuse(case: &'static str) -> Excuse {
    Excuse { case, reason: "Gnocchi 4.7.1 answers 500, which says nothing" }
}
