//! A server's side of WSSE, written without the library that the examples show.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use httplib2_syntax::challenge;
use sha1::{Digest, Sha1};

/// Lets one user in, and each token only once. Clones remember together.
///
/// It does not look at the clock; a server does, so that it need not keep nonces for ever.
#[derive(Clone, Debug)]
pub struct WsseGuard {
    name: &'static str,
    password: &'static str,
    challenges: bool,
    nonces: Arc<Mutex<HashSet<String>>>,
}

// === impl WsseGuard ===

impl WsseGuard {
    /// A guard who knows this user, and tells others how to sign.
    #[must_use]
    pub fn new(name: &'static str, password: &'static str) -> Self {
        Self { name, password, challenges: true, nonces: Arc::default() }
    }

    /// Refuses with 403 and tells nobody how to sign, as many servers of WSSE did.
    #[must_use]
    pub fn without_challenge(self) -> Self {
        Self { challenges: false, ..self }
    }

    /// How many tokens were good.
    #[must_use]
    pub fn let_in(&self) -> usize {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Stands before routes: `axum::middleware::from_fn_with_state(guard, WsseGuard::check)`.
    pub async fn check(State(guard): State<Self>, request: Request, next: Next) -> Response {
        const CHALLENGE: &str = r#"WSSE realm="the feed", profile="UsernameToken""#;
        match guard.look(request.headers()) {
            Ok(()) => next.run(request).await,
            Err(refusal) if guard.challenges => {
                (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, CHALLENGE)], refusal).into_response()
            }
            Err(refusal) => (StatusCode::FORBIDDEN, refusal).into_response(),
        }
    }

    /// Computes the digest of nonce, time and password, and compares it with the one that was sent.
    fn look(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        let field = headers.get("x-wsse").ok_or("there is no token")?;
        let sent = challenge::parse([field.as_bytes()]);
        let [sent] = &sent[..] else { return Err("the token cannot be read") };
        let sent = |name| sent.params().text(name).unwrap_or_default();

        let nonce = STANDARD.decode(sent("Nonce")).map_err(|_| "the nonce cannot be read")?;
        let digest =
            Sha1::new().chain_update(&nonce).chain_update(sent("Created")).chain_update(self.password).finalize();
        if sent("Username") != self.name || sent("PasswordDigest") != STANDARD.encode(digest) {
            return Err("the token is wrong");
        }
        let is_new = self.nonces.lock().unwrap_or_else(PoisonError::into_inner).insert(sent("Nonce").to_owned());
        if is_new { Ok(()) } else { Err("the token was used before") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_python_computed_is_good_once() {
        // base64(sha1(b"0123456789abcdef" + b"2003-12-15T14:43:07Z" + b"taadtaadpstcsm")), with hashlib.
        let token = r#"UsernameToken Username="joe", PasswordDigest="olSClbh8kEiYF23jfXBQobBgbeg=", Nonce="MDEyMzQ1Njc4OWFiY2RlZg==", Created="2003-12-15T14:43:07Z""#;
        let mut headers = HeaderMap::new();
        headers.insert("x-wsse", token.parse().expect("a field value"));
        let guard = WsseGuard::new("joe", "taadtaadpstcsm");
        assert_eq!(guard.look(&headers), Ok(()));
        assert_eq!(guard.look(&headers), Err("the token was used before"));
        assert_eq!(WsseGuard::new("joe", "other").look(&headers), Err("the token is wrong"));
    }
}
