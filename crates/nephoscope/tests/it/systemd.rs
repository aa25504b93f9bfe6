//! What the daemon tells the service manager.

use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

use crate::daemon::Daemon;
use crate::http::get;
use crate::program::{Store, nephoscope};

/// Far more than a sign takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);

fn told(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 1024];
    let length = manager.recv(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[test]
fn the_service_manager_is_told_of_the_start_of_work_and_of_the_end() {
    let store = Store::new();
    let socket = store.path("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(TIME_LIMIT)).unwrap();
    let mut daemon = Daemon::start(
        nephoscope()
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", store.path("data").to_str().unwrap()])
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "400000")
            .stdout(Stdio::null()),
    );
    let mut all = vec![told(&manager)];
    let listening = format!("READY=1\nSTATUS=listening on http://{}", daemon.address);
    while !all.contains(&listening) {
        all.push(told(&manager));
    }
    assert_eq!(get(daemon.address, "/healthcheck").status, 200);
    for _ in 0..3 {
        all.push(told(&manager));
        assert_eq!(all.last().unwrap(), "WATCHDOG=1\nSTATUS=0 samples and 0 events taken in");
    }
    daemon.terminate();
    while all.last().unwrap() != "STOPPING=1\nSTATUS=ending what is in hand" {
        all.push(told(&manager));
    }
    let (status, _) = daemon.wait();
    assert!(status.success());
    assert_eq!(all.iter().filter(|told| told.contains("READY=1")).count(), 1);
}
