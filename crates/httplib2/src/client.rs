//! The client: what is shared by all its requests.

use std::{fmt, sync::Arc};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body::Body as _;
use httplib2_auth::{Authentication, Credential, Credentials, InvalidDomain, Unanswered};
use httplib2_core::{
    body::{DiscardLimits, drain},
    context::Journal,
};
use httplib2_redirect::NotFollowed;
use tower::ServiceExt;

use crate::{
    Body, Error, ErrorKind, HttpBuilder, RequestBuilder, Response, ResponseBody,
    deadline::Deadline,
    request::Draft,
    stack::{Stack, mark},
};

/// A client. Cheap to clone, shared by any number of tasks and threads.
///
/// To its servers it is one user agent and one editor: an update carries the tag of the version that any of its tasks has
/// seen last. Tasks that edit the same resource at the same time say who they are with
/// [`editor`](RequestBuilder::editor), or set `If-Match` themselves.
///
/// It keeps connections open and uses them again. It starts nothing by itself and may outlive the runtime
/// on which it was first used.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let origin = httplib2_testing::Server::answering(|_, _| httplib2_testing::reply(200).body("Hello"));
/// # let http = httplib2::Http::builder().build_over(origin)?;
/// // let http = httplib2::Http::new();
/// let (response, content) = http.request("http://example.org/").await?;
/// assert_eq!(response.status(), 200);
/// assert_eq!(content, "Hello");
///
/// let (response, _) = http
///     .request("http://example.org/chap/2")
///     .method("PUT")
///     .header("content-type", "text/plain")
///     .body("This is text")
///     .redirections(3)
///     .await?;
/// assert!(response.status().is_success());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Http {
    shared: Arc<Shared>,
}

struct Shared {
    stack: Stack,
    credentials: Credentials,
    defaults: Defaults,
}

/// What a request gets unless it says otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Defaults {
    pub(crate) headers: HeaderMap,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) max_body: u64,
    /// Fields that hold secrets: marked before anything is copied.
    pub(crate) sensitive: Vec<HeaderName>,
}

// === impl Http ===

impl Http {
    /// A client with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Settings for a client.
    pub fn builder() -> HttpBuilder {
        HttpBuilder::default()
    }

    /// Starts a request of an absolute URI or IRI. See [`RequestBuilder`].
    pub fn request(&self, uri: impl AsRef<str>) -> RequestBuilder {
        RequestBuilder::new(self.clone(), uri.as_ref())
    }

    /// Adds a name and a password for every origin that a request is addressed to, not for those that a redirect leads to.
    /// They are sent only to a server that asks for them.
    ///
    /// They are also sent where the server asks for [Basic](httplib2_auth::Basic) over plain http: everybody on the way
    /// can then read the password, which a warning says. Prefer
    /// [`add_credentials_for`](Self::add_credentials_for).
    pub fn add_credentials(&self, name: &str, password: &str) {
        self.credentials().add(Credential::login(name, password));
    }

    /// Adds a name and a password for a domain: a host, a host and a port, or an origin; see [`Credentials`].
    ///
    /// # Errors
    ///
    /// [`InvalidDomain`] when it is none of these.
    pub fn add_credentials_for(&self, domain: &str, name: &str, password: &str) -> Result<(), InvalidDomain> {
        self.credentials().add_for(domain, Credential::login(name, password))
    }

    /// Forgets all credentials, and what was learnt with them.
    pub fn clear_credentials(&self) {
        self.credentials().clear();
    }

    /// The credentials of this client and its clones, to which others can be added at any time: tokens, those of a
    /// netrc file, those that a provider gives.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.shared.credentials
    }

    /// The whole stack as a tower service of plain [`http`] requests: without this client's default header
    /// fields, `User-Agent` excepted, without its deadline, and without its errors for redirects.
    #[must_use]
    pub fn service(&self) -> Stack {
        self.shared.stack.clone()
    }

    pub(crate) fn over(stack: Stack, credentials: Credentials, defaults: Defaults) -> Self {
        Self { shared: Arc::new(Shared { stack, credentials, defaults }) }
    }

    /// Sends, and collects the content.
    pub(crate) async fn collect(&self, draft: Draft) -> Result<(Response, Bytes), Error> {
        let limit = self.max_body(&draft);
        let (mut response, body) = self.stream(draft).await?;
        let (content, trailers) = body.collect(limit).await?;
        response.set_read(content.len(), trailers);
        Ok((response, content))
    }

    /// Sends, and leaves the body to be read.
    pub(crate) async fn stream(&self, mut draft: Draft) -> Result<(Response, ResponseBody), Error> {
        self.shared.defaults.apply(&mut draft.request);
        let journal = draft.journal.clone();
        if let Some(journal) = &journal {
            draft.request.extensions_mut().insert(journal.clone());
        }
        let head = draft.head();
        let answer = self.service().oneshot(draft.request).await.inspect_err(|error| note(journal.as_ref(), error))?;
        let (parts, body) = answer.into_parts();
        let response = Response::received(parts, head, journal.clone());
        note(
            journal.as_ref(),
            &format_args!("answered {} with HTTP version {}", response.status(), response.version()),
        );
        match response.not_followed() {
            Some(NotFollowed::Limit(_)) => Err(dead_end(ErrorKind::RedirectLimit, response, body).await),
            Some(NotFollowed::MissingLocation) => {
                Err(dead_end(ErrorKind::RedirectMissingLocation, response, body).await)
            }
            _ => match unimplemented(&response) {
                Some(kind) => Err(dead_end(kind, response, body).await),
                None => Ok((response, body)),
            },
        }
    }

    fn max_body(&self, draft: &Draft) -> u64 {
        draft.max_body.unwrap_or(self.shared.defaults.max_body)
    }
}

/// A challenge that asks for an option that is not supported is an error, as httplib2 documents it (H-DIG-09), if it is all
/// that stood in the way: no other scheme could be used, and none was refused.
fn unimplemented(response: &Response) -> Option<ErrorKind> {
    match response.extensions().get::<Authentication>()?.unanswered()? {
        Unanswered::Unsupported { scheme: "digest", .. } => Some(ErrorKind::UnimplementedDigestAuthOption),
        Unanswered::Unsupported { scheme: "hmacdigest", .. } => Some(ErrorKind::UnimplementedHmacDigestAuthOption),
        _ => None,
    }
}

/// A redirect that leads nowhere is an error that carries the last response, as in httplib2 (H-REDIR-06, 07), and the
/// beginning of its content: nobody waits long for the body of a redirect.
async fn dead_end(kind: ErrorKind, response: Response, body: ResponseBody) -> Error {
    let mut content = BytesMut::new();
    drain(body, DiscardLimits::default(), |data| content.extend_from_slice(&data)).await;
    Error::new(kind, Some(response.uri()), None).with_response(response, content.freeze())
}

fn note(journal: Option<&Journal>, fact: &dyn fmt::Display) {
    if let Some(journal) = journal {
        journal.note("call", fact);
    }
}

impl Default for Http {
    fn default() -> Self {
        HttpBuilder::build_default()
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http(..)")
    }
}

// === impl Defaults ===

impl Defaults {
    fn apply(&self, request: &mut Request<Body>) {
        // These methods give content a meaning, so its absence is said (RFC 9110 §8.6, H-HDR-04).
        let expects_content = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
        if expects_content && request.body().is_end_stream() {
            request.headers_mut().entry(header::CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
        }
        for name in self.headers.keys() {
            if !request.headers().contains_key(name) {
                let values = self.headers.get_all(name).iter().cloned();
                request.headers_mut().extend(values.map(|value| (name.clone(), value)));
            }
        }
        mark(request.headers_mut(), &self.sensitive);
        if let Some(deadline) = self.deadline
            && request.extensions().get::<Deadline>().is_none()
        {
            request.extensions_mut().insert(deadline);
        }
    }
}
