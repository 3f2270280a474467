//! What a scheme of authentication is to the layer: it answers challenges with signers, and a signer signs requests.

use std::{error::Error, fmt, sync::Arc};

use http::{HeaderMap, HeaderValue, Method, Uri};
use httplib2_syntax::challenge::{Challenge, Params};

use crate::Credential;

/// A scheme of authentication (RFC 9110 §11.1), such as Basic. Has no state of its own beside its settings.
///
/// One of your own, which sends a key as it is:
///
/// ```
/// use std::sync::Arc;
///
/// use http::HeaderValue;
/// use httplib2_auth::{AuthLayer, CannotAnswer, Credential, Credentials, Scheme, SignError, Signer, Space, Unsigned};
/// use httplib2_syntax::challenge::Challenge;
///
/// #[derive(Debug)]
/// struct ApiKey;
///
/// struct Key(Credential);
///
/// impl Scheme for ApiKey {
///     fn name(&self) -> &'static str {
///         "apikey"
///     }
///
///     fn strength(&self) -> u8 {
///         10
///     }
///
///     fn reveals_secret(&self) -> bool {
///         true
///     }
///
///     fn answer(&self, _: &Challenge, credential: &Credential) -> Result<Arc<dyn Signer>, CannotAnswer> {
///         credential.as_token().ok_or(CannotAnswer::Credential("it needs a key"))?;
///         Ok(Arc::new(Key(credential.clone())))
///     }
/// }
///
/// impl Signer for Key {
///     fn realm(&self) -> Option<&[u8]> {
///         None
///     }
///
///     fn space(&self) -> Space<'_> {
///         Space::Origin
///     }
///
///     fn sign(&self, _: &mut Unsigned<'_>) -> Result<HeaderValue, SignError> {
///         let key = self.0.as_token().map_or("", |token| token.text());
///         HeaderValue::try_from(format!("ApiKey {key}")).map_err(|_| SignError("the key is no field value"))
///     }
/// }
///
/// impl std::fmt::Debug for Key {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str("Key(..)")
///     }
/// }
///
/// let layer = AuthLayer::new(Credentials::new()).scheme(ApiKey);
/// # let _ = layer;
/// ```
pub trait Scheme: fmt::Debug + Send + Sync + 'static {
    /// Its name in lower case, such as `basic`.
    fn name(&self) -> &'static str;

    /// How well it guards the secret: offers are answered strongest first. Of those that come with this workspace,
    /// `HMACDigest` has 40, Digest 30, WSSE 20, Bearer 10 and Basic 0.
    fn strength(&self) -> u8;

    /// How well this offer guards the secret among those of the scheme: of several that a server makes at once, the one
    /// with the highest is answered first, and of equals the one that the server named first. Default: 0 for all.
    fn preference(&self, challenge: &Challenge) -> u8 {
        let _ = challenge;
        0
    }

    /// Whether who reads the request can use the secret: such a scheme is not answered over plain http unless the
    /// layer is told so.
    fn reveals_secret(&self) -> bool;

    /// Answers a challenge of this scheme: what returns signs the requests of one protection space from then on.
    ///
    /// # Errors
    ///
    /// [`CannotAnswer`] says why the next challenge must be tried.
    fn answer(&self, challenge: &Challenge, credential: &Credential) -> Result<Arc<dyn Signer>, CannotAnswer>;

    /// Signs without having been challenged, for schemes that need nothing of the server. Default: `None`, it cannot.
    fn in_advance(&self, credential: &Credential) -> Option<Arc<dyn Signer>> {
        let _ = credential;
        None
    }
}

/// Signs the requests of one protection space with one credential. Shared by all requests that are under way.
///
/// Holds what the server said (realm, nonce) and what follows from the secret; its `Debug` must show no secret.
pub trait Signer: fmt::Debug + Send + Sync + 'static {
    /// The realm that was challenged for, as the server spelt it (RFC 9110 §11.5), if there was one.
    fn realm(&self) -> Option<&[u8]>;

    /// Which requests it signs in advance, beside the one that was challenged.
    fn space(&self) -> Space<'_>;

    /// Whether it can answer this challenge, which is of its scheme and realm but came from elsewhere: what was asked for
    /// there may be another algorithm. Default: yes.
    fn fits(&self, challenge: &Challenge) -> bool {
        let _ = challenge;
        true
    }

    /// Starts a digest of the request's content, when the signature covers it. Default: `None`.
    ///
    /// The layer then feeds the whole content and hands the result to [`sign`](Self::sign). A body that cannot be
    /// read twice is not signed, and its request goes out without credentials.
    fn content_digest(&self) -> Option<Box<dyn ContentDigest>> {
        None
    }

    /// Signs one send: returns the value of `Authorization` (or `Proxy-Authorization`), and may set further fields.
    /// The layer marks that value sensitive; what else is secret, the signer marks itself.
    ///
    /// # Errors
    ///
    /// [`SignError`] fails nothing: the request goes out unsigned and the error is told.
    fn sign(&self, request: &mut Unsigned<'_>) -> Result<HeaderValue, SignError>;

    /// Looks at a challenge of its scheme that answered a request that it signed; `sent` is the value it had returned.
    /// Default: it was refused for good.
    fn challenged(&self, challenge: &Challenge, sent: &HeaderValue) -> Refusal {
        let _ = (challenge, sent);
        Refusal::Rejected
    }

    /// Looks at `Authentication-Info` of any other answer (RFC 9110 §11.6.3), empty when there was none; `sent` is the
    /// value that [`sign`](Self::sign) had returned. Default: has no opinion.
    ///
    /// # Errors
    ///
    /// [`Unproven`] when the server had to prove that it knows the secret too, and did not. It fails the exchange.
    fn accepted(&self, sent: &HeaderValue, info: &Params) -> Result<(), Unproven> {
        let _ = (sent, info);
        Ok(())
    }
}

/// A digest that is fed the content of a request piece by piece.
pub trait ContentDigest: Send {
    /// Adds the next piece.
    fn update(&mut self, piece: &[u8]);

    /// The finished digest, in the form in which the signer wants it.
    fn finish(self: Box<Self>) -> Vec<u8>;
}

/// A request that is about to be signed.
#[derive(Debug)]
pub struct Unsigned<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its absolute URI; of CONNECT, the authority.
    pub uri: &'a Uri,
    /// Its header fields, to which the signer may add.
    pub headers: &'a mut HeaderMap,
    /// The finished digest of its content, if the signer asked for one.
    pub content: Option<&'a [u8]>,
}

/// How far the protection space of a challenge reaches (RFC 9110 §11.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Space<'a> {
    /// All paths at or below the depth of the path that was challenged (RFC 7617 §2.2).
    Depth,
    /// The whole origin.
    Origin,
    /// What these URI references, separated by spaces and relative to the request's URI, lead to and all below it
    /// (RFC 7616 §3.3). References to other origins are ignored.
    Uris(&'a str),
}

/// What becomes of a request whose signature was answered with a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The credential was not at fault, such as for a nonce that was too old: sign it once more.
    Stale,
    /// The credential was not accepted.
    Rejected,
}

/// Why a challenge cannot be answered. The texts hold no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CannotAnswer {
    /// It asks for an option that the scheme does not know, such as an algorithm.
    Unsupported(String),
    /// It lacks something that the scheme requires, or that something makes no sense.
    Malformed(&'static str),
    /// The credential is of another kind or cannot be put into this scheme's form.
    Credential(&'static str),
}

/// Why a request could not be signed. The text holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignError(pub &'static str);

/// The server did not prove that it knows the secret, though it had to (RFC 7616 §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unproven;

// === impl CannotAnswer ===

impl fmt::Display for CannotAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(what) => write!(f, "{what} is not supported"),
            Self::Malformed(what) => write!(f, "the challenge is malformed, {what}"),
            Self::Credential(why) => write!(f, "the credential does not fit, {why}"),
        }
    }
}

impl Error for CannotAnswer {}

// === impl SignError ===

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request cannot be signed, {}", self.0)
    }
}

impl Error for SignError {}

// === impl Unproven ===

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server did not prove that it knows the secret")
    }
}

impl Error for Unproven {}
