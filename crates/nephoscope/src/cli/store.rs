//! `nephoscope store …`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{DaemonArgs, Place};

/// `nephoscope store …`
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Read everything that is stored, and tell what is damaged
    Check(StoreArgs),
    /// Take away what is no longer kept, and give its space back
    Compact(StoreArgs),
    /// Tell how much is stored
    Stats(StoreArgs),
    /// Copy the store to a directory, also while the daemon runs
    Backup(BackupArgs),
}

/// The store of a command.
#[derive(Args, Clone, Debug)]
pub struct StoreArgs {
    /// Where the daemon keeps things.
    #[command(flatten)]
    pub daemon: DaemonArgs,
    /// The store itself, such as embedded:///var/lib/nephoscope/metrics
    #[arg(long, value_name = "CS")]
    pub connection_string: Option<Place>,
    /// How to print what was found
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub format: ReportFormat,
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    Text,
    /// An object
    Json,
}

/// `nephoscope store backup`
#[derive(Args, Debug)]
pub struct BackupArgs {
    /// The directory to copy to, which is missing or empty
    #[arg(value_name = "DIR")]
    pub to: PathBuf,
    /// The store.
    #[command(flatten)]
    pub store: StoreArgs,
}
