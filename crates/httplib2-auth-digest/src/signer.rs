//! Signs the requests of one protection space.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::HeaderValue;
use httplib2_auth::{CannotAnswer, ContentDigest, Login, Refusal, SignError, Signer, Space, Unproven, Unsigned};
use httplib2_syntax::challenge::{Challenge, Params};

use crate::{
    account::Account,
    hash::Hasher,
    mutual::is_proven,
    offer::{MAX_ECHOED, Offer, Qop},
    rules::Rules,
    session::{Session, Subject},
    target::target,
};

pub(crate) struct DigestSigner {
    rules: Rules,
    account: Account,
    domain: Option<Box<str>>,
    session: Mutex<Arc<Session>>,
}

struct Content(Hasher);

// === impl DigestSigner ===

impl DigestSigner {
    pub(crate) fn new(offer: &Offer<'_>, login: &Login, rules: Rules) -> Result<Self, CannotAnswer> {
        let account = Account::new(offer, login)?;
        let session = Session::new(&account, offer.nonce, offer.opaque)
            .ok_or(CannotAnswer::Malformed("it holds a control character"))?;
        let session = Mutex::new(Arc::new(session));
        Ok(Self { rules, account, domain: offer.domain.map(Into::into), session })
    }

    fn session(&self) -> MutexGuard<'_, Arc<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is the same account that the server wants to see signed in the same way.
    fn is_asked_by(&self, offer: &Offer<'_>) -> bool {
        *self.account.realm == *offer.realm
            && self.account.algorithm == offer.algorithm
            && self.account.qop == offer.qop
            && self.account.hashes_name == offer.hashes_name
    }
}

impl Signer for DigestSigner {
    fn realm(&self) -> Option<&[u8]> {
        Some(&self.account.realm)
    }

    fn space(&self) -> Space<'_> {
        // RFC 7616 §3.3: without a domain it is the whole server.
        self.domain.as_deref().map_or(Space::Origin, Space::Uris)
    }

    fn fits(&self, challenge: &Challenge) -> bool {
        Offer::read(challenge, &self.rules).is_ok_and(|offer| self.is_asked_by(&offer))
    }

    fn content_digest(&self) -> Option<Box<dyn ContentDigest>> {
        (self.account.qop == Some(Qop::AuthInt))
            .then(|| Box::new(Content(self.account.algorithm.hash.hasher())) as Box<dyn ContentDigest>)
    }

    fn sign(&self, request: &mut Unsigned<'_>) -> Result<HeaderValue, SignError> {
        let content = match self.account.qop {
            Some(Qop::AuthInt) => Some(request.content.ok_or(SignError("its content was not digested"))?),
            _ => None,
        };
        let session = Arc::clone(&self.session());
        let proof = session.proof(&self.account, &*self.rules.nonce)?;
        let target = target(request.method, request.uri);
        let subject = Subject { method: request.method.as_str().as_bytes(), target: target.as_bytes(), content };
        session.write(&self.account, subject, session.next_count()?, proof.cnonce(), proof.key())
    }

    fn challenged(&self, challenge: &Challenge, sent: &HeaderValue) -> Refusal {
        let Ok(offer) = Offer::read(challenge, &self.rules) else { return Refusal::Rejected };
        if !self.is_asked_by(&offer) {
            return Refusal::Rejected;
        }
        let mut current = self.session();
        if !current.made(sent) {
            // Another request was told of a new nonce meanwhile.
            return Refusal::Stale;
        }
        let is_new = *current.nonce != *offer.nonce;
        // Many servers forget to say that it was stale. A credential that was good a while ago is tried once more, but
        // not twice without having been accepted in between.
        if !(offer.is_stale || (is_new && current.is_accepted())) {
            return Refusal::Rejected;
        }
        // A nonce that is given again goes on being counted: a count must not come twice with it.
        if is_new {
            let Some(next) = Session::new(&self.account, offer.nonce, offer.opaque) else { return Refusal::Rejected };
            *current = Arc::new(next);
        }
        Refusal::Stale
    }

    fn accepted(&self, sent: &HeaderValue, info: &Params) -> Result<(), Unproven> {
        if self.rules.mutual && !is_proven(&self.account, sent, info) {
            return Err(Unproven);
        }
        let mut current = self.session();
        // The answer to a request with an older nonce says nothing of the present one.
        if !current.made(sent) {
            return Ok(());
        }
        current.set_accepted();
        // RFC 7616 §3.5: the next requests are signed with it.
        let is_usable = |next: &&[u8]| !next.is_empty() && next.len() <= MAX_ECHOED && **next != *current.nonce;
        if let Some(next) = info.bytes("nextnonce").filter(is_usable)
            && let Some(next) = Session::new(&self.account, next, &current.opaque)
        {
            next.set_accepted();
            *current = Arc::new(next);
        }
        Ok(())
    }
}

impl fmt::Debug for DigestSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestSigner")
            .field("realm", &self.account.realm.escape_ascii().to_string())
            .field("algorithm", &self.account.algorithm.name())
            .field("qop", &self.account.qop.map_or("none", Qop::name))
            .finish_non_exhaustive()
    }
}

// === impl Content ===

impl ContentDigest for Content {
    fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0.finish().as_bytes().to_vec()
    }
}
