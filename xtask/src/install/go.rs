//! Servers written in Go, built from the sources that their `go.mod` and `go.sum` pin.

use std::fs;
use std::process::Command;

use crate::run::{Outcome, root, step};

/// A folder of `crates/testkit/servers`, the package in it that is built (one that its `tools.go` imports, or its own
/// `main.go`), and whether that is with a C library.
const SERVERS: [(&str, &str, bool); 4] = [
    ("ferretdb", ".", false),
    ("jaeger", "github.com/jaegertracing/jaeger/cmd/jaeger", false),
    ("otelcol", ".", false),
    // With that of zstd, as its own releases are built: the benchmarks measure it.
    ("victoriametrics", "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics", true),
];

/// Builds those that are not built yet.
pub(super) fn servers() -> Outcome {
    SERVERS.into_iter().try_for_each(|(name, package, cgo)| build(name, package, cgo))
}

/// Its version is in a stamp beside what is built, so that it is built once.
fn build(name: &str, package: &str, cgo: bool) -> Outcome {
    let bin = super::cache().join("bin");
    fs::create_dir_all(&bin).map_err(|error| format!("cannot make {}: {error}", bin.display()))?;
    let sources = root().join("crates/testkit/servers").join(name);
    let pinned = fs::read_to_string(sources.join("go.mod"))
        .map_err(|error| format!("cannot read go.mod of {name}: {error}"))?;
    let pinned = pinned + &fs::read_to_string(sources.join("main.go")).unwrap_or_default();
    let stamp = bin.join(format!("{name}.go.mod"));
    if bin.join(name).exists() && fs::read_to_string(&stamp).is_ok_and(|built| built == pinned) {
        return Ok(());
    }
    let mut build = Command::new("go");
    build.current_dir(sources).args(["build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o"]);
    // What is downloaded is checked against go.sum. The toolchain is whichever is installed.
    build.env("CGO_ENABLED", if cgo { "1" } else { "0" }).env("GOFLAGS", "").env("GOTOOLCHAIN", "local");
    step(&format!("build {name}"), build.arg(bin.join(name)).arg(package))?;
    fs::write(stamp, pinned).map_err(|error| format!("cannot write the stamp of {name}: {error}"))
}
