//! Connections that are pipes.

use std::{
    future::{Ready, ready},
    io,
    pin::Pin,
    task::{Context, Poll},
};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use tokio::{io::DuplexStream, sync::mpsc};
use tower::Service;

/// A connector whose connections are pipes; their other ends go to the test.
#[derive(Clone)]
pub struct Pipes {
    ends: mpsc::UnboundedSender<DuplexStream>,
    http2: bool,
}

pub struct Pipe {
    stream: TokioIo<DuplexStream>,
    http2: bool,
}

impl Pipes {
    pub fn http1(ends: mpsc::UnboundedSender<DuplexStream>) -> Self {
        Self { ends, http2: false }
    }

    pub fn http2(ends: mpsc::UnboundedSender<DuplexStream>) -> Self {
        Self { ends, http2: true }
    }
}

impl Service<Uri> for Pipes {
    type Response = Pipe;
    type Error = io::Error;
    type Future = Ready<io::Result<Pipe>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let sent = self.ends.send(theirs).map_err(|_| io::ErrorKind::ConnectionRefused.into());
        let http2 = self.http2;
        ready(sent.map(|()| Pipe { stream: TokioIo::new(ours), http2 }))
    }
}

impl Connection for Pipe {
    fn connected(&self) -> Connected {
        if self.http2 { Connected::new().negotiated_h2() } else { Connected::new() }
    }
}

impl Read for Pipe {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
