//! What a request carries.

mod file;
mod read;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    io::{self, Read},
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use httplib2_core::{
    body::{ReplayBody, Resend},
    error::BoxError,
};

use self::{file::FileReader, read::ReadBody};

/// The body of a request.
///
/// A redirect, a retry or an answer to a challenge may need to send it again. Which bodies allow that:
///
/// | made by | can be sent again | `Content-Length` |
/// |---|---|---|
/// | [`empty`](Self::empty), `Default` | yes | 0 where the method calls for one |
/// | `From` bytes and text | yes | yes |
/// | [`file`](Self::file) | yes, the file is opened anew | yes |
/// | [`factory`](Self::factory) | yes, it is made anew | as the made body says |
/// | [`reader`](Self::reader), [`chunks`](Self::chunks), [`stream`](Self::stream) | no | no: chunked |
/// | [`wrap`](Self::wrap) | no | as the wrapped body says |
/// | [`recorded`](Self::recorded) | yes, up to the limit | as before |
///
/// Text is sent as UTF-8. No `Content-Type` is added.
#[derive(Default)]
pub struct Body {
    content: Content,
}

type Boxed = Pin<Box<dyn HttpBody<Data = Bytes, Error = BoxError> + Send + 'static>>;

#[derive(Default)]
enum Content {
    #[default]
    Empty,
    Bytes(Bytes),
    /// Cannot be sent again.
    Once(Boxed),
    // In boxes, because every layer moves and copies a body that mostly is empty.
    Made(Box<Made>),
    Recorded(Box<ReplayBody<Body>>),
}

/// Is made anew for each send, when its first frame is asked for.
struct Made {
    make: Arc<dyn Fn() -> Body + Send + Sync>,
    size: SizeHint,
    body: Option<Body>,
}

/// A body whose frames a function gives.
struct FromFn<F>(F);

// === impl Body ===

impl Body {
    /// No body at all.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// A file, read in pieces of 64 KiB while it is sent, and opened anew for each further send.
    ///
    /// Its length is taken now and sent as `Content-Length`; a file that turns out shorter later is an error
    /// of the send, what it has grown by is not sent.
    ///
    /// # Errors
    ///
    /// Those of opening the file.
    pub fn file(path: impl AsRef<Path>) -> io::Result<Self> {
        let reader = FileReader::of(path.as_ref())?;
        Ok(Self::factory(move || Self::once(ReadBody::sized(reader.anew(), reader.length()))))
    }

    /// A blocking reader, read in pieces of 64 KiB on a thread of the runtime's blocking pool.
    pub fn reader(reader: impl Read + Send + 'static) -> Self {
        Self::once(ReadBody::new(reader))
    }

    /// The chunks of an iterator, sent in pieces as they are. It must not block.
    pub fn chunks<I>(chunks: I) -> Self
    where
        I: IntoIterator<Item: Into<Bytes>, IntoIter: Send + 'static>,
    {
        let mut chunks = chunks.into_iter();
        Self::once(FromFn(move |_: &mut Context<'_>| Poll::Ready(chunks.next().map(|chunk| Ok(chunk.into())))))
    }

    /// The chunks of a stream, sent in pieces as they arrive.
    pub fn stream<S, D, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<D, E>> + Send + 'static,
        D: Into<Bytes>,
        E: Into<BoxError>,
    {
        let mut stream = Box::pin(stream);
        Self::once(FromFn(move |cx: &mut Context<'_>| {
            stream.as_mut().poll_next(cx).map(|item| item.map(|chunk| chunk.map(Into::into).map_err(Into::into)))
        }))
    }

    /// Any other body, trailers included.
    pub fn wrap<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        if body.is_end_stream() { Self::empty() } else { Self::once(body) }
    }

    /// A function that makes the body, and makes it again for each further send.
    pub fn factory(make: impl Fn() -> Self + Send + Sync + 'static) -> Self {
        let first = make();
        let size = first.size_hint();
        Made { make: Arc::new(make), size, body: Some(first) }.into()
    }

    /// Records the body while it is sent, so that it can be sent again as long as it has at most `limit`
    /// bytes. A frame counts as its length and 64 bytes.
    #[must_use]
    pub fn recorded(self, limit: usize) -> Self {
        match self.content {
            Content::Once(_) => Self { content: Content::Recorded(Box::new(ReplayBody::new(self, limit))) },
            _ => self,
        }
    }

    fn once<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self { content: Content::Once(Box::pin(body.map_err(Into::into))) }
    }
}

impl From<Made> for Body {
    fn from(made: Made) -> Self {
        Self { content: Content::Made(Box::new(made)) }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        let content = if bytes.is_empty() { Content::Empty } else { Content::Bytes(bytes) };
        Self { content }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<()> for Body {
    fn from((): ()) -> Self {
        Self::empty()
    }
}

impl Resend for Body {
    fn try_clone(&self) -> Option<Self> {
        let content = match &self.content {
            Content::Empty => Content::Empty,
            Content::Bytes(bytes) => Content::Bytes(bytes.clone()),
            Content::Once(_) => return None,
            Content::Made(made) => return Some(made.anew().into()),
            Content::Recorded(recorded) => Content::Recorded(Box::new(recorded.try_clone()?)),
        };
        Some(Self { content })
    }

    fn is_whole(&self) -> bool {
        match &self.content {
            Content::Recorded(recorded) => recorded.is_whole(),
            _ => true,
        }
    }

    fn claim(&self) -> bool {
        match &self.content {
            Content::Recorded(recorded) => recorded.claim(),
            _ => true,
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        match &mut this.content {
            Content::Empty => Poll::Ready(None),
            Content::Bytes(_) => match std::mem::take(&mut this.content) {
                Content::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                _ => Poll::Ready(None),
            },
            Content::Once(body) => body.as_mut().poll_frame(cx),
            Content::Made(made) => Pin::new(made.body()).poll_frame(cx),
            Content::Recorded(recorded) => Pin::new(&mut **recorded).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Empty => true,
            Content::Bytes(_) => false,
            Content::Once(body) => body.is_end_stream(),
            Content::Made(made) => {
                made.body.as_ref().map_or_else(|| made.size.exact() == Some(0), |body| body.is_end_stream())
            }
            Content::Recorded(recorded) => recorded.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Empty => SizeHint::with_exact(0),
            Content::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Once(body) => body.size_hint(),
            Content::Made(made) => made.body.as_ref().map_or(made.size, |body| body.size_hint()),
            Content::Recorded(recorded) => recorded.size_hint(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.content {
            Content::Empty => "empty",
            Content::Bytes(_) => "bytes",
            Content::Once(_) => "once",
            Content::Made(_) => "made anew",
            Content::Recorded(_) => "recorded",
        };
        write!(f, "Body({kind})")
    }
}

// === impl Made ===

impl Made {
    fn anew(&self) -> Self {
        Self { make: Arc::clone(&self.make), size: self.size, body: None }
    }

    fn body(&mut self) -> &mut Body {
        self.body.get_or_insert_with(|| (self.make)())
    }
}

// === impl FromFn ===

/// The function is only called, never pinned.
impl<F> Unpin for FromFn<F> {}

impl<F> HttpBody for FromFn<F>
where
    F: FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        (self.get_mut().0)(cx).map(|item| item.map(|data| data.map(Frame::data)))
    }
}
