//! A file system in memory that fails when it is told to, and that can be looked at as the machine would find it after its
//! power was cut: what was synced is there, of the rest nobody knows.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::files::{Files, Read, Write};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The operation fails, and has done nothing.
    Fails,
    /// Half of what is appended is written, and the rest is not. Other operations fail as a whole.
    Half,
    /// From this operation on there is no room for anything more.
    Full,
    /// A bit of what is read is another one. Other operations succeed.
    FlippedBit,
}

/// What is left of what was never synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsynced {
    Lost,
    /// Of each file half, and all changes of names.
    Half,
    Kept,
}

#[derive(Debug, Default)]
struct State {
    /// By name: all files are in one directory.
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    files: Vec<File>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    is_full: bool,
}

#[derive(Clone, Debug, Default)]
struct File {
    content: Vec<u8>,
    synced: usize,
    /// A sync has failed: a later one that succeeds says nothing about what was written before.
    is_doubtful: bool,
}

/// The file system.
#[derive(Clone, Debug, Default)]
pub(super) struct Faulty(Arc<Mutex<State>>);

impl Faulty {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the operation of that number fail; they are counted from 0.
    pub(super) fn fail_at(&self, operation: u64, fault: Fault) {
        let mut state = self.state();
        state.operations = 0;
        state.fault = Some((operation, fault));
    }

    /// Has the next operation fail.
    pub(super) fn fail_now(&self, fault: Fault) {
        self.fail_at(0, fault);
    }

    /// Nothing fails any more.
    pub(super) fn heal(&self) {
        let mut state = self.state();
        state.fault = None;
        state.is_full = false;
    }

    /// How many operations there were since they were counted anew.
    pub(super) fn operations(&self) -> u64 {
        self.state().operations
    }

    /// What is found when the power comes back.
    pub(super) fn after_power_cut(&self, unsynced: Unsynced) -> Self {
        let state = self.state();
        let names = if unsynced == Unsynced::Lost { &state.synced_names } else { &state.names };
        let files = state.files.iter().map(|file| {
            let length = match unsynced {
                Unsynced::Lost => file.synced,
                Unsynced::Half => file.synced.midpoint(file.content.len()),
                Unsynced::Kept => file.content.len(),
            };
            File { content: file.content[..length].to_vec(), synced: length, is_doubtful: false }
        });
        let (names, files) = (names.clone(), files.collect());
        Self(Arc::new(Mutex::new(State { synced_names: names.clone(), names, files, ..State::default() })))
    }

    /// The names and contents of all files.
    pub(super) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        state.names.iter().map(|(name, id)| (name.clone(), state.files[*id].content.clone())).collect()
    }

    /// A file system with these files.
    pub(super) fn with(contents: &BTreeMap<String, Vec<u8>>) -> Self {
        let names: BTreeMap<_, _> = contents.keys().cloned().zip(0..).collect();
        let file =
            |content: &Vec<u8>| File { content: content.clone(), synced: content.len(), is_doubtful: false };
        let files = contents.values().map(file).collect();
        Self(Arc::new(Mutex::new(State { synced_names: names.clone(), names, files, ..State::default() })))
    }
}

impl State {
    /// Counts an operation. The fault it is to have that does not fail it at once.
    fn begin(&mut self, needs_room: bool) -> io::Result<Option<Fault>> {
        let fault = self.fault.filter(|(at, _)| *at == self.operations).map(|(_, fault)| fault);
        self.operations += 1;
        self.is_full |= fault == Some(Fault::Full);
        if self.is_full && needs_room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        match fault {
            Some(Fault::Fails) => Err(io::Error::other("told to fail")),
            fault => Ok(fault),
        }
    }

    /// The same for operations that do nothing by halves.
    fn begin_whole(&mut self, needs_room: bool) -> io::Result<()> {
        match self.begin(needs_room)? {
            Some(Fault::Half) => Err(io::Error::other("told to fail")),
            _ => Ok(()),
        }
    }

    fn id(&self, path: &Path) -> io::Result<usize> {
        self.names.get(&name(path)).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

impl Files for Faulty {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Write>> {
        let mut state = self.state();
        state.begin_whole(true)?;
        let id = match state.id(path) {
            Ok(id) => {
                state.files[id] = File::default();
                id
            }
            Err(_) => {
                state.files.push(File::default());
                state.files.len() - 1
            }
        };
        state.names.insert(name(path), id);
        drop(state);
        Ok(Box::new(Opened { files: self.clone(), id }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn Read>> {
        let mut state = self.state();
        state.begin_whole(false)?;
        let id = state.id(path)?;
        drop(state);
        Ok(Arc::new(Opened { files: self.clone(), id }))
    }

    fn list(&self, _directory: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.begin_whole(false)?;
        Ok(state.names.keys().cloned().collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.begin_whole(false)?;
        let id = state.id(from)?;
        state.names.remove(&name(from));
        state.names.insert(name(to), id);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.begin_whole(false)?;
        state.id(path)?;
        state.names.remove(&name(path));
        Ok(())
    }

    fn sync_directory(&self, _directory: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.begin_whole(false)?;
        state.synced_names = state.names.clone();
        Ok(())
    }
}

#[derive(Debug)]
struct Opened {
    files: Faulty,
    id: usize,
}

impl Write for Opened {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.files.state();
        let begun = state.begin(true);
        let is_half = matches!(begun, Ok(Some(Fault::Half)));
        // A disk that is full takes what there is room for.
        let written = match begun {
            Ok(Some(Fault::Half)) => bytes.len() / 2,
            Err(ref error) if error.kind() == io::ErrorKind::StorageFull => bytes.len() / 3,
            Ok(_) => bytes.len(),
            Err(_) => 0,
        };
        let id = self.id;
        state.files[id].content.extend(&bytes[..written]);
        begun?;
        if is_half { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.files.state();
        let begun = state.begin_whole(false);
        let file = &mut state.files[self.id];
        file.is_doubtful |= begun.is_err();
        if !file.is_doubtful {
            file.synced = file.content.len();
        }
        begun
    }
}

impl Read for Opened {
    fn length(&self) -> io::Result<u64> {
        let mut state = self.files.state();
        state.begin_whole(false)?;
        Ok(state.files[self.id].content.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut state = self.files.state();
        let fault = state.begin(false)?;
        let begin = usize::try_from(offset).map_err(io::Error::other)?;
        let found = state.files[self.id].content.get(begin..begin + buffer.len());
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        match fault {
            Some(Fault::Half) => Err(io::Error::other("told to fail")),
            Some(Fault::FlippedBit) if !buffer.is_empty() => {
                let at = usize::try_from(state.operations * 31).map_err(io::Error::other)? % buffer.len();
                buffer[at] ^= 1 << (at % 8);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
