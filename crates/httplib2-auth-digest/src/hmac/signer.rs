//! Signs the requests of one protection space.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use http::HeaderValue;
use httplib2_auth::{CannotAnswer, Credential, Refusal, SignError, Signer, Space, Unsigned};
use httplib2_core::context::{Clock, Nonce};
use httplib2_syntax::challenge::Challenge;

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
        let subject = Subject {
            method: request.method.as_str().as_bytes(),
            target: target.as_bytes(),
            headers: request.headers,
            created: &timestamp(self.clock.now()),
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

/// The time as in RFC 3339 §5.6, in UTC and whole seconds. Times before 1970 are taken for its beginning.
fn timestamp(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    // Counted in eras of 400 years that begin in March, so that the leap day is the last day of a year.
    let since_era = day + 719_468;
    let (era, day) = (since_era / 146_097, since_era % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    let year = year + era * 400;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(timestamp(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
        assert_eq!(timestamp(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00Z");
    }
}
