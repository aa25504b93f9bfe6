//! An InfluxDB 1.x server.

use std::path::Path;

use tempfile::TempDir;

use super::daemon::{Daemon, one_daemon};
use super::post::post;
use super::spawn::free_port;
use super::{Missing, PASSWORD, PASSWORD_ENCODED, USER, find, private_directory, write};

/// Who may do all.
const ADMINISTRATOR: &str = "administrator";
/// Their login in an address: the password is [`PASSWORD_ENCODED`].
const LOGIN: &str = "u=administrator&p=cumulus%2Fof%40rain%3A100%25";
/// Who may read every database of [`InfluxdbServer::create_database`], and write none.
const READER: &str = "reader";

/// A private InfluxDB 1.x on 127.0.0.1 that asks for [`PASSWORD`], whoever comes.
#[derive(Debug)]
pub struct InfluxdbServer {
    daemon: Daemon,
    port: u16,
    /// Last, so that it outlives the process.
    _directory: TempDir,
}

impl InfluxdbServer {
    /// Starts one, without a database.
    pub fn start() -> Result<Self, Missing> {
        let program = find("influxd", "influxdb")?;
        let directory = private_directory();
        let port = free_port();
        let file = directory.path().join("influxdb.conf");
        write(&file, &configuration(directory.path(), port));
        let arguments = vec!["-config".into(), file.display().to_string()];
        let log = directory.path().join("influxd.log");
        let daemon = Daemon::start(&program, arguments, None, log, "Listening for signals");
        let server = Self { daemon, port, _directory: directory };
        // The first user needs no login.
        let first = format!("CREATE USER {ADMINISTRATOR} WITH PASSWORD '{PASSWORD}' WITH ALL PRIVILEGES");
        server.post("/query", &form(&first));
        for user in [USER, READER] {
            server.query("", &format!("CREATE USER {user} WITH PASSWORD '{PASSWORD}'"));
        }
        Ok(server)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes a database that [`USER`] may write and read.
    pub fn create_database(&self, name: &str) {
        self.query("", &format!("CREATE DATABASE {name}"));
        self.query("", &format!("GRANT ALL ON {name} TO {USER}"));
        self.query("", &format!("GRANT READ ON {name} TO {READER}"));
    }

    /// The connection string of a database.
    pub fn url(&self, database: &str) -> String {
        self.url_as(USER, database)
    }

    /// As [`url`](Self::url), of somebody who may only read.
    pub fn reader_url(&self, database: &str) -> String {
        self.url_as(READER, database)
    }

    /// As [`url`](Self::url), of somebody who may do all.
    pub fn administrator_url(&self, database: &str) -> String {
        self.url_as(ADMINISTRATOR, database)
    }

    fn url_as(&self, user: &str, database: &str) -> String {
        format!("influxdb://{user}:{PASSWORD_ENCODED}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs a statement as the administrator, and returns the JSON of the answer.
    pub fn query(&self, database: &str, statement: &str) -> String {
        self.post(&format!("/query?{LOGIN}&db={database}"), &form(statement))
    }

    /// Stores rows of line protocol as the administrator.
    pub fn write(&self, database: &str, rows: &str) {
        self.post(&format!("/write?{LOGIN}&db={database}"), rows);
    }

    fn post(&self, target: &str, body: &str) -> String {
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        let text = post(self.port, target, &[kind], body);
        assert!(!text.contains("\"error\""), "{body}: {text}");
        text
    }
}

/// A form with a statement.
fn form(statement: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    format!("q={}", statement.bytes().map(encode).collect::<String>())
}

fn configuration(directory: &Path, port: u16) -> String {
    let path = |name: &str| directory.join(name).display().to_string();
    let (meta, data, wal) = (path("meta"), path("data"), path("wal"));
    format!(
        "reporting-enabled = false\n\
         bind-address = \"127.0.0.1:0\"\n\
         [meta]\ndir = \"{meta}\"\n\
         [data]\ndir = \"{data}\"\nwal-dir = \"{wal}\"\n\
         [monitor]\nstore-enabled = false\n\
         [http]\nbind-address = \"127.0.0.1:{port}\"\nauth-enabled = true\nlog-enabled = false\n"
    )
}

one_daemon!(InfluxdbServer, daemon);
