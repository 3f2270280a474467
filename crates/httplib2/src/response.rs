//! What comes back.

use std::{error::Error, fmt, sync::Arc};

use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header, response::Parts};
use httplib2_cache::Served;
use httplib2_connect::Connection;
use httplib2_core::{
    context::{Journal, Line},
    who::Redacted,
};
use httplib2_decompression::Decoded;
use httplib2_redirect::{Hop, Hops, NotFollowed};
use hyper::ext::ReasonPhrase;

/// The head of a response, how it was reached, and why it is what it is.
///
/// [`Http::request`](crate::Http::request) returns it beside the content. It can be made by hand for fakes:
/// from an [`http::Response`], or from a list of fields with [`from_info`](Self::from_info).
#[derive(Clone)]
pub struct Response {
    head: Parts,
    request: RequestHead,
    previous: Option<Arc<Self>>,
    content: Bytes,
    trailers: Option<HeaderMap>,
    journal: Option<Journal>,
    /// What a fake says of itself.
    from_cache: Option<bool>,
}

/// The request that a response answers.
#[derive(Clone, Default)]
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) fragment: Option<Arc<str>>,
    pub(crate) headers: HeaderMap,
}

/// What every layer decided about a call, in the order in which it happened. `Display` writes a line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    lines: Vec<Line>,
}

/// A list of fields is no response: a name or value is not allowed in HTTP, or `status` is no status code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidInfo {
    name: String,
}

// === impl Response ===

impl Response {
    /// Makes a response of a list of fields, as `Response(info)` of httplib2 does: the field `status` gives
    /// the status, 200 where it is missing.
    ///
    /// # Errors
    ///
    /// [`InvalidInfo`] names the field that HTTP does not allow.
    pub fn from_info<'a>(info: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, InvalidInfo> {
        let mut response = http::Response::new(());
        for (name, value) in info {
            let invalid = || InvalidInfo { name: name.to_owned() };
            if name.eq_ignore_ascii_case("status") {
                *response.status_mut() = StatusCode::from_bytes(value.trim().as_bytes()).map_err(|_| invalid())?;
                continue;
            }
            let field = HeaderName::try_from(name).map_err(|_| invalid())?;
            response.headers_mut().append(field, HeaderValue::try_from(value).map_err(|_| invalid())?);
        }
        Ok(response.into())
    }

    /// A response from the network: `request` is the one that the caller made, which is not the one that it
    /// answers where a redirect was followed.
    pub(crate) fn received(head: Parts, request: RequestHead, journal: Option<Journal>) -> Self {
        match head.extensions.get::<Hops>().cloned() {
            None => Self { journal, request, ..Self::from_parts(head) },
            Some(hops) => {
                let previous = hops
                    .previous()
                    .iter()
                    .fold(None, |previous, hop| Some(Arc::new(Self { previous, ..Self::followed(hop) })));
                let request = RequestHead {
                    method: hops.method().clone(),
                    uri: hops.uri().clone(),
                    fragment: hops.fragment().map(Arc::from),
                    headers: hops.headers().clone(),
                };
                Self { journal, previous, request, ..Self::from_parts(head) }
            }
        }
    }

    fn followed(hop: &Hop) -> Self {
        let (head, content) = hop.response.clone().into_parts();
        let request = RequestHead {
            method: hop.method.clone(),
            uri: hop.uri.clone(),
            fragment: hop.fragment.clone(),
            headers: hop.headers.clone(),
        };
        Self { content, request, ..Self::from_parts(head) }
    }

    fn from_parts(head: Parts) -> Self {
        Self {
            head,
            request: RequestHead::default(),
            previous: None,
            content: Bytes::new(),
            trailers: None,
            journal: None,
            from_cache: None,
        }
    }

    /// Notes what is known once the content was read: trailers, and the length of decoded content (H-DEC-03).
    pub(crate) fn set_read(&mut self, length: usize, trailers: Option<HeaderMap>) {
        self.trailers = trailers;
        if self.decoded().is_some() {
            self.head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The reason phrase as the server wrote it, or the standard one where HTTP/2 sends none; empty for a
    /// code that has none. Octets that are not UTF-8 are replaced.
    #[must_use]
    pub fn reason(&self) -> String {
        match self.head.extensions.get::<ReasonPhrase>() {
            Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            None => self.head.status.canonical_reason().unwrap_or_default().to_owned(),
        }
    }

    /// The version of HTTP that the server spoke: 9, 10, 11, 20 or 30.
    #[must_use]
    pub fn version(&self) -> u8 {
        match self.head.version {
            Version::HTTP_09 => 9,
            Version::HTTP_10 => 10,
            Version::HTTP_2 => 20,
            Version::HTTP_3 => 30,
            _ => 11,
        }
    }

    /// All header fields with all their values.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The first value of a header field as text, or `None` where it is missing or not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// The trailer fields, once the content was read.
    #[must_use]
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }

    /// The response that was followed to get here, or `None` for the first one. The chain goes back to the
    /// answer to the original request.
    #[must_use]
    pub fn previous(&self) -> Option<&Self> {
        self.previous.as_deref()
    }

    /// The responses that were followed to get here, the last one first.
    pub fn history(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(self.previous(), |response| response.previous())
    }

    /// The beginning of the content of a response that was followed. Empty for the last response, whose
    /// content is returned beside it.
    #[must_use]
    pub fn content(&self) -> &Bytes {
        &self.content
    }

    /// Why a response whose status says redirect was not followed.
    #[must_use]
    pub fn not_followed(&self) -> Option<&NotFollowed> {
        self.head.extensions.get::<Hops>()?.not_followed()
    }

    /// The URI that was asked for in the end, without its fragment.
    ///
    /// Empty (`/`) for a response made by hand.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.request.uri
    }

    /// The fragment of that URI, which is never sent: its own, or inherited over redirects
    /// (RFC 9110 §10.2.2).
    #[must_use]
    pub fn fragment(&self) -> Option<&str> {
        self.request.fragment.as_deref()
    }

    /// What httplib2 calls `content-location`: the field if the server sent it, otherwise the URI that was
    /// asked for in the end, with its fragment.
    #[must_use]
    pub fn content_location(&self) -> String {
        match (self.header(header::CONTENT_LOCATION.as_str()), self.fragment()) {
            (Some(sent), _) => sent.to_owned(),
            (None, Some(fragment)) => format!("{}#{fragment}", self.uri()),
            (None, None) => self.uri().to_string(),
        }
    }

    /// The method of the request that this response answers.
    #[must_use]
    pub fn request_method(&self) -> &Method {
        &self.request.method
    }

    /// The header fields of the request that this response answers, as the caller and the redirects made
    /// them; what layers further inside add is not among them.
    #[must_use]
    pub fn request_headers(&self) -> &HeaderMap {
        &self.request.headers
    }

    /// The codings that were removed from the content, and what the fields said before: httplib2's
    /// `-content-encoding`.
    #[must_use]
    pub fn decoded(&self) -> Option<&Decoded> {
        self.head.extensions.get()
    }

    /// Whether the content was served from this client's cache: what httplib2 calls `fromcache`.
    #[must_use]
    pub fn from_cache(&self) -> bool {
        self.from_cache.unwrap_or_else(|| self.served().is_some_and(Served::is_from_cache))
    }

    /// Sets what [`from_cache`](Self::from_cache) says: for fakes.
    #[must_use]
    pub fn with_from_cache(mut self, from_cache: bool) -> Self {
        self.from_cache = Some(from_cache);
        self
    }

    /// Where this response comes from and why; `None` where the client has no cache.
    #[must_use]
    pub fn served(&self) -> Option<&Served> {
        self.head.extensions.get()
    }

    /// The connection that it came over; `None` where there was none, as in a fake.
    #[must_use]
    pub fn connection(&self) -> Option<&Connection> {
        self.head.extensions.get()
    }

    /// The typed facts that the layers attached.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.head.extensions
    }

    /// What every layer decided and why, so far. Empty unless the request was made with
    /// [`explain(true)`](crate::RequestBuilder::explain).
    #[must_use]
    pub fn explain(&self) -> Explanation {
        Explanation { lines: self.journal.as_ref().map(Journal::lines).unwrap_or_default() }
    }
}

impl<T> From<http::Response<T>> for Response {
    fn from(response: http::Response<T>) -> Self {
        Self::from_parts(response.into_parts().0)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status())
            .field("version", &self.head.version)
            .field("uri", &Redacted(self.uri()))
            .field("headers", &Fields(self.headers()))
            .field("previous", &self.previous)
            .finish_non_exhaustive()
    }
}

/// Shows header fields without the URIs in them, which may hold secrets as any other.
struct Fields<'a>(&'a HeaderMap);

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const URIS: [HeaderName; 4] = [header::LOCATION, header::CONTENT_LOCATION, header::LINK, header::REFRESH];
        f.debug_map()
            .entries(self.0.iter().map(|(name, value)| {
                let shown: &dyn fmt::Debug = if URIS.contains(name) { &format_args!("..") } else { value };
                (name, format!("{shown:?}"))
            }))
            .finish()
    }
}

// === impl Explanation ===

impl Explanation {
    /// The lines, each with the layer that decided.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.lines.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{line}")?;
        }
        Ok(())
    }
}

// === impl InvalidInfo ===

impl fmt::Display for InvalidInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the field {:?} of a response is not allowed in HTTP", self.name)
    }
}

impl Error for InvalidInfo {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_can_be_made_by_hand() {
        // H-RESP-03.
        let response =
            Response::from_info([("Status", "404"), ("Content-Type", "text/plain"), ("X-Two", "a")]).unwrap();
        assert_eq!(response.status(), 404);
        assert_eq!(response.reason(), "Not Found");
        assert_eq!(response.version(), 11);
        assert_eq!(response.header("content-type"), Some("text/plain"));
        assert!(response.previous().is_none() && !response.from_cache());
        assert_eq!(Response::from_info([]).unwrap().status(), 200);
        assert!(Response::from_info([("status", "many")]).is_err());
        assert!(Response::from_info([("x", "a\r\nb")]).is_err());
        assert!(Response::from(http::Response::new("body")).with_from_cache(true).from_cache());
    }

    #[test]
    fn content_location_is_the_servers_or_the_effective_uri() {
        let mut response = Response::from_info([]).unwrap();
        response.request.uri = Uri::from_static("http://example.org/a");
        response.request.fragment = Some("b".into());
        assert_eq!(response.content_location(), "http://example.org/a#b");
        let response = Response::from_info([("content-location", "/c")]).unwrap();
        assert_eq!(response.content_location(), "/c");
    }
}
