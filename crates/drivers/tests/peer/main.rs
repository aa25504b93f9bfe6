//! Each driver beside the driver of the real OSProfiler, on one real server: what one writes the other reads.
//!
//! OSProfiler's `redissentinel` driver cannot start with any redis-py of today. It would write the keys of its `redis`
//! driver to the master, so that driver, pointed at the master, stands for it.

mod backend;
mod cases;
#[cfg(feature = "loginsight")]
#[path = "../doubles/loginsight.rs"]
mod loginsight_double;
mod report;

use std::process::ExitCode;
use std::sync::Arc;

use nephoscope_testkit::{conclude, trial};

use backend::Backend;
use cases::Case;

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for backend in backend::all() {
        for case in cases::of(backend.kind()) {
            let (name, backend) = (format!("{}::{}", backend.name(), case.name), backend.clone());
            trials.push(trial(name, move || run(&*backend, &case)));
        }
    }
    conclude(trials)
}

fn run(backend: &dyn Backend, case: &Case) -> Result<(), nephoscope_testkit::server::Missing> {
    let osprofiler = nephoscope_testkit::osprofiler::Osprofiler::find()?;
    let place = backend.place()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let peers = cases::Peers { osprofiler, place, kind: backend.kind() };
    runtime.expect("threads can be started").block_on((case.run)(peers));
    Ok(())
}

/// A backend that several tests use at once.
type Shared = Arc<dyn Backend>;
