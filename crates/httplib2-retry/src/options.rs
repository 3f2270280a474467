//! What the caller says about one request, and what one response says about the sends before it.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use http::{Response, StatusCode};

use crate::Failure;

/// How many tries the call has, the first one included. As a request extension it replaces the layer's
/// setting for this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxTries(pub u32);

/// The statuses of responses that are given up for another try. As a request extension it replaces the
/// layer's setting for this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryStatuses(Cow<'static, [StatusCode]>);

/// The caller's word, as a request extension, on whether acting on this request twice does no harm. It takes
/// the place of what the method and an `Idempotency-Key` say.
///
/// With `true` the request is sent again even after errors of which nothing is known; with `false` only if
/// surely no server acted on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeatable(pub bool);

/// The sends that were made before this response, and why each was given up: an extension of every response
/// that took more than one.
///
/// `Display` writes it as `3 sends: reused connection lost, again at once; 503, again after 1s`.
#[derive(Clone, PartialEq, Eq)]
pub struct Tries(Arc<[GivenUp]>);

/// One send that was followed by another one.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GivenUp {
    /// What came of it.
    pub cause: Cause,
    /// How long was waited before the next.
    pub wait: Duration,
}

/// What came of a send that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A response with this status.
    Status(StatusCode),
    /// No response.
    Failure(Failure),
}

// === impl RetryStatuses ===

impl RetryStatuses {
    /// No status: every response is returned.
    #[must_use]
    pub fn none() -> Self {
        Self(Cow::Borrowed(&[]))
    }

    /// The five statuses that speak of something that passes: 408, 429, 502, 503 and 504 (RFC 9110 §15.5.9,
    /// RFC 6585 §4, RFC 9110 §15.6.3 to §15.6.5).
    #[must_use]
    pub fn transient() -> Self {
        Self(Cow::Borrowed(&[
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::BAD_GATEWAY,
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::GATEWAY_TIMEOUT,
        ]))
    }

    /// These statuses.
    #[must_use]
    pub fn new(statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        Self(statuses.into_iter().collect())
    }

    /// Whether this status is among them.
    #[must_use]
    pub fn contains(&self, status: StatusCode) -> bool {
        self.0.contains(&status)
    }
}

// === impl Tries ===

impl Tries {
    /// How many sends there were, the one that this response answers included.
    #[must_use]
    pub fn sends(&self) -> usize {
        self.given_up().len() + 1
    }

    /// The sends that were given up, the first one first.
    #[must_use]
    pub fn given_up(&self) -> &[GivenUp] {
        &self.0
    }

    /// How long was waited between them, all together.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.given_up().iter().fold(Duration::ZERO, |sum, given_up| sum.saturating_add(given_up.wait))
    }

    /// Marks the response that the caller gets, if it took more than one send.
    pub(crate) fn mark<R>(response: &mut Response<R>, given_up: Vec<GivenUp>) {
        if !given_up.is_empty() {
            response.extensions_mut().insert(Self(given_up.into()));
        }
    }
}

impl fmt::Display for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sends", self.sends())?;
        for (index, given_up) in self.given_up().iter().enumerate() {
            write!(f, "{}{given_up}", if index == 0 { ": " } else { "; " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tries({self})")
    }
}

// === impl GivenUp ===

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.wait.is_zero() {
            write!(f, "{}, again at once", self.cause)
        } else {
            write!(f, "{}, again after {:?}", self.cause, self.wait)
        }
    }
}

impl fmt::Debug for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GivenUp({self})")
    }
}

// === impl Cause ===

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => f.write_str(status.as_str()),
            Self::Failure(failure) => failure.fmt(f),
        }
    }
}
