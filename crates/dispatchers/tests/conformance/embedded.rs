//! `embedded://`

use std::sync::Arc;

use nephoscope_telemetry::{BoxFuture, ConnectionString, Dispatcher, Result};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::dispatchers::{Arrived, Place, Subject, in_gnocchi};
use nephoscope_testkit::server::Missing;

use super::{Home, excuse};

pub(super) struct Embedded;

struct Store(Home);

impl Subject for Embedded {
    fn name(&self) -> &'static str {
        "embedded"
    }

    fn place(&self) -> Result<Box<dyn Place>, Missing> {
        Ok(Box::new(Store(Home::new())))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const NO_SERVER: &str = "it has no server";
        const NO_PASSWORD: &str = "it has no password";
        const {
            &[
                excuse("events_arrive_as_they_are", "they change resources, and are not kept"),
                excuse("a_place_that_is_away_is_unavailable_and_takes_all_when_it_is_back", NO_SERVER),
                excuse("a_place_may_be_away_when_the_dispatcher_is_made", NO_SERVER),
                excuse("a_dispatcher_does_not_show_its_secrets", NO_PASSWORD),
                excuse("a_wrong_password_is_a_mistake_in_the_connection_string", NO_PASSWORD),
            ]
        }
    }
}

impl Place for Store {
    fn url(&self) -> String {
        "embedded://".into()
    }

    fn connect<'a>(&'a self, to: &'a ConnectionString) -> BoxFuture<'a, Result<Arc<dyn Dispatcher>>> {
        Box::pin(self.0.connect(to))
    }

    fn samples(&self) -> BoxFuture<'_, Vec<Arrived>> {
        Box::pin(in_gnocchi(&*self.0.gnocchi))
    }
}
