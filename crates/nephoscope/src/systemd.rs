//! What the service manager is told: that the daemon is ready, that it works, that it ends.
//!
//! Source: `sd_notify(3)` and `sd_watchdog_enabled(3)` of systemd. Any manager that sets `NOTIFY_SOCKET` is told, and none
//! where there is no such variable.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// How often the status is told where no watchdog asks for a sign more often.
const PAUSE: Duration = Duration::from_secs(15);

/// Whom to tell.
#[derive(Debug)]
pub(crate) struct Notifier {
    socket: Option<UnixDatagram>,
    pause: Duration,
}

impl Notifier {
    /// Whom the environment names.
    pub(crate) fn from_environment() -> Self {
        let manager = env::var_os("NOTIFY_SOCKET");
        let text = |name| env::var(name).ok();
        let pause = pause(text("WATCHDOG_USEC"), text("WATCHDOG_PID"), std::process::id());
        let socket = manager.and_then(|address| {
            connect(&address)
                .inspect_err(|error| tracing::warn!("the service manager cannot be told anything: {error}"))
                .ok()
        });
        Self { socket, pause }
    }

    /// Who listens at an address.
    #[cfg(test)]
    pub(crate) fn at(address: &OsStr, pause: Duration) -> Self {
        Self { socket: Some(connect(address).unwrap()), pause }
    }

    /// Whether there is anybody.
    pub(crate) fn is_heard(&self) -> bool {
        self.socket.is_some()
    }

    /// How long to wait between two signs that the daemon works.
    pub(crate) fn pause(&self) -> Duration {
        self.pause
    }

    /// Everything is open, and this is how it stands.
    pub(crate) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// Work goes on, and this is how it stands.
    pub(crate) fn works(&self, status: &str) {
        self.tell(&format!("WATCHDOG=1\nSTATUS={status}"));
    }

    /// Work does not go on, for this reason.
    pub(crate) fn stands_still(&self, reason: &str) {
        self.tell(&format!("STATUS={reason}"));
    }

    /// The end began.
    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=ending what is in hand");
    }

    fn tell(&self, state: &str) {
        if let Some(Err(error)) = self.socket.as_ref().map(|socket| socket.send(state.as_bytes())) {
            tracing::debug!("the service manager was not told: {error}");
        }
    }
}

/// A socket to an address of `sd_notify(3)`: a path, or an abstract name behind an `@`.
fn connect(address: &OsStr) -> io::Result<UnixDatagram> {
    let address = match address.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        [b'/', ..] => SocketAddr::from_pathname(address)?,
        _ => {
            let problem = "NOTIFY_SOCKET is neither a path nor an abstract socket";
            return Err(io::Error::new(io::ErrorKind::Unsupported, problem));
        }
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    // Who does not read what it asked for holds nobody up.
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Half the time that a watchdog waits, as `sd_watchdog_enabled(3)` wants it, if it means this process.
fn pause(micros: Option<String>, process: Option<String>, own: u32) -> Duration {
    let is_meant = process.is_none_or(|process| process.parse() == Ok(own));
    let micros =
        micros.filter(|_| is_meant).and_then(|micros| micros.parse().ok()).filter(|micros| *micros > 0);
    micros.map_or(PAUSE, |micros| Duration::from_micros(micros).div_f64(2.0)).min(PAUSE)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn told(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn a_manager_is_told_at_a_path_and_at_an_abstract_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let at_path = UnixDatagram::bind(&path).unwrap();
        let name = format!("nephoscope-test-{}", std::process::id());
        let at_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        for (manager, address) in
            [(at_path, path.into_os_string()), (at_name, OsString::from(format!("@{name}")))]
        {
            let notifier = Notifier::at(&address, PAUSE);
            notifier.ready("here");
            notifier.works("well");
            notifier.stands_still("a part is gone");
            notifier.stopping();
            let all: Vec<_> = (0..4).map(|_| told(&manager)).collect();
            assert_eq!(
                all,
                [
                    "READY=1\nSTATUS=here",
                    "WATCHDOG=1\nSTATUS=well",
                    "STATUS=a part is gone",
                    "STOPPING=1\nSTATUS=ending what is in hand"
                ]
            );
        }
    }

    #[test]
    fn who_is_not_there_or_does_not_read_holds_nobody_up() {
        for address in ["vsock:2:1234", "relative", "/nowhere/notify"] {
            assert!(connect(OsStr::new(address)).is_err(), "{address}");
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::at(path.as_os_str(), PAUSE);
        for _ in 0..10_000 {
            notifier.works("still");
        }
        drop(manager);
        notifier.stopping();
    }

    #[test]
    fn signs_come_twice_as_often_as_the_watchdog_wants_them() {
        let pause = |micros: &str, process: &str| pause(Some(micros.into()), Some(process.into()), 7);
        assert_eq!(pause("2000000", "7"), Duration::from_secs(1));
        assert_eq!(pause("2000000", "8"), PAUSE);
        assert_eq!(pause("0", "7"), PAUSE);
        assert_eq!(pause("often", "7"), PAUSE);
        assert_eq!(pause("3600000000", "7"), PAUSE);
        assert_eq!(super::pause(Some("2000000".into()), None, 7), Duration::from_secs(1));
    }
}
