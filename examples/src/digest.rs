//! A server's side of Digest (RFC 7616), written from the RFC and not with the library that the examples show.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use httplib2_syntax::challenge;
use md5::{Digest, Md5};

/// Lets one user in, and each signature only once. Clones remember together.
#[derive(Clone, Debug)]
pub struct DigestGuard {
    guard: Arc<Guard>,
    domain: &'static str,
}

#[derive(Debug)]
struct Guard {
    name: &'static str,
    password: &'static str,
    nonce: String,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    challenges: usize,
    counts: HashSet<u32>,
}

const REALM: &str = "the archive";

// === impl DigestGuard ===

impl DigestGuard {
    /// A guard who knows this user.
    #[must_use]
    pub fn new(name: &'static str, password: &'static str) -> Self {
        // The keys of a hash map are random: enough for an example, too little for a server.
        let nonce = format!("{:016x}", RandomState::new().hash_one(REALM));
        let guard = Guard { name, password, nonce, memory: Mutex::default() };
        Self { guard: Arc::new(guard), domain: "/" }
    }

    /// What he says that he guards (RFC 7616 §3.3): paths with blanks between them. Default: all.
    #[must_use]
    pub fn domain(self, domain: &'static str) -> Self {
        Self { domain, ..self }
    }

    /// How many requests were answered with a challenge.
    #[must_use]
    pub fn challenges(&self) -> usize {
        self.guard.memory(|memory| memory.challenges)
    }

    /// Stands before routes: `axum::middleware::from_fn_with_state(guard, DigestGuard::check)`.
    pub async fn check(State(Self { guard, domain }): State<Self>, request: Request, next: Next) -> Response {
        match guard.look(request.method(), request.uri(), request.headers()) {
            Ok(()) => next.run(request).await,
            Err(refusal) => guard.challenge(domain, refusal),
        }
    }
}

// === impl Guard ===

impl Guard {
    /// Computes the signature of a request (RFC 7616 §3.4.1), and compares it with the one that was sent.
    fn look(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), &'static str> {
        let field = headers.get(header::AUTHORIZATION).ok_or("there is no signature")?;
        let sent = challenge::parse([field.as_bytes()]);
        let [sent] = &sent[..] else { return Err("the signature cannot be read") };
        let sent = |name| sent.params().text(name).unwrap_or_default();

        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let is_ours = [("username", self.name), ("realm", REALM), ("nonce", &self.nonce), ("uri", target)];
        if is_ours.iter().any(|(name, value)| sent(name) != *value) {
            return Err("the signature is for something else");
        }
        let secret = md5(&[self.name, REALM, self.password]);
        let request = md5(&[method.as_str(), target]);
        if sent("response") != md5(&[&secret, &self.nonce, sent("nc"), sent("cnonce"), "auth", &request]) {
            return Err("the signature is wrong");
        }
        let count = u32::from_str_radix(sent("nc"), 16).map_err(|_| "the count is none")?;
        if self.memory(|memory| memory.counts.insert(count)) { Ok(()) } else { Err("the signature was used before") }
    }

    fn challenge(&self, domain: &str, refusal: &'static str) -> Response {
        self.memory(|memory| memory.challenges += 1);
        let nonce = &self.nonce;
        let challenge =
            format!(r#"Digest realm="{REALM}", domain="{domain}", nonce="{nonce}", qop="auth", algorithm=MD5"#);
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)], refusal).into_response()
    }

    fn memory<T>(&self, look: impl FnOnce(&mut Memory) -> T) -> T {
        look(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The parts with colons between them, hashed and in hexadecimal digits.
fn md5(parts: &[&str]) -> String {
    Md5::digest(parts.join(":")).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_rfc() {
        // RFC 7616 §3.9.1.
        let secret = md5(&["Mufasa", "http-auth@example.org", "Circle of Life"]);
        let request = md5(&["GET", "/dir/index.html"]);
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let signature = md5(&[&secret, nonce, "00000001", cnonce, "auth", &request]);
        assert_eq!(signature, "8ca523f5e9506fed4657c9700eebdbec");
    }
}
