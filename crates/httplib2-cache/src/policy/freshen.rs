//! What becomes of a stored response when the origin says that it still holds (RFC 9111 §3.2, §4.3.4, §4.3.5).

use http::{HeaderMap, HeaderName, Method, StatusCode, header};

use super::{
    Answered, Asked, Held, NotStored, Rules, Selecting, Stored, directives,
    fields::stored_fields,
    store::{obstacle, outlives_cookies},
    wire,
};

/// A stored response after an update. Its fields answer the request in any case.
#[derive(Clone, Debug)]
pub struct Freshened {
    /// Its header fields.
    pub headers: HeaderMap,
    /// What decisions need of it.
    pub stored: Stored,
    /// What becomes of it in the store.
    pub then: Then,
}

/// What becomes of a stored response in the store after an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// The update is stored.
    Update,
    /// The update changed its `Vary`, and is stored: from now on these fields of the present request select it.
    Reselect(Selecting),
    /// It stays as it was, because the request says `no-store`.
    Leave,
    /// It is dropped: as it is now, it may not be stored.
    Drop(NotStored),
}

/// What a 200 answer to HEAD says about a stored response of its URI (RFC 9111 §4.3.5).
#[derive(Clone, Debug)]
pub enum HeadSays {
    /// It is the same: this update is due.
    Same(Box<Freshened>),
    /// It is another: the stored one is dropped.
    Changed,
    /// Nothing that can be compared.
    Nothing,
}

/// Fields that describe the content which is stored, and that no update changes: a 304 has no content of its own, and a
/// 206 another one.
const OF_THE_CONTENT: [HeaderName; 5] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
];

/// Updates a stored response with the fields of a 304 that [`not_modified`](super::not_modified) found to be about
/// it.
///
/// Each field of the 304 replaces the stored one, but those that are not stored, and those that describe the stored
/// content: `Content-Length`, `Content-Encoding`, `Content-Range`, `Content-Digest` and `Content-MD5`. `Age` and, without
/// one in the 304, `Date` start anew.
#[must_use]
pub fn freshen(rules: &Rules, asked: &Asked<'_>, held: &Held<'_>, answered: &Answered<'_>) -> Freshened {
    let headers = merged(rules, held.headers, answered);
    let status = held.stored.status();
    let updated = Answered { status, headers: &headers, ..*answered };
    let stored = Stored::read(rules, &updated);
    let sets_cookies = answered.headers.contains_key(header::SET_COOKIE);
    let then = if headers.len() > MOST_FIELDS {
        Then::Drop(NotStored::TooManyFields)
    } else if rules.is_shared() && sets_cookies && !outlives_cookies(rules, &stored) {
        Then::Drop(NotStored::SetCookie)
    } else {
        then(rules, asked, held, &updated, &stored)
    };
    Freshened { headers, stored, then }
}

/// Compares a stored response with the answer to a HEAD request that it would have been selected for.
///
/// It is the same if the tag, the modification date and the length that both tell are the same, and it is told by one
/// of the first two: another version may have the same length.
#[must_use]
pub fn freshen_by_head(rules: &Rules, asked: &Asked<'_>, held: &Held<'_>, answered: &Answered<'_>) -> HeadSays {
    let is_comparable =
        *asked.method == Method::HEAD && answered.status == StatusCode::OK && held.stored.status() == StatusCode::OK;
    if !is_comparable {
        return HeadSays::Nothing;
    }
    let mut is_told = false;
    for field in [header::ETAG, header::LAST_MODIFIED, header::CONTENT_LENGTH] {
        if !answered.headers.contains_key(&field) {
            continue;
        }
        let known = wire::single(held.headers, &field);
        if field == header::CONTENT_LENGTH && known.is_none() {
            // A chunked answer has no such field.
            continue;
        }
        if known.is_none() || wire::single(answered.headers, &field) != known {
            return HeadSays::Changed;
        }
        is_told |= field != header::CONTENT_LENGTH;
    }
    if is_told { HeadSays::Same(Box::new(freshen(rules, asked, held, answered))) } else { HeadSays::Nothing }
}

/// What each 304 adds stays, so that a hostile origin could make a head grow for ever.
const MOST_FIELDS: usize = 512;

/// RFC 9111 §3.2.
fn merged(rules: &Rules, stored: &HeaderMap, answered: &Answered<'_>) -> HeaderMap {
    let update = stored_fields(rules, answered);
    let mut headers = stored.clone();
    headers.remove(header::AGE);
    for name in update.keys().filter(|name| !OF_THE_CONTENT.contains(name)) {
        headers.remove(name);
        for value in update.get_all(name) {
            headers.append(name.clone(), value.clone());
        }
    }
    // The directives of one may list fields of the other.
    for name in directives::withheld(rules, &headers) {
        headers.remove(name);
    }
    headers
}

fn then(rules: &Rules, asked: &Asked<'_>, held: &Held<'_>, updated: &Answered<'_>, stored: &Stored) -> Then {
    if asked.control.no_store {
        return Then::Leave;
    }
    if let Some(why) = obstacle(rules, asked, updated, stored) {
        return Then::Drop(why);
    }
    if wire::lines(held.headers, &header::VARY).eq(wire::lines(updated.headers, &header::VARY)) {
        return Then::Update;
    }
    match Selecting::of(rules, asked.headers, updated.headers) {
        Some(selecting) => Then::Reselect(selecting),
        None => Then::Drop(NotStored::VariesOnEverything),
    }
}

#[cfg(test)]
mod tests;
