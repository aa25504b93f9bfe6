//! The command line.

mod policy;
mod sample;
mod store;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{BoolishValueParser, TypedValueParser, ValueParserFactory};
use clap::error::ErrorKind;
use clap::{Arg, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use nephoscope_telemetry::{ConnectionString, Timestamp};

use crate::time;
pub use policy::{
    GnocchiArgs, NewPolicyArgs, PoliciesArgs, PolicyArgs, PolicyChangeArgs, PolicyCommand, PolicyDeletionArgs,
};
pub use sample::{
    EventArgs, EventCommand, LinesArgs, Metadata, SampleArgs, SampleCommand, SampleType, TargetArgs,
};
pub use store::{BackupArgs, ReportFormat, StoreArgs, StoreCommand};

/// OpenStack telemetry: the traces of OSProfiler in any backend, the samples of Ceilometer, and a Gnocchi to keep them.
#[derive(Debug, Parser)]
#[command(name = "nephoscope", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon: traces and samples in, reports and measures out
    Serve(ServeArgs),
    /// Run the daemon on a throw-away store filled with recorded traces and samples, and show some
    Demo(DemoArgs),
    /// Show, list, move and delete traces
    #[command(subcommand)]
    Trace(TraceCommand),
    /// Send samples by hand or from files, with no daemon in between
    #[command(subcommand)]
    Sample(SampleCommand),
    /// Send events by hand or from files, with no daemon in between
    #[command(subcommand)]
    Event(EventCommand),
    /// Show, make, change and delete archive policies
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Check, compact, count and back up the store of metrics
    #[command(subcommand)]
    Store(StoreCommand),
    /// Check, show or import the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Tell what would keep a daemon with this configuration from working, and what to do, without changing anything
    Doctor(DoctorArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, or write all manual pages to a directory
    Man {
        /// Write a page for every command to this directory
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

/// Where the daemon's settings come from.
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigArgs {
    /// The configuration file; without one, an embedded store on the loopback interface
    #[arg(long, value_name = "FILE", env = "NEPHOSCOPE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Directory of the embedded stores
    #[arg(long, value_name = "DIR", env = "NEPHOSCOPE_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT", env = "NEPHOSCOPE_LISTEN")]
    pub listen: Option<String>,
    /// Address and port to take spans of OpenTelemetry at over gRPC, commonly 127.0.0.1:4317; without it only over HTTP
    #[arg(long, value_name = "ADDRESS:PORT", env = "NEPHOSCOPE_OTLP_GRPC_LISTEN")]
    pub otlp_grpc_listen: Option<String>,
}

/// Where the daemon of this machine keeps things.
#[derive(Args, Clone, Debug)]
pub struct DaemonArgs {
    /// The configuration file of the daemon, which says where the store is and how long it keeps things
    #[arg(long, value_name = "FILE", env = "NEPHOSCOPE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Directory of the embedded stores
    #[arg(long, value_name = "DIR", env = "NEPHOSCOPE_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

impl From<&DaemonArgs> for ConfigArgs {
    fn from(args: &DaemonArgs) -> Self {
        Self { config: args.config.clone(), data_dir: args.data_dir.clone(), ..Self::default() }
    }
}

/// `nephoscope serve`
#[derive(Args, Debug)]
pub struct ServeArgs {
    /// Where the settings come from.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `nephoscope doctor`
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Where the settings come from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print an array of objects
    #[arg(long)]
    pub json: bool,
}

/// `nephoscope demo`
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Address and port to listen on; any free port when this one is taken
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8041")]
    pub listen: String,
}

/// `nephoscope trace …`
#[derive(Debug, Subcommand)]
pub enum TraceCommand {
    /// Show a trace as a tree, JSON, HTML or DOT
    Show(ShowArgs),
    /// List traces, newest first
    List(ListArgs),
    /// Store trace points from JSON lines
    Import(ImportArgs),
    /// Write the trace points of one trace or of all as JSON lines
    Export(ExportArgs),
    /// Copy traces from one backend to another
    Copy(CopyArgs),
    /// Delete old traces
    Purge(PurgeArgs),
}

/// The backend of a command.
#[derive(Args, Clone, Debug)]
pub struct BackendArgs {
    /// The backend, such as redis://127.0.0.1:6379 or embedded:// for the store of this machine
    #[arg(long, value_name = "CS", env = "OSPROFILER_CONNECTION_STRING", hide_env_values = true)]
    pub connection_string: Option<Place>,
}

/// `nephoscope trace show`
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// Id of the trace, or a file with a saved report or with trace points as JSON lines; `-` for standard input
    #[arg(value_name = "ID|FILE")]
    pub trace: String,
    /// The backend.
    #[command(flatten)]
    pub backend: BackendArgs,
    /// Show the report as JSON, equal to what `osprofiler trace show --json` prints
    #[arg(long)]
    pub json: bool,
    /// Show the report as a page that needs no network
    #[arg(long)]
    pub html: bool,
    /// Show the report in the DOT language
    #[arg(long)]
    pub dot: bool,
    /// Show the report as a tree; the default
    #[arg(long)]
    pub tree: bool,
    /// With --dot: also draw the graph to FILE.pdf (needs Graphviz)
    #[arg(long, value_name = "FILE")]
    pub render_dot: Option<PathBuf>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Taken for compatibility: the page never loads anything
    #[arg(long, hide = true)]
    pub local_libs: bool,
    /// The transport URL of `messaging://`; other backends have none
    #[arg(long, hide = true, value_name = "URL")]
    pub transport_url: Option<Place>,
    /// How long `messaging://` waits for a message that is missing; other backends do not wait
    #[arg(long, hide = true, value_name = "S")]
    pub idle_timeout: Option<u64>,
}

/// `nephoscope trace list`
#[derive(Args, Debug)]
pub struct ListArgs {
    /// The backend.
    #[command(flatten)]
    pub backend: BackendArgs,
    /// Only traces with an exception
    #[arg(long, num_args = 0..=1, default_missing_value = "true", default_value = "false",
          value_parser = BoolishValueParser::new(), hide_possible_values = true, hide_default_value = true)]
    pub error_trace: bool,
    /// Only traces with a point of this service
    #[arg(long, value_name = "S")]
    pub service: Option<String>,
    /// Only traces with a point of this name, without -start or -stop
    #[arg(long, value_name = "N")]
    pub name: Option<String>,
    /// Only traces that began at this time or later: 2026-01-31, 2026-01-31T12:00:00, or 2h for two hours ago
    #[arg(long, value_name = "T", value_parser = time::parse_moment)]
    pub since: Option<Timestamp>,
    /// Only traces that began before this time
    #[arg(long, value_name = "T", value_parser = time::parse_moment)]
    pub until: Option<Timestamp>,
    /// Only traces that lasted at least so many milliseconds
    #[arg(long, value_name = "MS", value_parser = time::parse_milliseconds)]
    pub min_duration: Option<Duration>,
    /// Only so many traces, the newest
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// How to print the list
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub format: ListFormat,
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    Table,
    /// An array of objects
    Json,
    /// With a head line
    Csv,
    /// Values only, separated by spaces
    Value,
}

/// `nephoscope trace import`
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// File of trace points, one JSON object a line; `-` for standard input
    pub file: PathBuf,
    /// The backend.
    #[command(flatten)]
    pub backend: BackendArgs,
}

/// Which traces.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct Selection {
    /// Id of the trace
    pub id: Option<String>,
    /// All traces
    #[arg(long)]
    pub all: bool,
}

/// `nephoscope trace export`
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Which traces.
    #[command(flatten)]
    pub selection: Selection,
    /// The backend.
    #[command(flatten)]
    pub backend: BackendArgs,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `nephoscope trace copy`
#[derive(Args, Debug)]
pub struct CopyArgs {
    /// Which traces.
    #[command(flatten)]
    pub selection: Selection,
    /// The backend to read from
    #[arg(long, value_name = "CS")]
    pub from: Place,
    /// The backend to write to
    #[arg(long, value_name = "CS")]
    pub to: Place,
}

/// `nephoscope trace purge`
#[derive(Args, Debug)]
pub struct PurgeArgs {
    /// Delete traces whose latest point is older: 30d, 12h, or a time
    #[arg(long, value_name = "AGE", value_parser = time::parse_moment)]
    pub older_than: Timestamp,
    /// The backend.
    #[command(flatten)]
    pub backend: BackendArgs,
}

/// `nephoscope config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Report every mistake in the configuration
    Check(ConfigArgs),
    /// Print the settings in force, without secrets, and where each comes from
    Show(ConfigArgs),
    /// Turn Ceilometer's configuration into a configuration file, and tell what has no equivalent
    Import(CeilometerArgs),
}

/// `nephoscope config import`
#[derive(Args, Debug)]
pub struct CeilometerArgs {
    /// The directory of ceilometer.conf, pipeline.yaml and the others
    #[arg(value_name = "DIR", default_value = "/etc/ceilometer")]
    pub directory: PathBuf,
    /// Write a new file, which only its owner may read, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// A connection string of the command line. Unlike any other argument it is not repeated when it is wrong: it may hold
/// a password.
#[derive(Clone, Debug)]
pub struct Place(pub ConnectionString);

impl ValueParserFactory for Place {
    type Parser = PlaceParser;

    fn value_parser() -> PlaceParser {
        PlaceParser
    }
}

/// Reads a [`Place`].
#[derive(Clone, Copy, Debug)]
pub struct PlaceParser;

impl TypedValueParser for PlaceParser {
    type Value = Place;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Place, clap::Error> {
        let argument = arg.map(ToString::to_string).unwrap_or_default();
        let text = value.to_str().unwrap_or_default();
        ConnectionString::parse(text).map(Place).map_err(|error| {
            clap::Error::raw(ErrorKind::ValueValidation, format!("{argument}: {error}\n")).with_cmd(command)
        })
    }
}
