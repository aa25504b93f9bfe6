//! This machine: where things are kept, and what its kernel allows.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use nephoscope_collector::{REFUSED, UDP_KERNEL_BUFFER};
use rustix::fs::{Access, access, statvfs};

use super::finding::Finding;
use crate::config::Config;
use crate::samples::DEAD_LETTERS;
use crate::size;

/// With less room than that stores soon refuse what comes.
const LITTLE_ROOM: u64 = 1 << 30;
/// Where Linux tells how much a process may have the kernel hold of what comes.
const RMEM_MAX: &str = "/proc/sys/net/core/rmem_max";
/// So much of the end of the dead letters is read: a letter is seldom longer.
const LAST: u64 = 64 << 10;

/// The data directory, and what it holds.
pub(super) fn data_dir(config: &Config) -> Vec<Finding> {
    let directory = &config.data_dir.value;
    let subject = format!("data_dir {}", directory.display());
    let mut findings = vec![writable(&subject, directory)];
    findings.extend(room(&subject, directory, config.samples.max_size.value));
    findings.extend(dead_letters(&directory.join(DEAD_LETTERS)));
    findings
}

/// Whether we may write in a directory, or make it. Nothing is written.
pub(super) fn writable(subject: &str, directory: &Path) -> Finding {
    let there = existing(directory);
    let may = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    match access(&there, may) {
        Ok(()) if there == directory => Finding::ok(subject, "can be written to"),
        Ok(()) => Finding::ok(subject, "is not there yet, and can be made"),
        Err(error) => Finding::problem(
            subject,
            format!("{} cannot be written to: {error}", there.display()),
            "give it to the user of the daemon, and run this as that user",
        ),
    }
}

/// The directory, or the nearest one above it that is there.
fn existing(directory: &Path) -> PathBuf {
    let absolute = std::path::absolute(directory).unwrap_or_else(|_| directory.into());
    let there = absolute.ancestors().find(|above| above.exists()).unwrap_or(Path::new("/"));
    there.into()
}

fn room(subject: &str, directory: &Path, spool: u64) -> Option<Finding> {
    let system = statvfs(existing(directory)).ok()?;
    let free = system.f_bavail.saturating_mul(system.f_frsize);
    let told = format!("{} MiB are free", free >> 20);
    Some(if free < LITTLE_ROOM {
        Finding::problem(subject, told, "make room: a store that finds none refuses what comes")
    } else if free < spool {
        let cure = format!("make room, or let [spool] `max_size` be less than {}", size::show(spool));
        Finding::warning(subject, format!("{told}, less than the spool may take"), cure)
    } else {
        Finding::ok(subject, told)
    })
}

/// What was refused for good, and why the last of it was.
fn dead_letters(file: &Path) -> Option<Finding> {
    let mut open = fs::File::open(file).ok()?;
    let length = open.metadata().ok()?.len();
    open.seek(SeekFrom::Start(length.saturating_sub(LAST))).ok()?;
    let mut end = Vec::new();
    open.take(LAST).read_to_end(&mut end).ok()?;
    let end = String::from_utf8_lossy(&end);
    let last = end.lines().next_back()?;
    let letter: serde_json::Value = serde_json::from_str(last).unwrap_or_default();
    let why = &letter[REFUSED];
    let text = |key: &str| why[key].as_str().unwrap_or("somebody").to_owned();
    Some(Finding::warning(
        file.display().to_string(),
        format!(
            "{length} bytes of samples and events were refused; the last by {}: {}",
            text("by"),
            text("reason")
        ),
        "mend the reason, send what matters once more, and move the file away",
    ))
}

/// What the kernel holds of datagrams while the daemon is busy.
pub(super) fn datagrams(subject: &str) -> Option<Finding> {
    let most: usize = fs::read_to_string(RMEM_MAX).ok()?.trim().parse().ok()?;
    (most < UDP_KERNEL_BUFFER).then(|| {
        Finding::warning(
            subject,
            format!("the kernel holds {} KiB of datagrams at most, and loses what comes beyond", most >> 10),
            format!("let it hold more: sysctl net.core.rmem_max={UDP_KERNEL_BUFFER}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_looked_at_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(writable("d", directory.path()), Finding::ok("d", "can be written to"));
        let missing = directory.path().join("a/b");
        assert_eq!(writable("d", &missing), Finding::ok("d", "is not there yet, and can be made"));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(writable("d", &file).to_string().starts_with("problem "), "a file is no directory");
    }

    #[test]
    fn room_is_told_by_what_the_spool_may_take() {
        let directory = tempfile::tempdir().unwrap();
        let told = |spool| room("d", directory.path(), spool).unwrap().to_string();
        assert!(told(0).starts_with("ok "), "{}", told(0));
        assert!(told(u64::MAX).contains("less than the spool may take"), "{}", told(u64::MAX));
    }

    #[test]
    fn the_last_dead_letter_says_why() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("dead");
        assert_eq!(dead_letters(&file), None);
        fs::write(
            &file,
            format!(
                "{}\n{{\"{REFUSED}\": {{\"by\": \"udp\", \"reason\": \"it is wet\"}}}}\n",
                "x".repeat(70_000)
            ),
        )
        .unwrap();
        let told = dead_letters(&file).unwrap().to_string();
        assert!(told.contains("the last by udp: it is wet"), "{told}");
        fs::write(&file, "not JSON").unwrap();
        assert!(dead_letters(&file).is_some());
    }
}
