//! A guard that asks for WSSE: in memory, since no server that is packaged knows it.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, header};
use http_body_util::Full;
use httplib2_core::context::{Clock, SystemClock};
use httplib2_syntax::challenge;
use sha1::{Digest, Sha1};

use super::guards::{PASSWORD, SECRET, USER};

/// Lets the user of [`guards`](super::guards) in, and nobody twice with the same nonce. Clones remember together.
///
/// ```
/// use bytes::Bytes;
/// use http::Request;
/// use httplib2_tests::servers::wsse::{Guard, Refusal};
///
/// // With the test kit it becomes an origin on loopback:
/// // `Loopback::plain(move |request| ready(guard.answer(&request)))`.
/// let guard = Guard::default();
/// let response = guard.answer(&Request::new(Bytes::new()));
/// assert_eq!(response.status(), 401);
/// assert_eq!(guard.refusals(), [Refusal::Unsigned]);
/// ```
#[derive(Clone, Debug)]
pub struct Guard {
    clock: Arc<dyn Clock>,
    plain_nonces: bool,
    challenges: bool,
    memory: Arc<Mutex<Memory>>,
}

/// Why a request was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has neither `Authorization` nor `X-WSSE`.
    Unsigned,
    /// `Authorization` is there more than once, not at all, or says something else than the profile.
    Authorization,
    /// `X-WSSE` is there more than once, not at all, or has another form than all clients give it.
    Token,
    /// Nobody has this name.
    User,
    /// The digest is not that of the password, the nonce and the time.
    Digest,
    /// The time is further away than [`WINDOW`].
    Time,
    /// The nonce was seen before.
    Replay,
}

#[derive(Debug, Default)]
struct Memory {
    nonces: HashSet<String>,
    let_in: usize,
    refusals: Vec<Refusal>,
}

/// How far the time of a token may be from that of the guard: five minutes.
pub const WINDOW: Duration = Duration::from_secs(300);

const X_WSSE: HeaderName = HeaderName::from_static("x-wsse");

const CHALLENGE: &str = "WSSE realm=\"wsse\", profile=\"UsernameToken\"";

// === impl Guard ===

impl Default for Guard {
    /// Takes nonces in base64, challenges whom it refuses, and has the time of the operating system.
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), plain_nonces: false, challenges: true, memory: Arc::default() }
    }
}

impl Guard {
    /// Digests the text of a nonce in place of the bytes that it stands for, as the test server of httplib2 does.
    #[must_use]
    pub fn plain_nonces(self) -> Self {
        Self { plain_nonces: true, ..self }
    }

    /// Refuses without a challenge (status 403), as most servers of WSSE did.
    #[must_use]
    pub fn without_challenge(self) -> Self {
        Self { challenges: false, ..self }
    }

    /// Where it takes the time from.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Answers with [`SECRET`], or refuses.
    pub fn answer(&self, request: &Request<Bytes>) -> Response<Full<Bytes>> {
        match self.look(request.headers()) {
            Ok(()) => {
                self.memory().let_in += 1;
                Response::new(Full::from(SECRET))
            }
            Err(refusal) => {
                self.memory().refusals.push(refusal);
                let mut response = Response::new(Full::from(refusal.to_string()));
                if self.challenges {
                    *response.status_mut() = StatusCode::UNAUTHORIZED;
                    response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE.parse().expect("a field value"));
                } else {
                    *response.status_mut() = StatusCode::FORBIDDEN;
                }
                response
            }
        }
    }

    /// Returns how many requests were let in.
    pub fn let_in(&self) -> usize {
        self.memory().let_in
    }

    /// Returns why the others were not, in the order in which they came.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.memory().refusals.clone()
    }

    fn look(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if !headers.contains_key(header::AUTHORIZATION) && !headers.contains_key(X_WSSE) {
            return Err(Refusal::Unsigned);
        }
        if only(headers, &header::AUTHORIZATION) != Some(b"WSSE profile=\"UsernameToken\"") {
            return Err(Refusal::Authorization);
        }
        let [name, digest, nonce, created] = only(headers, &X_WSSE).and_then(parameters).ok_or(Refusal::Token)?;
        if name != USER {
            return Err(Refusal::User);
        }
        let digested = if self.plain_nonces {
            nonce.clone().into_bytes()
        } else {
            STANDARD.decode(&nonce).map_err(|_| Refusal::Token)?
        };
        let expected = Sha1::new().chain_update(digested).chain_update(&created).chain_update(PASSWORD).finalize();
        if digest != STANDARD.encode(expected) {
            return Err(Refusal::Digest);
        }
        let created = time(&created).ok_or(Refusal::Token)?;
        let now = self.clock.now();
        let away = now.duration_since(created).or_else(|_| created.duration_since(now)).unwrap_or_default();
        if away > WINDOW {
            return Err(Refusal::Time);
        }
        if self.memory().nonces.insert(nonce) { Ok(()) } else { Err(Refusal::Replay) }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Refusal ===

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsigned => "there is no token",
            Self::Authorization => "Authorization is not that of WSSE",
            Self::Token => "X-WSSE has another form",
            Self::User => "nobody has this name",
            Self::Digest => "the digest is wrong",
            Self::Time => "the token is too old or too new",
            Self::Replay => "the nonce was seen before",
        })
    }
}

/// The value of a field that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes())
}

/// Name, digest, nonce and time, if they are all there is, and in this order (H-WSSE-01).
fn parameters(token: &[u8]) -> Option<[String; 4]> {
    let tokens = challenge::parse([token]);
    let [token] = &tokens[..] else { return None };
    let mut values = Vec::new();
    for ((name, value), expected) in token.params().iter().zip(["Username", "PasswordDigest", "Nonce", "Created"]) {
        if name != expected {
            return None;
        }
        values.push(String::from_utf8(value.to_vec()).ok()?);
    }
    let is_whole = token.scheme() == "UsernameToken" && token.params().iter().count() == 4;
    if is_whole { values.try_into().ok() } else { None }
}

/// Reads `YYYY-MM-DDTHH:MM:SSZ`, of 1970 and later.
fn time(text: &str) -> Option<SystemTime> {
    let is_form = text.len() == 20
        && text.bytes().zip(b"dddd-dd-ddTdd:dd:ddZ").all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            _ => byte == *form,
        });
    if !is_form {
        return None;
    }
    let number = |at: usize, width: usize| text[at..at + width].parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    if year < 1970 || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let (before, rest) = months.split_at(usize::try_from(month - 1).ok()?);
    if !(1..=rest[0]).contains(&day) {
        return None;
    }
    let years: u64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let days = years + before.iter().sum::<u64>() + day - 1;
    Some(UNIX_EPOCH + Duration::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second))
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests;
