//! A PostgreSQL server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use super::daemon::{Daemon, run};
use super::spawn::{free_port, mortal};
use super::{Missing, PASSWORD, PASSWORD_ENCODED, Server, USER, find, private_directory, write};

/// A private PostgreSQL on 127.0.0.1, with the database `osp`, which [`USER`] reaches with [`PASSWORD`].
///
/// It refuses to run as root, so root runs it as the account `postgres` of the Debian package; the directory for
/// temporary files has to be open to it.
#[derive(Debug)]
pub struct PostgresServer {
    daemon: Daemon,
    psql: PathBuf,
    port: u16,
    _directory: TempDir,
}

impl PostgresServer {
    /// Starts one.
    pub fn start() -> Result<Self, Missing> {
        let programs = programs()?;
        let account = geteuid().is_root().then_some("postgres");
        let directory = private_directory();
        let data = directory.path().join("data");
        let password = directory.path().join("password");
        write(&password, PASSWORD);
        if let Some(account) = account {
            let mut chown = Command::new("chown");
            chown.arg("-R").arg(format!("{account}:")).arg(directory.path());
            run(chown);
        }
        let mut initdb = mortal(&programs.join("initdb"), account);
        initdb
            .args(["-A", "scram-sha-256", "-U", USER, "-E", "UTF8", "--locale=C", "--no-sync", "-D"])
            .args([&data.display().to_string(), "--pwfile", &password.display().to_string()])
            .current_dir("/");
        run(initdb);
        let port = free_port();
        let log = directory.path().join("postgres.log");
        let daemon = Daemon::start(
            &programs.join("postgres"),
            arguments(&data, port),
            account,
            log,
            "database system is ready to accept connections",
        );
        let server = Self { daemon, psql: programs.join("psql"), port, _directory: directory };
        server.create_database("osp");
        Ok(server)
    }

    /// The connection string of the database `osp`.
    pub fn url(&self) -> String {
        self.database_url("osp")
    }

    /// The connection string of another database.
    pub fn database_url(&self, database: &str) -> String {
        format!("postgresql://{USER}:{PASSWORD_ENCODED}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes one more database.
    pub fn create_database(&self, name: &str) {
        self.sql("postgres", &format!("CREATE DATABASE \"{name}\" STRATEGY file_copy"));
    }

    /// Runs statements in a database and returns what `psql` prints: a row a line, columns with `|` between them.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        let mut psql = Command::new(&self.psql);
        psql.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", USER, "-d", database])
            .args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statements])
            .env("PGPASSWORD", PASSWORD);
        run(psql).trim_end().to_owned()
    }
}

fn arguments(data: &Path, port: u16) -> Vec<String> {
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        "max_connections=200".to_owned(),
        // Tests end the server, not the machine: what the kernel was given is not lost.
        "fsync=off".to_owned(),
    ];
    let mut arguments = vec!["-D".into(), data.display().to_string(), "-p".into(), port.to_string()];
    arguments.extend(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
    arguments
}

/// The directory of the newest installed version; Debian keeps it out of `PATH`.
fn programs() -> Result<PathBuf, Missing> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .map(|entry| entry.path().join("bin"))
        .filter(|programs| programs.join("postgres").is_file())
        .max_by_key(|programs| {
            let version = programs.parent().and_then(Path::file_name).and_then(|name| name.to_str());
            version.and_then(|version| version.parse::<u32>().ok())
        });
    match newest {
        Some(programs) => Ok(programs),
        None => Ok(find("postgres", "postgresql")?.parent().expect("a file has a directory").to_owned()),
    }
}

impl Server for PostgresServer {
    /// By QUIT, with which PostgreSQL ends at once and recovers from its log later, as after a crash. Its children
    /// would survive its being killed for a moment, and keep it from starting again.
    fn kill(&mut self) {
        self.daemon.end(Signal::QUIT);
    }

    fn restart(&mut self) {
        self.daemon.restart();
    }

    fn log(&self) -> String {
        self.daemon.log()
    }
}
