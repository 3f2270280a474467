//! Signs the requests of one protection space.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use http::HeaderValue;
use httplib2_auth::{CannotAnswer, Credential, Refusal, SignError, Signer, Space, Unsigned};
use httplib2_core::context::{Clock, Nonce};
use httplib2_syntax::{
    challenge::Challenge,
    timestamp::{self, Timestamp},
};

use super::session::{Session, Subject};
use crate::{hash::Hex, offer::unsupported, target::target};

pub(super) struct HmacSigner {
    clock: Arc<dyn Clock>,
    nonce: Arc<dyn Nonce>,
    realm: Box<[u8]>,
    /// Kept because a later challenge may have another salt.
    credential: Credential,
    session: Mutex<Arc<Session>>,
}

// === impl HmacSigner ===

impl HmacSigner {
    pub(super) fn new(
        challenge: &Challenge,
        credential: &Credential,
        clock: Arc<dyn Clock>,
        nonce: Arc<dyn Nonce>,
    ) -> Result<Self, CannotAnswer> {
        let login = credential.as_login().ok_or(CannotAnswer::Credential("it is no name and password"))?;
        let params = challenge.params();
        if let Some(reason) = params.bytes("reason")
            && !is_one_of(reason, ["unauthorized", "integrity"])
        {
            return Err(unsupported("reason", reason));
        }
        let session = Mutex::new(Arc::new(Session::new(params, login)?));
        let realm = params.bytes("realm").unwrap_or_default().into();
        Ok(Self { clock, nonce, realm, credential: credential.clone(), session })
    }

    fn session(&self) -> MutexGuard<'_, Arc<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signer for HmacSigner {
    fn realm(&self) -> Option<&[u8]> {
        Some(&self.realm)
    }

    fn space(&self) -> Space<'_> {
        Space::Depth
    }

    fn fits(&self, challenge: &Challenge) -> bool {
        let asked = self.credential.as_login().map(|login| Session::new(challenge.params(), login));
        matches!(asked, Some(Ok(asked)) if asked.signs_like(&self.session()))
    }

    fn sign(&self, request: &mut Unsigned<'_>) -> Result<HeaderValue, SignError> {
        let mut bytes = [0; 16];
        self.nonce.fill(&mut bytes).map_err(|_| SignError("there are no random bytes for its nonce"))?;
        let target = target(request.method, request.uri);
        let created = created(self.clock.now()).ok_or(SignError("the clock is not before the year 10000"))?;
        let subject = Subject {
            method: request.method.as_str().as_bytes(),
            target: target.as_bytes(),
            headers: request.headers,
            created: &created,
        };
        let session = Arc::clone(&self.session());
        session.write(subject, Hex::of(&bytes).as_bytes())
    }

    // H-HMAC-05.
    fn challenged(&self, challenge: &Challenge, sent: &HeaderValue) -> Refusal {
        let params = challenge.params();
        if params.bytes("realm") != Some(&*self.realm) {
            return Refusal::Rejected;
        }
        let mut current = self.session();
        if !current.made(sent) {
            // Another request was told of a new nonce meanwhile.
            return Refusal::Stale;
        }
        if !params.bytes("reason").is_some_and(|reason| is_one_of(reason, ["integrity", "stale"])) {
            return Refusal::Rejected;
        }
        match self.credential.as_login().map(|login| Session::new(params, login)) {
            Some(Ok(next)) => {
                *current = Arc::new(next);
                Refusal::Stale
            }
            _ => Refusal::Rejected,
        }
    }
}

impl fmt::Debug for HmacSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacSigner").field("realm", &self.realm.escape_ascii().to_string()).finish_non_exhaustive()
    }
}

fn is_one_of(reason: &[u8], known: [&str; 2]) -> bool {
    known.iter().any(|known| reason.eq_ignore_ascii_case(known.as_bytes()))
}

/// The time of the signature. Times before 1970 are taken for its beginning.
fn created(time: SystemTime) -> Option<Timestamp> {
    timestamp::utc(time.max(SystemTime::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    // The expected values are those of Python's datetime.
    #[test]
    fn a_timestamp_is_in_utc_and_whole_seconds() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (784_111_777, "1994-11-06T08:49:37Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            let created = created(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
            assert_eq!(str::from_utf8(&created), Ok(expected));
        }
        assert_eq!(created(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), Some(*b"1970-01-01T00:00:00Z"));
    }
}
