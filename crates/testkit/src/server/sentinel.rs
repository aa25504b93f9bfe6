//! A Redis master with a replica, watched by a sentinel.

use rustix::process::Signal;
use tempfile::TempDir;

use super::daemon::Daemon;
use super::spawn::free_port;
use super::{
    Missing, PASSWORD, PASSWORD_ENCODED, RedisOptions, RedisServer, Server, find, private_directory, write,
};

/// A private Redis master and replica, and the sentinel that says which of them is the master.
///
/// As a [`Server`] it is the master alone: killed and restarted before the sentinel replaces it.
#[derive(Debug)]
pub struct SentinelGroup {
    sentinel: Daemon,
    port: u16,
    options: RedisOptions,
    master: RedisServer,
    replica: RedisServer,
    _directory: TempDir,
}

impl SentinelGroup {
    /// Starts the three, with a master called `mymaster`, as OSProfiler expects, that asks for no password.
    pub fn start() -> Result<Self, Missing> {
        Self::start_with(RedisOptions::default())
    }

    /// Starts the three; the options are those of the master and the replica.
    pub fn start_with(options: RedisOptions) -> Result<Self, Missing> {
        let program = find("redis-sentinel", "redis-sentinel")?;
        let directory = private_directory();
        let master = RedisServer::start_with(options)?;
        let mut replica =
            RedisServer::start_with(RedisOptions { replica_of: Some(master.port()), ..options })?;
        replica.wait_for_log("MASTER <-> REPLICA sync: Finished");
        let port = free_port();
        let file = directory.path().join("sentinel.conf");
        let auth = if options.password {
            format!("sentinel auth-pass mymaster \"{PASSWORD}\"\n")
        } else {
            String::new()
        };
        write(
            &file,
            &format!(
                "port {port}\nbind 127.0.0.1\ndir \"{}\"\nsentinel monitor mymaster 127.0.0.1 {} 1\n{auth}\
                 sentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 5000\n",
                directory.path().display(),
                master.port()
            ),
        );
        let log = directory.path().join("sentinel.log");
        let sentinel = Daemon::start(&program, vec![file.display().to_string()], None, log, "+slave slave");
        Ok(Self { sentinel, port, options, master, replica, _directory: directory })
    }

    /// The connection string: the sentinel's address, and the password of the master where it asks for one.
    pub fn url(&self) -> String {
        let login = if self.options.password { format!(":{PASSWORD_ENCODED}@") } else { String::new() };
        format!("redissentinel://{login}127.0.0.1:{}", self.port)
    }

    /// The server that is the master now.
    pub fn master(&self) -> &RedisServer {
        &self.master
    }

    /// Kills the master and waits until the sentinel has made the replica the new one.
    pub fn fail_over(&mut self) {
        let seen = self.sentinel.log().len();
        self.master.kill();
        self.sentinel.wait_for_log_after(seen, "+switch-master");
        std::mem::swap(&mut self.master, &mut self.replica);
    }

    /// Ends the sentinel alone.
    pub fn kill_sentinel(&mut self) {
        self.sentinel.end(Signal::KILL);
    }

    /// Starts the sentinel again.
    pub fn restart_sentinel(&mut self) {
        self.sentinel.restart();
    }
}

impl Server for SentinelGroup {
    fn kill(&mut self) {
        self.master.kill();
    }

    fn restart(&mut self) {
        self.master.restart();
    }

    fn log(&self) -> String {
        format!("{}\n{}\n{}", self.sentinel.log(), self.master.log(), self.replica.log())
    }
}
