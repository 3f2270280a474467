//! What the caller says about one request, and what a response says about how it was signed.

use std::{fmt, sync::Arc};

use http::{Extensions, Response};
use httplib2_core::{
    context::Journal,
    who::{Origin, SignedAs},
};

use crate::{Credential, ProviderError, SignError};

/// The credential of one request: an extension that replaces the layer's [`Credentials`](crate::Credentials) whole.
///
/// Where the request goes to another origin, such as by a redirect, it counts as absent. Whatever is learnt with it is
/// used only for requests that carry the same credential.
///
/// Nobody has vouched for it, so a login counts as one user only together with its password: the
/// [identity](httplib2_core::who::Identity) has a hash of the password in it, with a key that this process drew, and who
/// guesses wrong is not given what a cache keeps for who knows it. That identity ends with the process. It is the same
/// as always for a credential [with an identity](Credential::with_identity).
#[derive(Clone)]
pub struct RequestCredentials {
    pub(crate) origin: Origin,
    pub(crate) credential: Credential,
    pub(crate) in_advance: Option<bool>,
}

/// Which credentials are sent before a server asks for any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InAdvance {
    /// None, outside of spaces that were challenged for.
    Never,
    /// Tokens that are for a domain or for the request: many servers that take tokens never ask for one.
    #[default]
    Tokens,
    /// All that fit: also names and passwords, and also those for all origins, which every server that is addressed
    /// then gets to see.
    Always,
}

/// How a response was authenticated, or why its challenge was not answered.
///
/// An extension of every response to a signed request, and of every 401 (of a proxy, 407) that was looked at.
#[derive(Clone)]
pub struct Authentication(Arc<Fact>);

/// Why a challenge went to the caller. The texts hold no secret.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Unanswered {
    /// The body must be sent again and cannot be.
    BodyGone,
    /// So many challenges of one exchange were answered, and no more are.
    Limit(u32),
    /// The provider of credentials failed.
    Provider(ProviderError),
    /// This scheme was answered, and the credential refused.
    Rejected(&'static str),
    /// This offer guards the secret less well than one that was refused before, or over plain http than one that was
    /// taken before, and could have been made to get at the secret.
    Downgrade(&'static str),
    /// The request could not be signed.
    Unsigned {
        /// The scheme.
        scheme: &'static str,
        /// Why not.
        why: SignError,
    },
    /// The challenge asks for an option that is not supported, such as an algorithm.
    Unsupported {
        /// The scheme.
        scheme: &'static str,
        /// The option.
        what: String,
    },
    /// This scheme shows the secret to everybody on the way, and the way is plain http.
    Insecure(&'static str),
    /// The challenge lacks what its scheme requires.
    Malformed {
        /// The scheme.
        scheme: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// No credential has the form that this scheme needs.
    Unsuitable {
        /// The scheme.
        scheme: &'static str,
        /// What the form asks for.
        why: &'static str,
    },
    /// The layer knows none of the schemes that are offered: these.
    UnknownSchemes(String),
    /// The response names no scheme, or none that can be read.
    NoChallenge,
    /// There are credentials, but not where another origin led the request: see
    /// [`Credentials`](crate::Credentials).
    OtherOrigin,
    /// The request is a TRACE, which must carry no credential (RFC 9110 §9.3.8).
    Trace,
    /// There is no credential for this origin.
    NoCredentials,
}

#[derive(Debug)]
struct Fact {
    signature: Option<Signature>,
    challenges: u32,
    reasons: Vec<Unanswered>,
}

/// What is told of the signature of the request that was answered last.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) scheme: &'static str,
    pub(crate) realm: Option<Box<[u8]>>,
}

/// How much of what a server wrote is shown: a hostile one must not fill a log.
const SHOWN: usize = 100;

// === impl RequestCredentials ===

impl RequestCredentials {
    /// This credential, for this origin. Whether it is sent in advance is the layer's setting.
    #[must_use]
    pub fn new(origin: Origin, credential: Credential) -> Self {
        Self { origin, credential, in_advance: None }
    }

    /// Whether it is sent before the server asks for it, whatever the layer's setting.
    #[must_use]
    pub fn in_advance(self, yes: bool) -> Self {
        Self { in_advance: Some(yes), ..self }
    }

    /// Where it is used.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl fmt::Debug for RequestCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestCredentials({}, ..)", self.origin)
    }
}

// === impl Authentication ===

impl Authentication {
    /// The scheme with which the request of this response was signed, in lower case, or `None` when it was not.
    #[must_use]
    pub fn scheme(&self) -> Option<&str> {
        self.0.signature.as_ref().map(|signature| signature.scheme)
    }

    /// The realm that the server named for it (RFC 9110 §11.5). Unknown for what was never challenged for.
    #[must_use]
    pub fn realm(&self) -> Option<&[u8]> {
        self.0.signature.as_ref()?.realm.as_deref()
    }

    /// How many challenges were answered on the way to this response: 0 for a request that was signed in advance.
    #[must_use]
    pub fn challenges(&self) -> u32 {
        self.0.challenges
    }

    /// The most telling reason why the challenge of this response was not answered; `None` when it has none.
    #[must_use]
    pub fn unanswered(&self) -> Option<&Unanswered> {
        self.reasons().first()
    }

    /// All the reasons, the most telling one first: several offers may have failed, each for another one.
    #[must_use]
    pub fn reasons(&self) -> &[Unanswered] {
        &self.0.reasons
    }

    pub(crate) fn new(signature: Option<Signature>, challenges: u32, mut reasons: Vec<Unanswered>) -> Self {
        reasons.sort_by_key(Unanswered::rank);
        Self(Arc::new(Fact { signature, challenges, reasons }))
    }

    /// Says it on the response and in the journal.
    pub(crate) fn mark<R>(self, response: &mut Response<R>, signed_as: Option<SignedAs>, options: &Extensions) {
        Journal::record(options, "auth", &self);
        let extensions = response.extensions_mut();
        if let Some(signed_as) = signed_as {
            extensions.insert(signed_as);
        }
        extensions.insert(self);
    }
}

impl fmt::Display for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.signature {
            Some(Signature { scheme, realm: Some(realm) }) => {
                let shown = realm.get(..SHOWN).unwrap_or(realm);
                write!(f, "{scheme} for \"{}\"", shown.escape_ascii())?;
            }
            Some(Signature { scheme, realm: None }) => f.write_str(scheme)?,
            None => f.write_str("unsigned")?,
        }
        match (self.challenges(), &self.0.signature) {
            (0, None) => {}
            (0, Some(_)) => f.write_str(", in advance")?,
            (1, _) => f.write_str(", after 1 challenge")?,
            (n, _) => write!(f, ", after {n} challenges")?,
        }
        for (n, reason) in self.reasons().iter().enumerate() {
            write!(f, "{} {reason}", if n == 0 { ", not answered:" } else { ";" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authentication({self})")
    }
}

// === impl Unanswered ===

impl Unanswered {
    /// The lower, the more it tells: what was tried and failed comes before what could not be tried.
    fn rank(&self) -> u8 {
        match self {
            Self::BodyGone => 0,
            Self::Limit(_) => 1,
            Self::Provider(_) => 2,
            Self::Rejected(_) => 3,
            Self::Downgrade(_) => 4,
            Self::Unsigned { .. } => 5,
            Self::Unsupported { .. } => 6,
            Self::Insecure(_) => 7,
            Self::Malformed { .. } => 8,
            Self::Unsuitable { .. } => 9,
            Self::UnknownSchemes(_) => 10,
            Self::NoChallenge => 11,
            Self::OtherOrigin => 12,
            Self::Trace => 13,
            Self::NoCredentials => 14,
        }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BodyGone => f.write_str("the body cannot be sent again"),
            Self::Limit(limit) => write!(f, "the limit of {limit} answers is reached"),
            Self::Provider(error) => error.fmt(f),
            Self::Rejected(scheme) => write!(f, "{scheme} was answered and refused"),
            Self::Downgrade(scheme) => write!(f, "{scheme} is weaker than what was used before"),
            Self::Unsigned { scheme, why } => write!(f, "{scheme}: {why}"),
            Self::Unsupported { scheme, what } => write!(f, "{scheme}: {what:.SHOWN$} is not supported"),
            Self::Insecure(scheme) => write!(f, "{scheme} shows the secret over plain http"),
            Self::Malformed { scheme, what } => write!(f, "{scheme}: the challenge is malformed, {what}"),
            Self::Unsuitable { scheme, why } => write!(f, "{scheme}: the credential does not fit, {why}"),
            Self::UnknownSchemes(names) => write!(f, "no known scheme is offered, only {names}"),
            Self::NoChallenge => f.write_str("no challenge can be read"),
            Self::OtherOrigin => f.write_str("the credentials do not follow the request to this origin"),
            Self::Trace => f.write_str("a TRACE request is not signed"),
            Self::NoCredentials => f.write_str("there is no credential for this origin"),
        }
    }
}
