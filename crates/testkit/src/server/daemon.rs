//! One server process: started, watched through its log, ended.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::spawn::{mortal, spawn};

/// Far longer than any of these servers takes on a slow machine; what takes longer hangs.
const START_TIMEOUT: Duration = Duration::from_secs(120);
const END_TIMEOUT: Duration = Duration::from_secs(20);
/// How often the log or the process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How to run a server.
#[derive(Debug)]
pub(super) struct Daemon {
    program: PathBuf,
    arguments: Vec<String>,
    account: Option<&'static str>,
    log: PathBuf,
    /// What it writes to its log when it answers.
    ready: &'static str,
    child: Option<Child>,
}

impl Daemon {
    /// Starts it and waits until it answers.
    pub(super) fn start(
        program: &Path,
        arguments: Vec<String>,
        account: Option<&'static str>,
        log: PathBuf,
        ready: &'static str,
    ) -> Self {
        let mut daemon = Self { program: program.into(), arguments, account, log, ready, child: None };
        daemon.restart();
        daemon
    }

    /// Starts it again, with the same arguments.
    pub(super) fn restart(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.program.display());
        let seen = self.log().len();
        self.child = Some(spawn(self.command()));
        self.wait_for_log_after(seen, self.ready);
    }

    fn command(&self) -> Command {
        let log = File::options().create(true).append(true).open(&self.log).expect("the log can be written");
        let mut command = mortal(&self.program, self.account);
        command
            .args(&self.arguments)
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone().expect("a file can be opened twice"))
            .stderr(log)
            .current_dir("/");
        command
    }

    /// Everything it wrote since it was first started.
    pub(super) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until the log holds this text behind its first `seen` bytes.
    pub(super) fn wait_for_log_after(&mut self, seen: usize, text: &str) {
        let deadline = Instant::now() + START_TIMEOUT;
        while !self.log().get(seen..).is_some_and(|new| new.contains(text)) {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().expect("it is our child"));
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "{} did not write {text:?} to its log ({ended:?}):\n{}",
                self.program.display(),
                self.log()
            );
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// The processes that it started.
    pub(super) fn children(&self) -> Vec<Pid> {
        let Some(child) = &self.child else { return Vec::new() };
        let threads = fs::read_dir(format!("/proc/{}/task", child.id())).into_iter().flatten().flatten();
        let children =
            |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        let children: String = threads.map(children).collect();
        children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
    }

    /// Sends the signal and waits for the end; KILL when it does not obey. Nothing when it does not run.
    pub(super) fn end(&mut self, signal: Signal) {
        let Some(mut child) = self.child.take() else { return };
        // An error means that it ended by itself.
        let _ended = kill_process(Pid::from_child(&child), signal);
        let deadline = Instant::now() + END_TIMEOUT;
        while child.try_wait().expect("it is our child").is_none() {
            if Instant::now() > deadline {
                child.kill().expect("it is our child");
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // What it holds is thrown away. PostgreSQL ends its own children only when asked by QUIT.
        self.end(if self.account.is_some() { Signal::QUIT } else { Signal::KILL });
    }
}

/// Runs a program to its end and returns what it printed; panics with its output when it fails.
pub(crate) fn run(mut command: Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?} failed: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Makes a [`Server`](super::Server) of a type that keeps its only daemon in this field. A crash ends it as SIGKILL does.
macro_rules! one_daemon {
    ($server:ty, $daemon:ident) => {
        impl $crate::server::Server for $server {
            fn kill(&mut self) {
                self.$daemon.end(::rustix::process::Signal::KILL);
            }

            fn restart(&mut self) {
                self.$daemon.restart();
            }

            fn log(&self) -> String {
                self.$daemon.log()
            }
        }
    };
}

pub(super) use one_daemon;
