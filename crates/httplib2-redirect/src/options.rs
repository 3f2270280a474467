//! What the caller says about one request, and what one response says about how it was reached.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Response, Uri};
use httplib2_core::{context::Journal, who::Redacted};
use httplib2_syntax::uri::InvalidUri;

/// Which redirects are followed. As a request extension it replaces the layer's setting for this request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// None: every response comes back as it is.
    Never,
    /// Those of safe methods, and 303 and 308 for every method.
    #[default]
    Safe,
    /// Those of every method.
    All,
}

/// How many redirects of one call are followed. As a request extension it replaces the layer's setting for
/// this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxRedirects(pub usize);

/// The fragment of the request's URI, without `#`: a request extension, because [`Uri`] holds none.
///
/// It is never sent. A redirect whose `Location` has no fragment inherits it (RFC 9110 §10.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment(pub Arc<str>);

/// How a response was reached: an extension of every response with a status that can redirect, and of
/// every response that was reached through one.
#[derive(Clone)]
pub struct Hops(Arc<Reached>);

/// One step of the chain: a response that was followed and the request that it answered.
#[derive(Clone)]
#[non_exhaustive]
pub struct Hop {
    /// The method of the request.
    pub method: Method,
    /// The URI of the request.
    pub uri: Uri,
    /// The fragment of that URI.
    pub fragment: Option<Arc<str>>,
    /// The header fields of the request, as they left the redirect layer.
    pub headers: HeaderMap,
    /// The response, with the beginning of its body.
    pub response: Response<Bytes>,
    /// Whether that is the whole body: no limit cut it off.
    pub body_is_whole: bool,
    /// The fields of the request that the next one no longer carries.
    pub dropped: Vec<HeaderName>,
}

/// Why a response that can redirect was handed back instead of followed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotFollowed {
    /// This many redirects were followed already, and no more are allowed.
    Limit(usize),
    /// There is no `Location`, or an empty one.
    MissingLocation,
    /// There are several `Location` fields and they differ.
    AmbiguousLocation,
    /// `Location` does not lead to an `http` or `https` URI.
    InvalidLocation(InvalidUri),
    /// The method is not safe, and following it was not asked for ([`Follow::All`]).
    UnsafeMethod,
    /// The body must be sent again and cannot be.
    BodyGone,
    /// It leads from https to http, with a body or credentials (or at all, if so configured).
    Downgrade,
    /// It leads to another origin, where the precondition of this unsafe request means nothing; without it
    /// an update could be lost.
    Precondition,
    /// The [`RedirectPolicy`](crate::RedirectPolicy) refused it, for this reason.
    Refused(&'static str),
}

struct Reached {
    previous: Vec<Hop>,
    method: Method,
    uri: Uri,
    fragment: Option<Arc<str>>,
    headers: HeaderMap,
    not_followed: Option<NotFollowed>,
}

/// The request that is under way, as far as it is known when its response arrives.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) fragment: Option<&'a Arc<str>>,
    pub(crate) headers: &'a HeaderMap,
}

// === impl Hops ===

impl Hops {
    /// The responses that were followed on the way here, the first one first.
    #[must_use]
    pub fn previous(&self) -> &[Hop] {
        &self.0.previous
    }

    /// The method of the request that this response answers.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.0.method
    }

    /// The URI of the request that this response answers, without a fragment.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.0.uri
    }

    /// The fragment that applies to this response, its own or inherited (RFC 9110 §10.2.2).
    #[must_use]
    pub fn fragment(&self) -> Option<&str> {
        self.0.fragment.as_deref()
    }

    /// The header fields of the request that this response answers, as they left the redirect layer.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// Why this response was not followed although its status says redirect; `None` when it does not say so.
    #[must_use]
    pub fn not_followed(&self) -> Option<&NotFollowed> {
        self.0.not_followed.as_ref()
    }

    /// Marks the response that the caller gets.
    pub(crate) fn mark<R>(
        response: &mut Response<R>,
        previous: Vec<Hop>,
        request: &Request<'_>,
        options: &http::Extensions,
        not_followed: Option<NotFollowed>,
    ) {
        if let Some(reason) = &not_followed {
            Journal::record(options, "redirect", &format_args!("{} returned: {reason}", response.status().as_u16()));
        }
        response.extensions_mut().insert(Self(Arc::new(Reached {
            previous,
            method: request.method.clone(),
            uri: request.uri.clone(),
            fragment: request.fragment.cloned(),
            headers: request.headers.clone(),
            not_followed,
        })));
    }
}

impl fmt::Display for Hops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for hop in self.previous() {
            write!(f, "{} {} -> ", hop.response.status().as_u16(), Redacted(&hop.uri))?;
        }
        write!(f, "{}", Redacted(self.uri()))?;
        match self.not_followed() {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Hops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hops({self})")
    }
}

// === impl Hop ===

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.method, Redacted(&self.uri), self.response.status().as_u16())
    }
}

impl fmt::Debug for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hop({self})")
    }
}

// === impl NotFollowed ===

impl fmt::Display for NotFollowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(limit) => write!(f, "the limit of {limit} redirects is reached"),
            Self::MissingLocation => f.write_str("it has no Location"),
            Self::AmbiguousLocation => f.write_str("its Location fields differ"),
            Self::InvalidLocation(why) => write!(f, "its Location cannot be followed, {why}"),
            Self::UnsafeMethod => f.write_str("the method is not safe"),
            Self::BodyGone => f.write_str("the body cannot be sent again"),
            Self::Downgrade => f.write_str("it leads from https to http"),
            Self::Precondition => f.write_str("the precondition means nothing at another origin"),
            Self::Refused(why) => write!(f, "refused, {why}"),
        }
    }
}
