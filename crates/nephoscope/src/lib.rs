//! The binary's insides: commands, configuration, wiring. Knows every crate, known by none.

pub mod backend;
mod ceilometer;
pub mod cli;
pub mod config;
pub mod demo;
mod doctor;
pub mod door;
pub mod exit;
mod lines;
pub mod manual;
pub mod metrics;
mod output;
pub mod policy;
mod progress;
pub mod sample;
pub mod samples;
pub mod serve;
pub mod show;
mod size;
pub mod source;
pub mod store;
mod systemd;
mod table;
pub mod terminal;
mod time;
pub mod trace;
pub mod watch;

use cli::{Cli, Command, ConfigCommand};
use config::Config;

/// Runs a command.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let registry = nephoscope_drivers::registry();
    match cli.command {
        Command::Serve(args) => serve::run(args, &registry).await,
        Command::Demo(args) => demo::run(args, &registry).await,
        Command::Trace(command) => trace::run(command, &registry).await,
        Command::Sample(command) => sample::run(command, &registry).await,
        Command::Event(command) => sample::run_event(command, &registry).await,
        Command::Policy(command) => policy::run(command, &registry).await,
        Command::Store(command) => store::run(command, &registry).await,
        Command::Config(ConfigCommand::Check(args)) => {
            Config::read(&args, &registry)?;
            tracing::info!("the configuration has no mistakes");
            Ok(())
        }
        Command::Config(ConfigCommand::Show(args)) => {
            let config = Config::read(&args, &registry)?;
            output::print(&config.to_string())
        }
        Command::Config(ConfigCommand::Import(args)) => ceilometer::import(&args),
        Command::Doctor(args) => doctor::run(&args, registry).await,
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { out } => manual::man(out.as_deref()),
    }
}
