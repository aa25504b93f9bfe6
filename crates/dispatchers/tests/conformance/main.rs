//! Every dispatcher, held to the promises of the trait: `testkit`'s suite.
//!
//! A subject is a dispatcher and one way to use it. What a place cannot do is an excuse beside its subject, with the
//! reason, and shows as ignored; so does a subject whose server is not installed. Those whose place is our own binary are
//! with the tests of that.

#[cfg(feature = "gnocchi")]
mod embedded;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "gnocchi")]
mod keystone;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(feature = "prometheus")]
mod prometheus;
#[cfg(feature = "prometheus")]
mod remote_write;
#[cfg(feature = "sql")]
mod sql;
#[cfg(feature = "prometheus")]
mod victoriametrics;

use std::process::ExitCode;
use std::sync::Arc;

use nephoscope_dispatchers::Around;
use nephoscope_gnocchi::{Creator, Gnocchi};
use nephoscope_store::{Options, Store};
use nephoscope_telemetry::{ConnectionString, Dispatcher, Result};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::conclude;
use nephoscope_testkit::dispatchers::{Subject, trials};
use tempfile::TempDir;

fn main() -> ExitCode {
    let subjects: Vec<Arc<dyn Subject>> = vec![
        #[cfg(feature = "gnocchi")]
        Arc::new(embedded::Embedded),
        #[cfg(feature = "file")]
        Arc::new(file::File),
        #[cfg(feature = "otlp")]
        Arc::new(otlp::Otlp { name: "otlp", scheme: "otlp+metrics" }),
        #[cfg(feature = "otlp")]
        Arc::new(otlp::Otlp { name: "otlp_grpc", scheme: "otlp+metrics+grpc" }),
        #[cfg(feature = "prometheus")]
        Arc::new(prometheus::PROMETHEUS),
        #[cfg(feature = "prometheus")]
        Arc::new(victoriametrics::VICTORIAMETRICS),
        #[cfg(feature = "sql")]
        Arc::new(sql::Sql::Sqlite),
        #[cfg(feature = "sql")]
        Arc::new(sql::Sql::Postgres),
        #[cfg(feature = "sql")]
        Arc::new(sql::Sql::Mysql),
    ];
    let mut all = trials(&subjects);
    #[cfg(feature = "gnocchi")]
    all.extend(keystone::trials());
    #[cfg(feature = "prometheus")]
    all.extend(prometheus::trials());
    conclude(all)
}

/// A directory, and a Gnocchi in it.
struct Home {
    directory: TempDir,
    gnocchi: Arc<dyn Gnocchi>,
}

impl Home {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let store = Store::open(&directory.path().join("store"), Options::default()).expect("it is empty");
        let creator = Creator { user_id: "admin".into(), project_id: None };
        Self { directory, gnocchi: Arc::new(store.as_user(creator)) }
    }

    async fn connect(&self, to: &ConnectionString) -> Result<Arc<dyn Dispatcher>> {
        let embedded = Some(self.gnocchi.clone());
        let around = Around { directory: self.directory.path().to_owned(), embedded };
        nephoscope_dispatchers::connect(to, &around).await
    }
}

const fn excuse(case: &'static str, reason: &'static str) -> Excuse {
    Excuse { case, reason }
}
