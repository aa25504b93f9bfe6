//! `nephoscope`: OpenStack telemetry in one binary.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use nephoscope::cli::Cli;
use nephoscope::exit;
use tracing_subscriber::EnvFilter;

/// A trace is some hundred thousand small texts, allocated on one thread and freed on another: showing a large one takes
/// a fifth less time than with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("cannot start")),
    };
    let result = runtime.block_on(nephoscope::run(cli));
    // A thread that still waits for standard input must not hold the process.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if exit::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    tracing::error!("{error:#}");
    exit::code(error)
}

/// Logs to standard error; `NEPHOSCOPE_LOG` says how much, as in `debug` or `nephoscope_drivers=trace`.
fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_env("NEPHOSCOPE_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let colour = std::io::stderr().is_terminal() && nephoscope::terminal::colour();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .with_target(false)
        .without_time()
        .init();
}
