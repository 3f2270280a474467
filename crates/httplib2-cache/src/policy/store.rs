//! May a response be stored? (RFC 9111 §3)

use std::fmt;

use http::{HeaderMap, Method, StatusCode, header};

use super::{
    Answered, Asked, Rules, Selecting, SetCookies, Signed, Stored, directives::Flags, fields::stored_fields,
    lifetime::is_guessable, part::part,
};

/// Whether a response is stored.
#[derive(Clone, Debug)]
pub enum Keep {
    /// It is, and so.
    Store(Box<Kept>),
    /// It is not.
    Skip(NotStored),
}

/// What is stored of a response beside its status, its times and its content.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What decisions need of it.
    pub stored: Stored,
    /// Its header fields, but those that are not stored ([`stored_fields`]).
    pub headers: HeaderMap,
    /// What selects it.
    pub selecting: Selecting,
}

/// Why a response is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotStored {
    /// Only answers to GET are.
    Method,
    /// It is a part, and parts are not stored; or its `Content-Range` is not one range of a known whole, or not what was
    /// asked for; or nothing tells whether it is of the version that is stored as a whole.
    Part,
    /// Its status forbids it: it is interim, a 304, concerns the request and not the resource, or is said
    /// to be never stored (RFC 6585 §3 to §6).
    Status,
    /// It says `must-understand`, and its status is not understood (RFC 9111 §5.2.2.3).
    NotUnderstood,
    /// The request says `no-store`.
    RequestNoStore,
    /// It says `no-store`.
    NoStore,
    /// It says `private`, and the cache is a shared one.
    Private,
    /// The request was made for somebody, and the response does not say that it is for everybody (RFC 9111 §3.5).
    Authorized,
    /// Somebody would have signed the request, but the response is not marked as signed.
    MarkMissing,
    /// It sets cookies, and the cache is a shared one: [`SetCookies::Skip`] is set, or the origin gave no lifetime.
    SetCookie,
    /// It says `Vary: *`, so that nothing would select it.
    VariesOnEverything,
    /// Neither its status nor a directive or lifetime makes it cacheable (RFC 9111 §3).
    NotCacheable,
    /// It has neither a lifetime nor a validator, so that it would never be used.
    Useless,
    /// Its head has grown by one 304 after the other.
    TooManyFields,
}

/// Decides whether the answer to a request is stored, by the request as it was looked up and the head of the answer.
///
/// In a private cache it is stored for the identity that [`obtained_for`](super::obtained_for) names.
#[must_use]
pub fn store(rules: &Rules, asked: &Asked<'_>, answered: &Answered<'_>) -> Keep {
    if *asked.method != Method::GET {
        return Keep::Skip(NotStored::Method);
    }
    if asked.control.no_store {
        return Keep::Skip(NotStored::RequestNoStore);
    }
    if answered.status == StatusCode::PARTIAL_CONTENT && part(rules, asked, answered).is_none() {
        return Keep::Skip(NotStored::Part);
    }
    let stored = Stored::read(rules, answered);
    if let Some(why) = obstacle(rules, asked, answered, &stored) {
        return Keep::Skip(why);
    }
    match Selecting::of(rules, asked.headers, answered.headers) {
        Some(selecting) => Keep::Store(Box::new(Kept { stored, headers: stored_fields(rules, answered), selecting })),
        None => Keep::Skip(NotStored::VariesOnEverything),
    }
}

/// What stands against a response, whatever asked for it and however often it was updated since.
pub(super) fn obstacle(
    rules: &Rules,
    asked: &Asked<'_>,
    answered: &Answered<'_>,
    stored: &Stored,
) -> Option<NotStored> {
    let flags = stored.flags;
    let must_understand = flags.has(Flags::MUST_UNDERSTAND);
    if !is_storable(answered.status) {
        Some(NotStored::Status)
    } else if must_understand && !is_understood(answered.status) {
        Some(NotStored::NotUnderstood)
    } else if flags.has(Flags::NO_STORE) && !must_understand {
        // A cache that understands does not heed the no-store for those that do not (RFC 9111 §5.2.2.3).
        Some(NotStored::NoStore)
    } else if answered.signed == Signed::MarkMissing {
        // It may be for anybody, so it is kept for nobody.
        Some(NotStored::MarkMissing)
    } else if let Some(why) = rules.is_shared().then(|| not_for_everybody(rules, asked, answered, stored)).flatten() {
        Some(why)
    } else if !is_cacheable(rules, answered, stored) {
        Some(NotStored::NotCacheable)
    } else if !is_useful(stored) {
        Some(NotStored::Useless)
    } else {
        None
    }
}

/// What keeps a response out of a shared cache only.
fn not_for_everybody(rules: &Rules, asked: &Asked<'_>, answered: &Answered<'_>, stored: &Stored) -> Option<NotStored> {
    let is_marked = answered.signed == Signed::Marked;
    if stored.flags.has(Flags::PRIVATE) {
        Some(NotStored::Private)
    } else if asked.identity.is_some() && !is_marked {
        Some(NotStored::MarkMissing)
    } else if (is_marked || asked.is_authorized(rules)) && !stored.is_for_everybody() {
        // RFC 9111 §3.5.
        Some(NotStored::Authorized)
    } else if answered.headers.contains_key(header::SET_COOKIE) && !outlives_cookies(rules, stored) {
        Some(NotStored::SetCookie)
    } else {
        None
    }
}

/// Whether a response may stay in a shared cache that came with cookies. Once they are stripped nothing would tell any
/// more that no lifetime may be guessed, so it must have one (CACHE-53).
pub(super) fn outlives_cookies(rules: &Rules, stored: &Stored) -> bool {
    match rules.set_cookies {
        SetCookies::Keep => true,
        SetCookies::Strip => stored.lifetime.is_explicit(),
        SetCookies::Skip => false,
    }
}

fn is_storable(status: StatusCode) -> bool {
    match status.as_u16() {
        // Interim, and what is no status of HTTP (RFC 9110 §15).
        ..200 | 600.. => false,
        // Changes to a representation, which are not combined here (RFC 3229 §10.4.1).
        226 => false,
        // Updates of what is stored.
        304 => false,
        // Said of one request, one connection or one client, not of the resource (RFC 9110 §15.5.8, §15.5.13,
        // §15.5.17, §15.5.20, RFC 8470 §5.2).
        407 | 412 | 416 | 421 | 425 => false,
        // "MUST NOT be stored by a cache" (RFC 6585 §3 to §6).
        428 | 429 | 431 | 511 => false,
        _ => true,
    }
}

/// The statuses whose caching RFC 9110 §15 defines, of those that are stored.
fn is_understood(status: StatusCode) -> bool {
    is_guessable(status)
        || matches!(
            status.as_u16(),
            201 | 202 | 205 | 302 | 303 | 305 | 307 | 400..=404 | 406 | 408 | 409 | 411 | 413 | 415 | 417 | 422 | 426
                | 500 | 502..=505
        )
}

/// The last part of RFC 9111 §3.
fn is_cacheable(rules: &Rules, answered: &Answered<'_>, stored: &Stored) -> bool {
    let flags = stored.flags;
    stored.lifetime.is_explicit()
        || flags.has(Flags::PUBLIC)
        || (flags.has(Flags::PRIVATE) && !rules.is_shared())
        || is_guessable(answered.status)
}

/// Whether there is any way in which it could be used later (H-CACHE-11).
fn is_useful(stored: &Stored) -> bool {
    let may_outlive = stored.stale_while_revalidate > 0 || stored.stale_if_error > Some(0);
    let may_be_used = !stored.flags.has(Flags::NO_CACHE) && (stored.lifetime() > 0 || may_outlive);
    may_be_used || stored.has_validator()
}

impl fmt::Display for NotStored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "not stored: only answers to GET are",
            Self::Status => "not stored: its status forbids it",
            Self::Part => "not stored: it is a part that does not fit",
            Self::NotUnderstood => "not stored: must-understand, and its status is not understood",
            Self::RequestNoStore => "not stored: the request says no-store",
            Self::NoStore => "not stored: it says no-store",
            Self::Private => "not stored: it says private",
            Self::Authorized => "not stored: it was obtained for somebody",
            Self::MarkMissing => "not stored: nothing says for whom it was obtained",
            Self::SetCookie => "not stored: it sets cookies",
            Self::VariesOnEverything => "not stored: it varies on everything",
            Self::NotCacheable => "not stored: nothing makes it cacheable",
            Self::Useless => "not stored: it has neither a lifetime nor a validator",
            Self::TooManyFields => "not stored: it has too many fields",
        })
    }
}

#[cfg(test)]
mod tests;
