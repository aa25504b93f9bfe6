//! A daemon that runs while a test does.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::program::nephoscope;

/// A running daemon, killed when it is dropped.
pub(crate) struct Daemon {
    child: Child,
    stderr: Option<BufReader<std::process::ChildStderr>>,
    pub(crate) address: SocketAddr,
    /// What it said until it listened.
    pub(crate) told: String,
}

impl Daemon {
    /// `nephoscope serve` on any port, with these arguments.
    pub(crate) fn serve(arguments: &[&str]) -> Self {
        Self::start(
            nephoscope().args(["serve", "--listen", "127.0.0.1:0"]).args(arguments).stdout(Stdio::null()),
        )
    }

    /// Waits until it says where it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut told = String::new();
        let address = loop {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended: {told}");
            told.push_str(&line);
            if let Some((_, address)) = line.split_once("listening on http://") {
                break address.trim().parse().unwrap();
            }
        };
        Self { child, stderr: Some(stderr), address, told }
    }

    pub(crate) fn stdout(&mut self) -> std::process::ChildStdout {
        self.child.stdout.take().unwrap()
    }

    /// The most memory that it ever held, in bytes: `VmHWM` of Linux.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// SIGKILL, and gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; what it said last on standard error, and how it ended.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _gone_already = self.child.wait();
    }
}
