//! A blocking reader as a body.

use std::{
    io::{self, Read},
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

/// Reads on the runtime's blocking pool, one piece at a time, each only when it is asked for.
pub(super) struct ReadBody<R> {
    state: State<R>,
    /// How much is still to come, where that is known.
    left: Option<u64>,
}

enum State<R> {
    Idle(R),
    Reading(JoinHandle<(R, io::Result<Bytes>)>),
    Done,
}

const PIECE: usize = 64 * 1024;

// === impl ReadBody ===

impl<R> ReadBody<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { state: State::Idle(reader), left: None }
    }

    /// A reader that gives exactly `length` bytes.
    pub(super) fn sized(reader: R, length: u64) -> Self {
        Self { left: Some(length), ..Self::new(reader) }
    }
}

/// The reader is only moved, never pinned.
impl<R> Unpin for ReadBody<R> {}

impl<R: Read + Send + 'static> Body for ReadBody<R> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let mut reading = match mem::replace(&mut this.state, State::Done) {
            State::Idle(reader) => spawn_blocking(move || read_piece(reader)),
            State::Reading(reading) => reading,
            State::Done => return Poll::Ready(None),
        };
        let Poll::Ready(read) = Pin::new(&mut reading).poll(cx) else {
            this.state = State::Reading(reading);
            return Poll::Pending;
        };
        let (reader, piece) = read.map_err(|_| io::Error::other("the reader of the request body panicked"))?;
        let piece = piece?;
        if piece.is_empty() {
            return Poll::Ready(None);
        }
        this.state = State::Idle(reader);
        this.left = this.left.map(|left| left.saturating_sub(piece.len() as u64));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map(SizeHint::with_exact).unwrap_or_default()
    }
}

fn read_piece<R: Read>(mut reader: R) -> (R, io::Result<Bytes>) {
    let mut piece = vec![0; PIECE];
    let read = loop {
        match reader.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    let piece = read.map(|length| {
        piece.truncate(length);
        Bytes::from(piece)
    });
    (reader, piece)
}
