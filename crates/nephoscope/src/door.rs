//! The door of a running daemon for commands on its machine: a Unix socket in the directory of its store.
//!
//! Whoever may write to that directory may use it: the daemon's user and root. A connection carries one request, the path
//! of a directory to back up to, until the end of what is written; the answer is `done`, or what went wrong.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use nephoscope_store::Store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// The name of the socket.
const NAME: &str = "door";
/// How long a request may be: no system knows longer paths.
const LONGEST_PATH: u64 = 4096;
/// How long a request may take to come: it is on this machine.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is answered when all went well.
const DONE: &str = "done";

/// The daemon's side.
#[derive(Debug)]
pub struct Door {
    listener: UnixListener,
    store: Store,
}

impl Door {
    /// Opens the door of a store in its directory, in place of one that an earlier daemon left behind.
    pub fn open(directory: &Path, store: Store) -> io::Result<Self> {
        let path = directory.join(NAME);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self { listener: UnixListener::bind(&path)?, store })
    }

    /// Answers, one after the other.
    pub async fn answer(self) {
        loop {
            let done = match self.listener.accept().await {
                Ok((connection, _)) => self.answer_one(connection).await,
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                tracing::warn!("a backup was asked for in a way that is not understood: {error}");
            }
        }
    }

    async fn answer_one(&self, mut connection: UnixStream) -> io::Result<()> {
        let mut path = Vec::new();
        let mut request = (&mut connection).take(LONGEST_PATH);
        tokio::time::timeout(PATIENCE, request.read_to_end(&mut path)).await??;
        let path = PathBuf::from(OsString::from_vec(path));
        let answer = match self.store.backup(&path).await {
            Ok(()) => {
                tracing::info!("the store of metrics was copied to {}", path.display());
                DONE.to_owned()
            }
            Err(error) => {
                let error = anyhow::Error::new(error);
                tracing::warn!("the store of metrics cannot be copied to {}: {error:#}", path.display());
                format!("{error:#}")
            }
        };
        connection.write_all(answer.as_bytes()).await
    }
}

/// Has the daemon that has a store open copy it to a directory. Nothing where no daemon has it open.
pub(crate) async fn ask_for_backup(directory: &Path, to: &Path) -> anyhow::Result<Option<()>> {
    use io::ErrorKind as K;
    let mut connection = match UnixStream::connect(directory.join(NAME)).await {
        Ok(connection) => connection,
        // The last: where the path is too long for a socket, there is none.
        Err(error) if matches!(error.kind(), K::NotFound | K::ConnectionRefused | K::InvalidInput) => {
            return Ok(None);
        }
        Err(error) => return Err(error).context("cannot ask the daemon that has the store open"),
    };
    let to = std::path::absolute(to).context("the directory has no absolute path")?;
    let mut answer = String::new();
    let asked = async {
        connection.write_all(to.as_os_str().as_bytes()).await?;
        connection.shutdown().await?;
        connection.read_to_string(&mut answer).await
    };
    asked.await.context("the daemon that has the store open went away")?;
    match answer.as_str() {
        DONE => Ok(Some(())),
        "" => Err(anyhow!("the daemon that has the store open ended before the copy was complete")),
        _ => Err(anyhow!("the daemon answers: {answer}")),
    }
}
