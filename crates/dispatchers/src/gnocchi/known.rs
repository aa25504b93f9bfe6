//! What Gnocchi is known to know of resources, so that it is told only what is new.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

/// How many resources are remembered. More cost memory; when there are more, all are forgotten, and told once more.
const MOST: usize = 2_000_000;
/// A resource, what is known of it, and a checksum of the two.
const RECORD: usize = 16 + 16 + 8;

/// Fingerprints of what Gnocchi was told, by resource. Kept in a file, over restarts.
///
/// What is in the file was told; should some of it be lost, it is told again.
#[derive(Debug)]
pub(super) struct Known {
    path: PathBuf,
    fingerprints: HashMap<u128, u128>,
    /// Records to be kept.
    fresh: Vec<u8>,
    /// How many are in the file, those included that others have replaced.
    in_file: usize,
}

impl Known {
    /// Reads the file. One that is not there, or that cannot be read, remembers nothing.
    pub(super) fn open(path: &Path) -> Self {
        let content = match fs::read(path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::warn!("{}: {error}; Gnocchi is told once more what it may know", path.display());
                Vec::new()
            }
        };
        let fingerprints: HashMap<_, _> = content.chunks_exact(RECORD).filter_map(read).collect();
        let in_file = content.len().div_ceil(RECORD);
        Self { path: path.to_owned(), fingerprints, fresh: Vec::new(), in_file }
    }

    pub(super) fn of(&self, resource: u128) -> Option<u128> {
        self.fingerprints.get(&resource).copied()
    }

    pub(super) fn learn(&mut self, resource: u128, fingerprint: u128) {
        if self.fingerprints.len() >= MOST && !self.fingerprints.contains_key(&resource) {
            self.fingerprints.clear();
        }
        if self.fingerprints.insert(resource, fingerprint) != Some(fingerprint) {
            write(&mut self.fresh, resource, fingerprint);
        }
    }

    /// Nothing is known of a resource any more.
    pub(super) fn forget(&mut self, resource: u128) {
        if self.fingerprints.remove(&resource).is_some() {
            // No attributes have this fingerprint.
            write(&mut self.fresh, resource, 0);
        }
    }

    /// Writes what was learned to the file.
    pub(super) fn keep(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        let fresh = std::mem::take(&mut self.fresh);
        let more = fresh.len() / RECORD;
        let kept = if self.in_file + more > 2 * self.fingerprints.len() + 1000 {
            self.in_file = self.fingerprints.len();
            self.rewrite()
        } else {
            self.in_file += more;
            self.append(&fresh)
        };
        if let Err(error) = kept {
            let path = self.path.display();
            tracing::warn!("{path}: {error}; after a restart Gnocchi is told once more what it knows");
        }
    }

    fn append(&self, records: &[u8]) -> io::Result<()> {
        OpenOptions::new().create(true).append(true).open(&self.path)?.write_all(records)
    }

    fn rewrite(&self) -> io::Result<()> {
        let mut records = Vec::with_capacity(self.fingerprints.len() * RECORD);
        for (resource, fingerprint) in &self.fingerprints {
            write(&mut records, *resource, *fingerprint);
        }
        let unfinished = self.path.with_extension("tmp");
        let mut file = File::create(&unfinished)?;
        file.write_all(&records)?;
        file.sync_all()?;
        fs::rename(&unfinished, &self.path)
    }
}

fn write(out: &mut Vec<u8>, resource: u128, fingerprint: u128) {
    let start = out.len();
    out.extend(resource.to_le_bytes());
    out.extend(fingerprint.to_le_bytes());
    let check = xxh3_64(&out[start..]);
    out.extend(check.to_le_bytes());
}

fn read(record: &[u8]) -> Option<(u128, u128)> {
    let (numbers, check) = record.split_at_checked(32)?;
    if check != xxh3_64(numbers).to_le_bytes() {
        return None;
    }
    let number = |bytes: &[u8]| bytes.try_into().ok().map(u128::from_le_bytes);
    Some((number(&numbers[..16])?, number(&numbers[16..])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_is_known_after_a_restart_and_damage_costs_itself() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known");
        let mut known = Known::open(&path);
        for number in 0..10 {
            known.learn(number, number + 100);
        }
        known.keep();
        known.learn(3, 7);
        known.forget(4);
        known.keep();
        let known = Known::open(&path);
        assert_eq!((known.of(2), known.of(3)), (Some(102), Some(7)));
        assert_ne!(known.of(4), Some(104));
        let mut content = fs::read(&path).unwrap();
        content[RECORD * 2 + 20] ^= 1;
        content.truncate(content.len() - 1);
        fs::write(&path, content).unwrap();
        let damaged = Known::open(&path);
        assert_eq!((damaged.of(1), damaged.of(2), damaged.of(3)), (Some(101), None, Some(7)));
    }

    #[test]
    fn the_file_does_not_grow_with_changes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known");
        let mut known = Known::open(&path);
        for fingerprint in 1..10_000 {
            known.learn(1, fingerprint);
            known.keep();
        }
        assert!(fs::metadata(&path).unwrap().len() < 2000 * RECORD as u64);
        assert_eq!(Known::open(&path).of(1), Some(9_999));
    }
}
