//! The content of a response, streamed or collected.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use httplib2_core::error::BoxError;

use crate::{Error, ErrorKind};

/// The body of a response, frame by frame as it arrives.
///
/// It ends whole or with an error: a connection that breaks off is never taken for the end. Dropping it
/// gives up the rest.
pub struct ResponseBody {
    inner: UnsyncBoxBody<Bytes, BoxError>,
    uri: Uri,
}

/// So much is reserved at once for content that says it is long; more comes as it arrives.
const MAX_RESERVED: u64 = 8 * 1024 * 1024;

// === impl ResponseBody ===

impl ResponseBody {
    pub(crate) fn new(inner: UnsyncBoxBody<Bytes, BoxError>, uri: Uri) -> Self {
        Self { inner, uri }
    }

    /// The next piece of data; `None` at the end. Trailers are passed over.
    ///
    /// # Errors
    ///
    /// Of the kinds [`ErrorKind::Receive`] and [`ErrorKind::Timeout`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(frame) = self.frame().await {
            if let Ok(data) = frame?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// Reads the body to its end, trailers included.
    ///
    /// # Errors
    ///
    /// As [`chunk`](Self::chunk), and [`ErrorKind::ContentTooLong`] beyond `limit` bytes.
    pub async fn collect(mut self, limit: u64) -> Result<(Bytes, Option<HeaderMap>), Error> {
        if self.size_hint().lower() > limit {
            return Err(self.too_long());
        }
        let mut collected = Collected::default();
        let mut trailers = None;
        while let Some(frame) = self.frame().await {
            match frame?.into_data() {
                Ok(data) if data.len() as u64 > limit - collected.len() => return Err(self.too_long()),
                Ok(data) => collected.push(data, self.size_hint().lower()),
                Err(frame) => trailers = frame.into_trailers().ok().or(trailers),
            }
        }
        Ok((collected.into_bytes(), trailers))
    }

    fn too_long(&self) -> Error {
        Error::new(ErrorKind::ContentTooLong, Some(&self.uri), None)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map_err(|error| Error::from_cause(&self.uri, error))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseBody({:?})", self.size_hint())
    }
}

/// One piece is handed on as it is; several are put together.
#[derive(Default)]
enum Collected {
    #[default]
    Nothing,
    One(Bytes),
    Several(BytesMut),
}

// === impl Collected ===

impl Collected {
    fn len(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::One(bytes) => bytes.len() as u64,
            Self::Several(bytes) => bytes.len() as u64,
        }
    }

    fn push(&mut self, data: Bytes, still_to_come: u64) {
        match self {
            Self::Nothing => *self = Self::One(data),
            Self::One(first) => {
                let known = (first.len() + data.len()) as u64 + still_to_come;
                let mut several = BytesMut::with_capacity(known.min(MAX_RESERVED) as usize);
                several.extend_from_slice(first);
                several.extend_from_slice(&data);
                *self = Self::Several(several);
            }
            Self::Several(several) => several.extend_from_slice(&data),
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(bytes) => bytes,
            Self::Several(bytes) => bytes.freeze(),
        }
    }
}
