//! Starting programs that end when we do.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

/// A command to run, and where its child goes.
type Order = (Command, SyncSender<io::Result<Child>>);

/// The thread that starts all programs.
///
/// Linux kills a child with `setpriv --pdeathsig` when the *thread* that started it ends. A test's own thread may end
/// long before the others that use its server, so one thread starts them all, and lives as long as the process.
static SPAWNER: LazyLock<SyncSender<Order>> = LazyLock::new(|| {
    let (sender, orders) = sync_channel::<Order>(0);
    std::thread::Builder::new()
        .name("spawner".into())
        .spawn(move || {
            for (mut command, answer) in orders {
                answer.send(command.spawn()).expect("who gave the order waits for the child");
            }
        })
        .expect("a thread can be started");
    sender
});

/// A command whose process is killed by the kernel when this process ends in whatever way, run by this account if it
/// is given. Only root may give one.
pub(super) fn mortal(program: &std::path::Path, account: Option<&str>) -> Command {
    let mut command = Command::new("setpriv");
    if let Some(account) = account {
        command.args([&format!("--reuid={account}"), &format!("--regid={account}"), "--init-groups"]);
    }
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Starts a command of [`mortal`].
pub(super) fn spawn(command: Command) -> Child {
    let (answer, child) = sync_channel(1);
    let shown = format!("{command:?}");
    SPAWNER.send((command, answer)).expect("the spawner lives as long as the process");
    child
        .recv()
        .expect("the spawner answers every order")
        .unwrap_or_else(|error| panic!("cannot start {shown}: {error}"))
}

/// A port of 127.0.0.1 that nobody listens on.
///
/// Taken from below those that the kernel gives to outgoing connections: while a server is down, such a connection
/// could take the port that it is to come back to.
pub(super) fn free_port() -> u16 {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(random()));
    for _ in 0..COUNT {
        let port = FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port of 127.0.0.1 is free from {FIRST} to {}", FIRST + COUNT);
}

/// Several test binaries may run at once: each begins elsewhere. The standard hasher is seeded at random.
fn random() -> u16 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    u16::try_from(RandomState::new().build_hasher().finish() >> 48).expect("16 bits are left")
}
