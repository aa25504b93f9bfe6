//! Servers that run on Java, from Maven Central.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::run::{Outcome, step};

/// Group, artifact and version.
type Server = (&'static str, &'static str, &'static str);

/// The distributions for integration tests: whole servers without plugins.
const SERVERS: [Server; 5] = [
    ("org.opensearch.distribution.integ-test-zip", "opensearch", "2.19.6"),
    ("org.elasticsearch.distribution.integ-test-zip", "elasticsearch", "7.17.29"),
    ("org.elasticsearch.distribution.integ-test-zip", "elasticsearch", "8.19.21"),
    // These two want a Java of 21 or later. They are fetched all the same, for the tests to find when there is one.
    ("org.opensearch.distribution.integ-test-zip", "opensearch", "3.6.0"),
    ("org.elasticsearch.distribution.integ-test-zip", "elasticsearch", "9.5.3"),
];

/// Fetches what is not there yet. A directory appears when it is complete.
pub(super) fn servers() -> Outcome {
    let cache = super::cache();
    let unpacked = cache.join("unpacked");
    for (group, artifact, version) in SERVERS {
        let directory = cache.join(format!("{artifact}-{version}"));
        if directory.exists() {
            continue;
        }
        let mut maven = Command::new("mvn");
        maven.args(["--quiet", "--batch-mode", "dependency:copy"]);
        maven.arg(format!("-Dartifact={group}:{artifact}:{version}:zip"));
        maven.arg(format!("-DoutputDirectory={}", unpacked.display()));
        step(&format!("fetch {artifact} {version}"), &mut maven)?;
        let archive = unpacked.join(format!("{artifact}-{version}.zip"));
        unzip(&archive, &unpacked)?;
        let name = directory.file_name().expect("it was joined");
        rename(&unpacked.join(name), &directory)?;
    }
    if unpacked.exists() {
        fs::remove_dir_all(&unpacked)
            .map_err(|error| format!("cannot remove {}: {error}", unpacked.display()))?;
    }
    Ok(())
}

fn unzip(archive: &Path, into: &Path) -> Outcome {
    step("unpack it", Command::new("unzip").args(["-q", "-o"]).arg(archive).arg("-d").arg(into))
}

fn rename(from: &Path, to: &Path) -> Outcome {
    fs::rename(from, to).map_err(|error| format!("cannot make {}: {error}", to.display()))
}
