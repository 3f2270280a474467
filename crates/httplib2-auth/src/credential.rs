//! What proves who the user is.

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

/// A secret and whose it is. Cheap to clone; the secret is wiped when the last clone goes, and `Debug` hides it.
///
/// ```
/// use httplib2_auth::Credential;
///
/// let login = Credential::login("joe", "s3cret");
/// assert_eq!(format!("{login:?}"), "Credential(..)");
/// // Tokens come and go, their user stays: answers that were kept for one are good for the next.
/// let token = Credential::token("mF_9.B5f-4.1JqM").with_identity("joe");
/// # let _ = token;
/// ```
#[derive(Clone)]
pub struct Credential {
    kind: Arc<Kind>,
    identity: Option<Arc<str>>,
}

#[derive(PartialEq, Eq)]
enum Kind {
    Login(Login),
    Token(Token),
}

/// A name and a password.
#[derive(PartialEq, Eq)]
pub struct Login {
    name: Box<str>,
    password: Zeroizing<Box<[u8]>>,
}

/// A token that is sent as it is, such as that of the Bearer scheme (RFC 6750).
#[derive(PartialEq, Eq)]
pub struct Token {
    text: Zeroizing<Box<str>>,
}

// === impl Credential ===

impl Credential {
    /// A name and a password, as the user typed them.
    ///
    /// The password is bytes because servers compare bytes; text is sent as UTF-8.
    pub fn login(name: impl Into<Box<str>>, password: impl AsRef<[u8]>) -> Self {
        let password = Zeroizing::new(password.as_ref().into());
        Self::new(Kind::Login(Login { name: name.into(), password }))
    }

    /// A token.
    pub fn token(text: impl AsRef<str>) -> Self {
        Self::new(Kind::Token(Token { text: Zeroizing::new(text.as_ref().into()) }))
    }

    /// Says whose it is, in a text that is the same for all credentials of one user and no secret.
    ///
    /// Default: the name of a login, and of a token a hash of the token, so that a new token counts as another user.
    #[must_use]
    pub fn with_identity(self, identity: impl Into<Arc<str>>) -> Self {
        Self { identity: Some(identity.into()), ..self }
    }

    /// The name and the password, if it is those.
    #[must_use]
    pub fn as_login(&self) -> Option<&Login> {
        match &*self.kind {
            Kind::Login(login) => Some(login),
            Kind::Token(_) => None,
        }
    }

    /// The token, if it is one.
    #[must_use]
    pub fn as_token(&self) -> Option<&Token> {
        match &*self.kind {
            Kind::Login(_) => None,
            Kind::Token(token) => Some(token),
        }
    }

    /// Whether both are clones of one credential, or hold the same name and secret.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.kind, &other.kind) || self.kind == other.kind
    }

    pub(crate) fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    fn new(kind: Kind) -> Self {
        Self { kind: Arc::new(kind), identity: None }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

// === impl Login ===

impl Login {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The password. Whoever copies it wipes the copy.
    #[must_use]
    pub fn password(&self) -> &[u8] {
        &self.password
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(..)")
    }
}

// === impl Token ===

impl Token {
    /// The token itself. Whoever copies it wipes the copy.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
