//! A request that is being put together.

use std::{fmt, future::IntoFuture, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body::Body as _;
use httplib2_auth::{Credential, RequestCredentials};
use httplib2_cache::CacheMode;
use httplib2_connect::IoTimeout;
use httplib2_core::{context::Journal, error::BoxError, who::Origin};
use httplib2_decompression::Decoding;
use httplib2_lost_update::{Editor, IgnoreEtag};
use httplib2_redirect::{Follow, Fragment, MaxRedirects};
use httplib2_retry::{MaxTries, Repeatable};
use httplib2_syntax::uri;

use crate::{Body, Error, ErrorKind, Http, Response, ResponseBody, deadline::Deadline, response::RequestHead};

/// A request that is being put together; made by [`Http::request`] and
/// [`blocking::Http::request`](crate::blocking::Http::request).
///
/// What is wrong with it is said when it is sent. The asynchronous one is sent by awaiting it, or with
/// [`stream`](RequestBuilder::stream); the blocking one with its `send` or `stream`.
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder<C = Http> {
    pub(crate) client: C,
    draft: Result<Draft, Error>,
}

/// A request that can be sent, and what is to be done with the answer.
pub(crate) struct Draft {
    pub(crate) request: Request<Body>,
    pub(crate) journal: Option<Journal>,
    pub(crate) max_body: Option<u64>,
}

// === impl RequestBuilder ===

impl<C> RequestBuilder<C> {
    pub(crate) fn new(client: C, uri: &str) -> Self {
        Self { client, draft: Draft::new(uri) }
    }

    /// The method: any token, case-sensitive (RFC 9110 §9.1). Default: GET.
    pub fn method<M>(self, method: M) -> Self
    where
        M: TryInto<Method, Error: Into<BoxError>>,
    {
        self.try_edit(|draft| {
            *draft.request.method_mut() = method.try_into().map_err(Into::into)?;
            Ok(())
        })
    }

    /// Adds a header field; given twice, both values are sent. White space around the value is left out.
    pub fn header<N, V>(self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName, Error: Into<BoxError>>,
        V: TryInto<HeaderValue, Error: Into<BoxError>>,
    {
        self.try_edit(|draft| {
            let name = name.try_into().map_err(Into::into)?;
            let value = trimmed(value.try_into().map_err(Into::into)?)?;
            draft.request.headers_mut().append(name, value);
            Ok(())
        })
    }

    /// Puts these header fields in place of those of the same names.
    pub fn headers(self, headers: HeaderMap) -> Self {
        self.edit(|draft| {
            for name in headers.keys() {
                draft.request.headers_mut().remove(name);
            }
            draft.request.headers_mut().extend(headers);
        })
    }

    /// The body: bytes, text, or any other [`Body`].
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.edit(|draft| *draft.request.body_mut() = body.into())
    }

    /// How many redirects are followed. Default: 5, or what the client was built with.
    pub fn redirections(self, limit: usize) -> Self {
        self.extension(MaxRedirects(limit))
    }

    /// Which redirects are followed.
    pub fn follow(self, follow: Follow) -> Self {
        self.extension(follow)
    }

    /// How long each wait may take: getting connected, and each wait for the other side while the request is
    /// sent and the response is read. Default: what the client was built with.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.extension(IoTimeout(timeout))
    }

    /// How long the whole call may take, redirects and content included.
    pub fn deadline(self, deadline: Duration) -> Self {
        self.extension(Deadline(deadline))
    }

    /// Hands out the content as it is on the wire: no coding is asked for, none is decoded.
    pub fn raw(self) -> Self {
        self.extension(Decoding::Raw)
    }

    /// Sends this name and password at once, as Basic (RFC 7617 §2.2), to the origin of the URI and to no other; in answer to
    /// a challenge, also in a stronger scheme. The userinfo of a URI, as in `http://name:password@host/`, does the
    /// same.
    pub fn basic_auth(self, name: &str, password: &str) -> Self {
        self.credential(Credential::login(name, password), true)
    }

    /// Sends this token at once, as Bearer (RFC 6750 §2.1), to the origin of the URI and to no other.
    pub fn bearer_auth(self, token: &str) -> Self {
        self.credential(Credential::token(token), true)
    }

    /// Uses this credential in place of those of the client, at the origin of the URI and at no other, if the server asks
    /// for one.
    pub fn credentials(self, credential: Credential) -> Self {
        self.credential(credential, false)
    }

    /// How the request uses the client's cache.
    pub fn cache_mode(self, mode: CacheMode) -> Self {
        self.extension(mode)
    }

    /// Says which of several editors that share the client this is, such as a task or a user: what one has seen then never
    /// serves the update of another. See [`Editor`].
    pub fn editor(self, number: u64) -> Self {
        self.extension(Editor(number))
    }

    /// Sends an update without a precondition of the client, whatever version was seen: last writer wins.
    pub fn ignore_etag(self) -> Self {
        self.extension(IgnoreEtag)
    }

    /// How often the request is tried if it fails at the connection, or with a status to be retried.
    pub fn tries(self, tries: u32) -> Self {
        self.extension(MaxTries(tries))
    }

    /// The caller's word on whether sending the request twice does no harm. Without it, that depends on the
    /// method, and on whether there is an `Idempotency-Key`.
    pub fn repeatable(self, repeatable: bool) -> Self {
        self.extension(Repeatable(repeatable))
    }

    /// How many bytes the content may have where it is collected. More is an error of the kind
    /// [`ErrorKind::ContentTooLong`]. Default: 1 GiB, or what the client was built with.
    pub fn max_body(self, bytes: u64) -> Self {
        self.edit(|draft| draft.max_body = Some(bytes))
    }

    /// Whether [`Response::explain`] has something to say.
    pub fn explain(self, explain: bool) -> Self {
        self.edit(|draft| draft.journal = explain.then(Journal::default))
    }

    /// Attaches a per-request option of any layer.
    pub fn extension<T: Clone + Send + Sync + 'static>(self, option: T) -> Self {
        self.edit(|draft| drop(draft.request.extensions_mut().insert(option)))
    }

    /// Hands out the request, or the first thing that is wrong with it.
    pub(crate) fn into_parts(self) -> (C, Result<Draft, Error>) {
        let draft = self.draft.and_then(|draft| match draft.check() {
            Ok(()) => Ok(draft),
            Err(why) => Err(draft.invalid(why)),
        });
        (self.client, draft)
    }

    fn credential(self, credential: Credential, in_advance: bool) -> Self {
        self.edit(|draft| draft.set_credential(credential, in_advance))
    }

    fn edit(self, edit: impl FnOnce(&mut Draft)) -> Self {
        self.try_edit(|draft| {
            edit(draft);
            Ok(())
        })
    }

    fn try_edit(mut self, edit: impl FnOnce(&mut Draft) -> Result<(), BoxError>) -> Self {
        if let Ok(draft) = &mut self.draft
            && let Err(why) = edit(draft)
        {
            self.draft = Err(draft.invalid(why));
        }
        self
    }
}

impl RequestBuilder<Http> {
    /// Sends the request and returns the head of the response with its body still to be read.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]. A redirect that ends at the limit or without `Location` is an error here too.
    pub async fn stream(self) -> Result<(Response, ResponseBody), Error> {
        let (client, draft) = self.into_parts();
        client.stream(draft?).await
    }
}

/// Sends the request and collects the content. The errors are those of [`RequestBuilder::stream`] and of
/// reading the content.
impl IntoFuture for RequestBuilder<Http> {
    type Output = Result<(Response, Bytes), Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (client, draft) = self.into_parts();
            client.collect(draft?).await
        })
    }
}

impl<C> fmt::Debug for RequestBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.draft {
            Ok(draft) => write!(f, "RequestBuilder({} {})", draft.request.method(), draft.redacted_uri()),
            Err(error) => write!(f, "RequestBuilder({error})"),
        }
    }
}

// === impl Draft ===

impl Draft {
    fn new(text: &str) -> Result<Self, Error> {
        let target = uri::parse(text).map_err(|error| Error::new((&error).into(), None, Some(error.into())))?;
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = target.uri;
        if let Some(fragment) = target.fragment {
            request.extensions_mut().insert(Fragment(Arc::from(fragment)));
        }
        let mut draft = Self { request, journal: None, max_body: None };
        if let Some(userinfo) = target.userinfo {
            let (name, password) = userinfo.decoded();
            draft.set_credential(Credential::login(name, password), true);
        }
        Ok(draft)
    }

    fn set_credential(&mut self, credential: Credential, in_advance: bool) {
        if let Some(origin) = Origin::of(self.request.uri()) {
            let credentials = RequestCredentials::new(origin, credential).in_advance(in_advance);
            self.request.extensions_mut().insert(credentials);
        }
    }

    /// The request as the response will tell of it.
    pub(crate) fn head(&self) -> RequestHead {
        RequestHead {
            method: self.request.method().clone(),
            uri: self.request.uri().clone(),
            fragment: self.request.extensions().get().map(|Fragment(fragment)| Arc::clone(fragment)),
            headers: self.request.headers().clone(),
        }
    }

    fn check(&self) -> Result<(), BoxError> {
        let headers = self.request.headers();
        if headers.contains_key(header::TRANSFER_ENCODING) {
            return Err("Transfer-Encoding is set by the connection".into());
        }
        if headers.get_all(header::HOST).iter().count() > 1 {
            return Err("Host is given several times".into());
        }
        let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
        if let Some(length) = lengths.next() {
            let Some(exact) = self.request.body().size_hint().exact() else {
                return Err("Content-Length cannot be promised: the length of this body is not known".into());
            };
            if length.as_bytes() != exact.to_string().as_bytes() || lengths.next().is_some() {
                return Err("Content-Length differs from the length of the body".into());
            }
        }
        if self.request.method() == Method::CONNECT {
            return Err("CONNECT makes a tunnel, and there is nobody here to use it".into());
        }
        // RFC 9110 §9.3.8.
        if self.request.method() == Method::TRACE && !self.request.body().is_end_stream() {
            return Err("TRACE has no body".into());
        }
        Ok(())
    }

    fn invalid(&self, why: BoxError) -> Error {
        Error::new(ErrorKind::InvalidRequest, Some(self.request.uri()), Some(why))
    }

    fn redacted_uri(&self) -> impl fmt::Display + '_ {
        httplib2_core::who::Redacted(self.request.uri())
    }
}

/// White space around a value is no part of it (RFC 9110 §5.5).
fn trimmed(value: HeaderValue) -> Result<HeaderValue, BoxError> {
    let bytes = value.as_bytes();
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if !is_blank(bytes.first()) && !is_blank(bytes.last()) {
        return Ok(value);
    }
    let mut trimmed = HeaderValue::from_bytes(bytes.trim_ascii())?;
    trimmed.set_sensitive(value.is_sensitive());
    Ok(trimmed)
}
