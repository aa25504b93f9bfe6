//! Bodies that are sent while they are written.

use std::io;

use axum::body::Body;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Pieces that wait for a slow client.
const PIECES_AHEAD: usize = 4;

/// A body of what this writes, piece by piece. One that fails is broken off, so that nobody takes half of it for all.
pub(crate) fn body(write: impl FnOnce(&mut Pieces) -> io::Result<()> + Send + 'static) -> Body {
    let (sender, waiting) = mpsc::channel(PIECES_AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = write(&mut Pieces(sender)) {
            tracing::debug!(%error, "a client left before its answer was written");
        }
    });
    Body::from_stream(ReceiverStream::new(waiting))
}

/// Sends what is written to the body, and waits while too much is ahead of the client.
#[derive(Debug)]
pub(crate) struct Pieces(mpsc::Sender<io::Result<Bytes>>);

impl io::Write for Pieces {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(piece)));
        sent.map(|()| piece.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
