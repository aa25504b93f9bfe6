//! Servers written in Go, built from the sources that their `go.mod` and `go.sum` pin.

use std::fs;
use std::process::Command;

use crate::run::{Outcome, root, step};

/// A folder of `crates/testkit/servers`, and the package in it that is built: one that its `tools.go` imports, or its
/// own `main.go`.
const SERVERS: [(&str, &str); 3] =
    [("ferretdb", "."), ("jaeger", "github.com/jaegertracing/jaeger/cmd/jaeger"), ("otelcol", ".")];

/// Builds those that are not built yet. Its version is in the name of what is built, so that it is built once.
pub(super) fn servers() -> Outcome {
    let bin = super::cache().join("bin");
    fs::create_dir_all(&bin).map_err(|error| format!("cannot make {}: {error}", bin.display()))?;
    for (name, package) in SERVERS {
        let sources = root().join("crates/testkit/servers").join(name);
        let pinned = fs::read_to_string(sources.join("go.mod"))
            .map_err(|error| format!("cannot read go.mod of {name}: {error}"))?;
        let pinned = pinned + &fs::read_to_string(sources.join("main.go")).unwrap_or_default();
        let stamp = bin.join(format!("{name}.go.mod"));
        if bin.join(name).exists() && fs::read_to_string(&stamp).is_ok_and(|built| built == pinned) {
            continue;
        }
        let mut build = Command::new("go");
        build.current_dir(sources).args(["build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o"]);
        // What is downloaded is checked against go.sum. The toolchain is whichever is installed.
        build.env("CGO_ENABLED", "0").env("GOFLAGS", "").env("GOTOOLCHAIN", "local");
        step(&format!("build {name}"), build.arg(bin.join(name)).arg(package))?;
        fs::write(stamp, pinned).map_err(|error| format!("cannot write the stamp of {name}: {error}"))?;
    }
    Ok(())
}
