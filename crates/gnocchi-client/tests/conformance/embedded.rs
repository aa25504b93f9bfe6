//! The embedded store, without anything between.

use std::sync::Arc;

use nephoscope_testkit::gnocchi::conformance::{Opening, Place, Subject};
use nephoscope_testkit::server::Missing;

use super::{creator, store};

pub(super) struct Embedded;

impl Subject for Embedded {
    fn name(&self) -> &'static str {
        "embedded"
    }

    fn place(&self) -> Result<Opening, Missing> {
        Ok(Box::pin(async {
            let (store, directory) = store();
            Place {
                gnocchi: Arc::new(store.as_user(creator("admin"))),
                other: Arc::new(store.as_user(creator("other"))),
                keep: Box::new((store, directory)),
            }
        }))
    }
}
