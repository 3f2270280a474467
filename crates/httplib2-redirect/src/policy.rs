//! May this hop be followed, and with which method? A trait, and small values that combine.

use std::fmt;

use http::{Extensions, Method, StatusCode, Uri};
use httplib2_core::who::Origin;

use crate::NotFollowed;

/// Answers, for one hop before it is sent, whether it may be followed and with which method.
///
/// The layer's own rules (status codes, methods, limit, downgrade) have allowed the hop already; a policy
/// can only narrow them or choose another method. It sees the resolved URI, so it is the place to keep
/// requests out of private networks.
///
/// ```
/// use httplib2_redirect::{policy_fn, Hop, RedirectLayer, RedirectPolicy, SameOrigin, Verdict};
///
/// // Stays on the origin, and never follows into the administration.
/// let policy = SameOrigin.and(policy_fn(|attempt| {
///     if attempt.to.path().starts_with("/admin") {
///         Verdict::Refuse("the administration is off limits")
///     } else {
///         attempt.follow()
///     }
/// }));
/// let layer = RedirectLayer::new().policy(policy);
/// # let _ = layer;
/// ```
pub trait RedirectPolicy: Send + Sync + 'static {
    /// Looks at one hop.
    fn look(&self, attempt: &Attempt<'_>) -> Verdict;

    /// A policy that follows only what both would follow. The second sees the method that the first chose.
    fn and<P: RedirectPolicy>(self, other: P) -> And<Self, P>
    where
        Self: Sized,
    {
        And { first: self, second: other }
    }
}

/// A hop that is about to be taken.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The status of the response that redirects.
    pub status: StatusCode,
    /// The URI of the request that was redirected.
    pub from: &'a Uri,
    /// Where it leads, resolved.
    pub to: &'a Uri,
    /// The method with which it would be followed.
    pub method: &'a Method,
    /// How many hops were taken before this one.
    pub hops: usize,
    /// The extensions of the request.
    pub options: &'a Extensions,
}

/// What a policy says of a hop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Follow it with this method. GET and HEAD are sent without a body.
    Follow(Method),
    /// Hand the response back. The reason becomes [`NotFollowed::Refused`].
    Refuse(&'static str),
    /// Hand the response back: this many hops are enough.
    Limit(usize),
}

/// Follows whatever the layer's rules allow: the policy of a layer that was given none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Always;

/// Refuses hops that leave the origin (RFC 9110 §4.3.1).
#[derive(Clone, Copy, Debug, Default)]
pub struct SameOrigin;

/// Refuses more than this many hops, whatever [`MaxRedirects`](crate::MaxRedirects) says.
#[derive(Clone, Copy, Debug)]
pub struct Limit(pub usize);

/// Two policies of which each can refuse: see [`RedirectPolicy::and`].
#[derive(Clone, Copy, Debug)]
pub struct And<P, Q> {
    first: P,
    second: Q,
}

/// A function as a policy: see [`policy_fn`].
#[derive(Clone, Copy)]
pub struct PolicyFn<F> {
    look: F,
}

/// Makes a policy of a function that sees each hop before it is sent.
pub fn policy_fn<F>(look: F) -> PolicyFn<F>
where
    F: Fn(&Attempt<'_>) -> Verdict + Send + Sync + 'static,
{
    PolicyFn { look }
}

// === impl Attempt ===

impl Attempt<'_> {
    /// The verdict that changes nothing.
    #[must_use]
    pub fn follow(&self) -> Verdict {
        Verdict::Follow(self.method.clone())
    }
}

// === impl Verdict ===

impl Verdict {
    pub(crate) fn into_method(self) -> Result<Method, NotFollowed> {
        match self {
            Self::Follow(method) => Ok(method),
            Self::Refuse(why) => Err(NotFollowed::Refused(why)),
            Self::Limit(limit) => Err(NotFollowed::Limit(limit)),
        }
    }
}

// === impl RedirectPolicy ===

impl RedirectPolicy for Always {
    fn look(&self, attempt: &Attempt<'_>) -> Verdict {
        attempt.follow()
    }
}

impl RedirectPolicy for SameOrigin {
    fn look(&self, attempt: &Attempt<'_>) -> Verdict {
        match (Origin::of(attempt.from), Origin::of(attempt.to)) {
            (Some(from), Some(to)) if from == to => attempt.follow(),
            _ => Verdict::Refuse("it leads to another origin"),
        }
    }
}

impl RedirectPolicy for Limit {
    fn look(&self, attempt: &Attempt<'_>) -> Verdict {
        if attempt.hops < self.0 { attempt.follow() } else { Verdict::Limit(self.0) }
    }
}

impl<P: RedirectPolicy, Q: RedirectPolicy> RedirectPolicy for And<P, Q> {
    fn look(&self, attempt: &Attempt<'_>) -> Verdict {
        match self.first.look(attempt) {
            Verdict::Follow(method) => self.second.look(&Attempt { method: &method, ..*attempt }),
            refusal => refusal,
        }
    }
}

impl<F> RedirectPolicy for PolicyFn<F>
where
    F: Fn(&Attempt<'_>) -> Verdict + Send + Sync + 'static,
{
    fn look(&self, attempt: &Attempt<'_>) -> Verdict {
        (self.look)(attempt)
    }
}

impl<F> fmt::Debug for PolicyFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyFn(..)")
    }
}
