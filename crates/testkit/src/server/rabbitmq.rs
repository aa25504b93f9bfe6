//! A RabbitMQ server.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::certificate::{self, Certificate};
use super::daemon::{Daemon, one_daemon, run};
use super::spawn::free_port;
use super::{Missing, PASSWORD, PASSWORD_ENCODED, USER, find, private_directory, write};

/// What a [`RabbitmqServer`] is to be like.
#[derive(Clone, Copy, Debug, Default)]
pub struct RabbitmqOptions {
    /// Speaks TLS only.
    pub tls: bool,
}

/// A private RabbitMQ on 127.0.0.1, whose only user is [`USER`].
///
/// It has two processes: the node, and Erlang's port mapper, without which a node does not start. Both end with us.
#[derive(Debug)]
pub struct RabbitmqServer {
    node: Daemon,
    environment: Vec<(&'static str, String)>,
    port: u16,
    certificate: Option<Certificate>,
    _port_mapper: Daemon,
    /// Last, so that it outlives the processes.
    _directory: TempDir,
}

/// Where Debian keeps the scripts; those on `PATH` insist on being run by its own user.
const SCRIPTS: &str = "/usr/lib/rabbitmq/bin";
/// What RabbitMQ 4 takes as one message by default; RabbitMQ 3 takes eight times as much.
const MAX_MESSAGE_BYTES: usize = 16 << 20;

impl RabbitmqServer {
    /// Starts one without TLS.
    pub fn start() -> Result<Self, Missing> {
        Self::start_with(RabbitmqOptions::default())
    }

    /// Starts one like this.
    pub fn start_with(options: RabbitmqOptions) -> Result<Self, Missing> {
        let missing = Missing::Program { program: "rabbitmq-server", package: "rabbitmq-server" };
        let program = Path::new(SCRIPTS).join("rabbitmq-server");
        if !program.is_file() {
            return Err(missing);
        }
        let port_mapper = find("epmd", "erlang-base")?;
        let directory = private_directory();
        let home = directory.path();
        let certificate = if options.tls { Some(certificate::make(home)?) } else { None };
        let [port, mapper_port, node_port] = [free_port(), free_port(), free_port()];
        write(&home.join("rabbitmq.conf"), &configuration(port, certificate.as_ref()));
        let environment = environment(home, mapper_port, node_port);
        let arguments = ["-d", "-port", &mapper_port.to_string(), "-address", "127.0.0.1"].map(str::to_owned);
        let port_mapper =
            Daemon::start(&port_mapper, arguments.to_vec(), None, home.join("epmd.log"), "epmd running");
        let mut command: Vec<_> = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        command.push(program.display().to_string());
        let node =
            Daemon::start(Path::new("env"), command, None, home.join("node.log"), "Server startup complete");
        Ok(Self { node, environment, port, certificate, _port_mapper: port_mapper, _directory: directory })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The transport URL of its virtual host `/`, with options where it speaks TLS.
    pub fn url(&self) -> String {
        let url = format!("rabbit://{USER}:{PASSWORD_ENCODED}@127.0.0.1:{}/", self.port);
        match self.ca_file() {
            Some(file) => format!("{url}?ssl=true&ssl_ca_file={}", file.display()),
            None => url,
        }
    }

    /// The file with the authority of its certificate, when it speaks TLS.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.certificate.as_ref().map(|made| made.certificate.clone())
    }

    /// Makes a virtual host and opens it to the user.
    pub fn create_virtual_host(&self, name: &str) {
        self.control(&["add_vhost", name]);
        self.control(&["set_permissions", "--vhost", name, USER, ".*", ".*", ".*"]);
    }

    /// Runs `rabbitmqctl` with these arguments and returns what it prints.
    pub fn control(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(Path::new(SCRIPTS).join("rabbitmqctl"));
        command.envs(self.environment.iter().cloned()).arg("--quiet").args(arguments);
        run(command).trim_end().to_owned()
    }
}

fn configuration(port: u16, certificate: Option<&Certificate>) -> String {
    let mut lines = vec![
        "loopback_users = none".to_owned(),
        format!("default_user = {USER}"),
        format!("default_pass = {PASSWORD}"),
        format!("max_message_size = {MAX_MESSAGE_BYTES}"),
        "log.console = true".to_owned(),
    ];
    match certificate {
        None => lines.push(format!("listeners.tcp.1 = 127.0.0.1:{port}")),
        Some(made) => lines.extend([
            "listeners.tcp = none".to_owned(),
            format!("listeners.ssl.1 = 127.0.0.1:{port}"),
            format!("ssl_options.certfile = {}", made.certificate.display()),
            format!("ssl_options.keyfile = {}", made.key.display()),
        ]),
    }
    lines.join("\n") + "\n"
}

/// A node apart from Debian's own and from those of other tests.
fn environment(home: &Path, mapper_port: u16, node_port: u16) -> Vec<(&'static str, String)> {
    let file = |name: &str| home.join(name).display().to_string();
    vec![
        // The cookie that lets a node be controlled lives there.
        ("HOME", home.display().to_string()),
        ("ERL_EPMD_PORT", mapper_port.to_string()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".into()),
        ("RABBITMQ_NODENAME", format!("nephoscope-{node_port}@localhost")),
        ("RABBITMQ_DIST_PORT", node_port.to_string()),
        ("RABBITMQ_SERVER_START_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}".into()),
        // Two schedulers are enough for a test, and threads that wait for work must not take time from it.
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 2:2 +sbwt none".into()),
        ("RABBITMQ_MNESIA_BASE", file("mnesia")),
        ("RABBITMQ_LOG_BASE", file("log")),
        ("RABBITMQ_LOGS", "-".into()),
        ("RABBITMQ_CONFIG_FILE", file("rabbitmq")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", file("enabled_plugins")),
        ("RABBITMQ_CONF_ENV_FILE", file("none")),
        // The script becomes the node in place of starting and watching it: then a signal to it is one to the node.
        ("RUNNING_UNDER_SYSTEMD", "true".into()),
    ]
}

one_daemon!(RabbitmqServer, node);
