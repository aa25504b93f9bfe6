//! A MariaDB server.

use std::process::Command;

use rustix::process::geteuid;
use tempfile::TempDir;

use super::daemon::{Daemon, one_daemon, run};
use super::spawn::{free_port, mortal};
use super::{Missing, PASSWORD, PASSWORD_ENCODED, USER, find, private_directory, write};

/// A private MariaDB on 127.0.0.1, with the database `osp`, which [`USER`] reaches with [`PASSWORD`].
#[derive(Debug)]
pub struct MariadbServer {
    daemon: Daemon,
    port: u16,
    _directory: TempDir,
}

impl MariadbServer {
    /// Starts one.
    pub fn start() -> Result<Self, Missing> {
        let program = find("mariadbd", "mariadb-server")?;
        let directory = private_directory();
        let path = |name: &str| directory.path().join(name).display().to_string();
        // Not /tmp: a server that starts there removes the temporary tables of one that is starting beside it.
        let temporary = path("tmp");
        std::fs::create_dir(&temporary).expect("the directory is private and new");
        let mut arguments = vec![
            "--no-defaults".to_owned(),
            format!("--datadir={}", path("data")),
            format!("--tmpdir={temporary}"),
        ];
        if geteuid().is_root() {
            arguments.push("--user=root".into());
        }
        let mut install = mortal(&find("mariadb-install-db", "mariadb-server")?, None);
        install.args(&arguments).args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
        run(install);
        let first_statements = directory.path().join("init.sql");
        write(&first_statements, &init_file());
        let port = free_port();
        arguments.extend([
            "--bind-address=127.0.0.1".to_owned(),
            format!("--port={port}"),
            format!("--socket={}", path("socket")),
            format!("--pid-file={}", path("pid")),
            format!("--init-file={}", path("init.sql")),
            // Tests end the server, not the machine: what the kernel was given is not lost.
            "--innodb-flush-log-at-trx-commit=2".to_owned(),
            // The default of 16 MiB is too small for the batches with the largest points of the suite.
            "--max-allowed-packet=64M".to_owned(),
            "--character-set-server=utf8mb4".to_owned(),
        ]);
        let log = directory.path().join("mariadb.log");
        let daemon = Daemon::start(&program, arguments, None, log, "ready for connections");
        Ok(Self { daemon, port, _directory: directory })
    }

    /// The connection string of the database `osp`.
    pub fn url(&self) -> String {
        self.database_url("osp")
    }

    /// The connection string of another database.
    pub fn database_url(&self, database: &str) -> String {
        format!("mysql://{USER}:{PASSWORD_ENCODED}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes one more database.
    pub fn create_database(&self, name: &str) {
        self.sql("osp", &format!("CREATE DATABASE `{name}`"));
    }

    /// Runs statements in a database and returns what `mariadb` prints: a row a line, tabs between columns.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        let mut client =
            Command::new(find("mariadb", "mariadb-client").expect("mariadb-server depends on it"));
        client
            .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--batch", "--skip-column-names"])
            .args([format!("--port={}", self.port), format!("--user={USER}")])
            .args([format!("--database={database}"), format!("--execute={statements}")])
            .env("MYSQL_PWD", PASSWORD);
        run(client).trim_end().to_owned()
    }
}

/// Run at every start, before the first connection.
fn init_file() -> String {
    [
        "CREATE DATABASE IF NOT EXISTS osp;".to_owned(),
        format!("CREATE USER IF NOT EXISTS '{USER}'@'localhost' IDENTIFIED BY '{PASSWORD}';"),
        format!("GRANT ALL ON *.* TO '{USER}'@'localhost';\n"),
    ]
    .join("\n")
}

one_daemon!(MariadbServer, daemon);
