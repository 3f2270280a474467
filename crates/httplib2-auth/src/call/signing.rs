//! Signing one send.

use std::{pin::pin, sync::Arc};

use bytes::Buf;
use http::{HeaderMap, HeaderValue, Request};
use http_body::Body;
use http_body_util::BodyExt;
use httplib2_core::{body::Resend, error::BoxError};

use super::{Call, Signed};
use crate::{ContentDigest, SignError, Signer, Unsigned};

/// Why a send was not signed.
pub(super) enum NotSigned {
    /// The body cannot be read and then sent.
    BodyGone,
    /// It would say just what was refused already.
    Repeats,
    Failed(SignError),
}

impl<B> Call<B>
where
    B: Body<Error: Into<BoxError>, Data: Send> + Resend + Send,
{
    /// Signs the request that goes out first, if somebody is known who can. Otherwise it goes out as it is.
    pub(crate) async fn sign_first(&mut self, request: &mut Request<B>) -> Option<Signed> {
        let learnt = Arc::clone(self.first.as_ref()?);
        let content = match learnt.signer.content_digest() {
            None => None,
            Some(digest) => Some(self.digest_first(digest, request.body_mut()).await?),
        };
        match self.sign(&*learnt.signer, request.headers_mut(), content.as_deref()) {
            Ok(value) => Some(Signed { learnt, value, seat: None, is_new: false }),
            Err(_) => {
                // The signer may have set other fields before it failed.
                request.headers_mut().clone_from(&self.head.headers);
                None
            }
        }
    }

    /// Signs the request that is sent in place of one that was challenged. The spare is its body.
    pub(super) async fn sign_again(&mut self, signer: &dyn Signer) -> Result<(HeaderMap, HeaderValue), NotSigned> {
        let content = match signer.content_digest() {
            None => None,
            Some(digest) => Some(self.digest_spare(digest).await.ok_or(NotSigned::BodyGone)?),
        };
        let mut headers = self.head.headers.clone();
        let value = self.sign(signer, &mut headers, content.as_deref()).map_err(NotSigned::Failed)?;
        Ok((headers, value))
    }

    fn sign(
        &self,
        signer: &dyn Signer,
        headers: &mut HeaderMap,
        content: Option<&[u8]>,
    ) -> Result<HeaderValue, SignError> {
        let mut unsigned = Unsigned { method: &self.head.method, uri: &self.head.uri, headers, content };
        let mut value = signer.sign(&mut unsigned)?;
        value.set_sensitive(true);
        headers.insert(self.rules().side.authorization(), value.clone());
        Ok(value)
    }

    /// The digest of a body that has not been sent yet.
    ///
    /// Only a body that lies in memory is read beforehand. One that arrives while it is sent shares its source with all its
    /// copies: to wait for its end would hold up the request, and to run over the limit of its recording would lose it.
    /// Such a request goes out unsigned, and is signed once it was challenged.
    async fn digest_first(&mut self, digest: Box<dyn ContentDigest>, body: &mut B) -> Option<Vec<u8>> {
        if !self.has_content {
            return Some(digest.finish());
        }
        let spare = self.body.as_ref()?;
        let reader = spare.try_clone()?;
        let shares_source = !reader.claim() || !spare.is_whole();
        if shares_source {
            // By its claim the copy took the place of the one that was to be sent.
            self.body = reader.try_clone();
            *body = reader;
            return None;
        }
        feed(digest, reader).await
    }

    /// The digest of the spare, of which another one is kept.
    async fn digest_spare(&mut self, digest: Box<dyn ContentDigest>) -> Option<Vec<u8>> {
        if !self.has_content {
            return Some(digest.finish());
        }
        let reader = self.body.take().filter(Resend::claim)?;
        let spare = reader.try_clone();
        let finished = feed(digest, reader).await?;
        // Should the recording have run over its limit by now, the spare cannot be claimed for the send.
        self.body = spare;
        Some(finished)
    }

    /// Takes out the body of the next send, and keeps a spare of it.
    pub(super) fn take_body(&mut self) -> Option<B> {
        if !self.has_content {
            return Some(B::default());
        }
        let body = self.body.take().filter(Resend::claim)?;
        self.body = body.try_clone();
        Some(body)
    }
}

/// Feeds a whole body to the digest, or gives up where it breaks off.
async fn feed<B: Body>(mut digest: Box<dyn ContentDigest>, body: B) -> Option<Vec<u8>> {
    let mut body = pin!(body);
    while let Some(frame) = body.frame().await {
        if let Ok(mut data) = frame.ok()?.into_data() {
            while data.has_remaining() {
                let length = data.chunk().len();
                digest.update(data.chunk());
                data.advance(length);
            }
        }
    }
    Some(digest.finish())
}
