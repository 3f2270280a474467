//! A service whose answer is compressed, and the decoders without any service.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    io,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header::CONTENT_ENCODING};
use http_body_util::Full;
use tower::Service;

use super::{Answer, Client, Target};
use crate::BoxError;

/// Answers at once with the same coded content.
#[derive(Clone, Debug)]
pub struct Coded {
    /// The content coding.
    pub coding: &'static str,
    /// The coded content.
    pub content: Bytes,
}

/// Decodes into one buffer whose size it knows: nothing can be faster with this decoder.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// The coded content.
    pub content: Bytes,
    /// Decodes to as many bytes.
    pub decode: fn(&[u8], usize) -> io::Result<Vec<u8>>,
    /// How many that are.
    pub length: usize,
}

// === impl Coded ===

impl<B> Service<Request<B>> for Coded {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let mut response = Response::new(Full::new(self.content.clone()));
        response.headers_mut().insert(CONTENT_ENCODING, http::HeaderValue::from_static(self.coding));
        ready(Ok(response))
    }
}

// === impl Decoder ===

impl Client for Decoder {
    async fn get(&self, _: &Target) -> Result<Answer, BoxError> {
        Ok((StatusCode::OK, (self.decode)(&self.content, self.length)?.into()))
    }
}
