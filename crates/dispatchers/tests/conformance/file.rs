//! `file://`

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use nephoscope_telemetry::{BoxFuture, ConnectionString, Dispatcher, Event, Result, Sample};
use nephoscope_testkit::Excuse;
use nephoscope_testkit::dispatchers::{Arrived, Place, Subject};
use nephoscope_testkit::server::{Missing, Server};

use super::{Home, excuse};

pub(super) struct File;

/// A file in a directory that can be taken away.
struct Lines {
    home: Home,
    disk: Disk,
}

struct Disk {
    mounted: PathBuf,
    unmounted: PathBuf,
}

impl Subject for File {
    fn name(&self) -> &'static str {
        "file"
    }

    fn place(&self) -> Result<Box<dyn Place>, Missing> {
        let home = Home::new();
        let at = |name: &str| home.directory.path().join(name);
        let disk = Disk { mounted: at("mounted"), unmounted: at("unmounted") };
        fs::create_dir(&disk.mounted).expect("it is not there");
        Ok(Box::new(Lines { home, disk }))
    }

    fn excuses(&self) -> &'static [Excuse] {
        const NO_PASSWORD: &str = "it has no password";
        const {
            &[
                excuse("a_repeated_batch_is_there_once", "lines are appended, and not looked at again"),
                excuse("what_is_refused_is_told_by_its_place_and_the_others_arrive", "it takes every sample"),
                excuse("a_dispatcher_does_not_show_its_secrets", NO_PASSWORD),
                excuse("a_wrong_password_is_a_mistake_in_the_connection_string", NO_PASSWORD),
            ]
        }
    }
}

impl Lines {
    fn read(&self) -> String {
        fs::read_to_string(self.disk.mounted.join("lines")).unwrap_or_default()
    }
}

impl Place for Lines {
    fn url(&self) -> String {
        format!("file://{}/lines", self.disk.mounted.display())
    }

    fn connect<'a>(&'a self, to: &'a ConnectionString) -> BoxFuture<'a, Result<Arc<dyn Dispatcher>>> {
        Box::pin(self.home.connect(to))
    }

    fn samples(&self) -> BoxFuture<'_, Vec<Arrived>> {
        let samples = |text: String| text.lines().filter_map(|line| Sample::from_json(line).ok()).collect();
        let samples: Vec<_> = samples(self.read());
        Box::pin(async move { samples.iter().filter_map(Arrived::of).collect() })
    }

    fn events(&self) -> BoxFuture<'_, Vec<Event>> {
        let events = self.read().lines().filter_map(|line| Event::from_json(line).ok()).collect();
        Box::pin(async move { events })
    }

    fn server(&mut self) -> Option<&mut dyn Server> {
        Some(&mut self.disk)
    }
}

impl Server for Disk {
    fn kill(&mut self) {
        fs::rename(&self.mounted, &self.unmounted).expect("it is there");
    }

    fn restart(&mut self) {
        fs::rename(&self.unmounted, &self.mounted).expect("it is there");
    }

    fn log(&self) -> String {
        String::new()
    }
}
