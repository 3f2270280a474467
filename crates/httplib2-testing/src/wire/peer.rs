//! The server's side of a wire.

use std::{future::Future, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    time::timeout,
};

/// The server's end of one connection. Dropping it closes the connection.
#[derive(Debug)]
pub struct Peer {
    number: usize,
    stream: DuplexStream,
    /// What was read and not yet asked for.
    buffer: BytesMut,
}

/// A request as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// Request line and fields, with the empty line that ends them.
    pub head: String,
    /// The body, without its framing.
    pub body: Bytes,
}

/// The longest that a peer waits for its client, by tokio's clock.
const PATIENCE: Duration = Duration::from_secs(60);

// === impl Peer ===

impl Peer {
    pub(super) fn new(number: usize, stream: DuplexStream) -> Self {
        Self { number, stream, buffer: BytesMut::new() }
    }

    /// The number of this connection. The first one is 0.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Reads the next request, its body by `Transfer-Encoding: chunked` or `Content-Length`.
    ///
    /// `None` when the client has closed the connection, or sends nothing more for 60 seconds.
    ///
    /// # Panics
    ///
    /// When what comes is not HTTP/1.1.
    pub async fn request(&mut self) -> Option<Request> {
        let head = self.head().await?;
        let body = self.body(&head).await?;
        Some(Request { head, body })
    }

    /// Reads the head of the next request and leaves its body, for a server that answers before it reads.
    /// The body of the head that came last is read by [`body`](Self::body).
    ///
    /// `None` as for [`request`](Self::request).
    ///
    /// # Panics
    ///
    /// When the head is not text.
    pub async fn head(&mut self) -> Option<String> {
        let head = self.through(b"\r\n\r\n").await?;
        Some(text(head))
    }

    /// Reads the body that belongs to `head`.
    ///
    /// `None` as for [`request`](Self::request).
    ///
    /// # Panics
    ///
    /// When its framing is not that of HTTP/1.1.
    pub async fn body(&mut self, head: &str) -> Option<Bytes> {
        if field(head, "transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.chunks().await;
        }
        let length = field(head, "content-length").map_or(0, |length| length.parse().expect("a length in digits"));
        self.exactly(length).await
    }

    /// Sends these bytes. Whether the client still listens is of no concern.
    pub async fn send(&mut self, data: impl AsRef<[u8]>) {
        drop(in_time(self.stream.write_all(data.as_ref())).await);
    }

    /// Closes the connection, as dropping it does.
    pub fn close(self) {
        drop(self);
    }

    async fn chunks(&mut self) -> Option<Bytes> {
        let mut body = BytesMut::new();
        loop {
            let line = text(self.through(b"\r\n").await?);
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).expect("the size of a chunk in hexadecimal");
            if size == 0 {
                break;
            }
            body.extend_from_slice(&self.exactly(size).await?);
            assert_eq!(self.exactly(2).await?, "\r\n", "a chunk ends with its line");
        }
        while self.through(b"\r\n").await? != "\r\n" {}
        Some(body.freeze())
    }

    /// What comes up to this mark, the mark included.
    async fn through(&mut self, mark: &[u8]) -> Option<Bytes> {
        loop {
            if let Some(at) = self.buffer.windows(mark.len()).position(|window| window == mark) {
                return Some(self.buffer.split_to(at + mark.len()).freeze());
            }
            self.more().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> Option<Bytes> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Some(self.buffer.split_to(length).freeze())
    }

    async fn more(&mut self) -> Option<()> {
        let read = in_time(self.stream.read_buf(&mut self.buffer)).await?;
        (read.ok()? > 0).then_some(())
    }
}

async fn in_time<F: Future>(future: F) -> Option<F::Output> {
    timeout(PATIENCE, future).await.ok()
}

fn text(data: Bytes) -> String {
    String::from_utf8(data.into()).expect("heads and sizes are text")
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
