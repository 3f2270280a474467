//! Which precondition does a request get, and what does an answer teach? Pure: heads in, decisions out.

use std::time::Duration;

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use httplib2_core::who::Validators;
use httplib2_syntax::etag::{self, Listed};

use crate::{
    CreateOnly, IgnoreEtag, Precondition, Source, Unguarded,
    rules::Rules,
    tag::{Strength, if_match, is_strong, strength},
};

/// What is wanted of this layer for a request that updates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Nothing: the method is not protected.
    Nothing,
    /// The caller has a precondition of its own.
    Own(Precondition),
    /// The caller wants none.
    Ignore,
    /// It is to succeed only if nothing is there yet.
    CreateOnly,
    /// It is to succeed only if what is there is what the caller has seen.
    Tag,
}

/// What an answer says of the version that the caller has now seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lesson {
    /// Nothing: what was known stays.
    Nothing,
    /// What was known is old, and what is new cannot be known again.
    Forget,
    /// It has these validators.
    Version(Validators),
}

/// What an update was made of, as far as its precondition ensured that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// A version that the caller has seen.
    Seen,
    /// Whatever was there.
    Unknown,
}

pub(crate) fn wish(rules: &Rules, method: &Method, headers: &HeaderMap, options: &Extensions) -> Wish {
    let create_only = options.get::<CreateOnly>().is_some();
    let concerned = rules.protects(method) || (create_only && *method == Method::PUT);
    if !concerned {
        return Wish::Nothing;
    }
    if let Some(own) = own_precondition(headers) {
        Wish::Own(own)
    } else if create_only {
        Wish::CreateOnly
    } else if options.get::<IgnoreEtag>().is_some() {
        Wish::Ignore
    } else {
        Wish::Tag
    }
}

/// The precondition that a caller set, which always stands (H-LOST-02).
pub(crate) fn own_precondition(headers: &HeaderMap) -> Option<Precondition> {
    let value = |name: HeaderName| headers.get(name).cloned();
    value(header::IF_MATCH)
        .map(Precondition::IfMatch)
        .or_else(|| value(header::IF_NONE_MATCH).map(Precondition::IfNoneMatch))
        .or_else(|| value(header::IF_UNMODIFIED_SINCE).map(Precondition::IfUnmodifiedSince))
}

/// The precondition for a request that wants a tag, from what `source` knows.
pub(crate) fn precondition(
    rules: &Rules,
    method: &Method,
    known: &[Validators],
    source: Source,
) -> Result<(Precondition, Source), Unguarded> {
    let usable = |tag: &&HeaderValue| match strength(tag.as_bytes()) {
        Strength::Strong => true,
        Strength::Weak => rules.httplib2_weak_tags,
        Strength::Unusable => false,
    };
    let tags = known.iter().filter_map(|validators| validators.etag.as_ref());
    if let Some(value) = if_match(tags.filter(usable), rules.content_coding_suffixes) {
        return Ok((Precondition::IfMatch(value), source));
    }
    // Of several variants the dates tell nothing: one of them may have changed.
    if let [Validators { last_modified: Some(date), .. }] = known
        && rules.if_unmodified_since
    {
        return Ok((Precondition::IfUnmodifiedSince(date.clone()), source));
    }
    if rules.create_only && *method == Method::PUT && known.is_empty() {
        return Ok((Precondition::create_only(), Source::CreateOnly));
    }
    let weak = known.iter().any(|validators| validators.etag.is_some());
    Err(if weak { Unguarded::WeakTag } else { Unguarded::NothingKnown })
}

/// What the answer to a GET teaches: `asked` is the `If-None-Match` that the GET carried.
///
/// Only a whole version teaches a tag, because the caller edits what it has seen: with a newer tag from the
/// answer to a HEAD or from a part (206), the edit of an older version would silently overwrite the newer one.
pub(crate) fn lesson_of_read(status: StatusCode, headers: &HeaderMap, asked: &[HeaderValue]) -> Lesson {
    match status {
        StatusCode::OK => validators(headers).map_or(Lesson::Forget, Lesson::Version),
        StatusCode::NOT_MODIFIED => match unmodified_tag(headers, asked) {
            Some(tag) => Lesson::Version(Validators { etag: Some(tag), last_modified: None }),
            None => Lesson::Nothing,
        },
        // The caller has seen that nothing is there.
        StatusCode::NOT_FOUND | StatusCode::GONE => Lesson::Forget,
        _ => Lesson::Nothing,
    }
}

/// What the answer to an update teaches.
///
/// Whatever is not surely done leaves the old tag in place: should the update have been done after all, the old
/// tag costs a 412, while none at all could cost somebody's update.
pub(crate) fn lesson_of_update(
    rules: &Rules,
    method: &Method,
    basis: Basis,
    status: StatusCode,
    headers: &HeaderMap,
) -> Lesson {
    // 202 is not done yet (RFC 9110 §15.3.3), 207 is done in part (RFC 4918 §11.1).
    if !status.is_success() || matches!(status, StatusCode::ACCEPTED | StatusCode::MULTI_STATUS) {
        return Lesson::Nothing;
    }
    // The tag in the answer to another method need not be that of the resource: that of a POST belongs to what
    // the POST made (RFC 9110 §15.3.2).
    let is_known = match *method {
        Method::PUT => true,
        // A part was changed, of a version that the caller may not have seen: then it has not seen the result.
        Method::PATCH => basis == Basis::Seen,
        _ => false,
    };
    let tells = is_known && !rules.httplib2_one_shot;
    match single(headers, header::ETAG) {
        Some(tag) if tells && is_strong(tag) => {
            Lesson::Version(Validators { etag: Some(tag.clone()), last_modified: None })
        }
        _ => Lesson::Forget,
    }
}

/// What an update with this precondition was made of.
pub(crate) fn basis(precondition: Option<&Precondition>, source: Option<Source>) -> Basis {
    let is_star = |value: &HeaderValue| value.as_bytes().trim_ascii() == b"*";
    let is_seen = match precondition {
        // The caller has not seen what this layer has fetched.
        _ if source == Some(Source::Fetched) => false,
        Some(Precondition::IfMatch(value)) => !is_star(value),
        Some(Precondition::IfUnmodifiedSince(_)) => true,
        // Nothing was there.
        Some(Precondition::IfNoneMatch(value)) => is_star(value),
        None => false,
    };
    if is_seen { Basis::Seen } else { Basis::Unknown }
}

/// The strong tag of an answer, or what can be sent back as one.
pub(crate) fn strong_tag(headers: &HeaderMap) -> Option<&HeaderValue> {
    single(headers, header::ETAG).filter(|tag| is_strong(tag))
}

/// The validators of a version, as far as they are good for anything.
fn validators(headers: &HeaderMap) -> Option<Validators> {
    let etag = single(headers, header::ETAG).filter(|tag| strength(tag.as_bytes()) != Strength::Unusable);
    let last_modified = strong_date(headers);
    if etag.is_none() && last_modified.is_none() {
        return None;
    }
    Some(Validators { etag: etag.cloned(), last_modified: last_modified.cloned() })
}

/// `Last-Modified`, if nothing can have changed in the same second unseen: the answer was made at least one
/// second later (RFC 9110 §8.8.2.2).
fn strong_date(headers: &HeaderMap) -> Option<&HeaderValue> {
    let date = |value: &HeaderValue| httpdate::parse_http_date(value.to_str().ok()?).ok();
    let last_modified = single(headers, header::LAST_MODIFIED)?;
    let made = single(headers, header::DATE).and_then(date)?;
    let is_strong = made.duration_since(date(last_modified)?).is_ok_and(|age| age >= Duration::from_secs(1));
    is_strong.then_some(last_modified)
}

/// The tag of the version that a 304 confirms: the one that its `ETag` names, if it was asked for, or the only
/// one that was asked for (RFC 9110 §15.4.5).
fn unmodified_tag(headers: &HeaderMap, asked: &[HeaderValue]) -> Option<HeaderValue> {
    let mut listed = etag::list(asked.iter().map(HeaderValue::as_bytes));
    match single(headers, header::ETAG) {
        Some(named) => {
            let tag = etag::parse(named.as_bytes())?;
            listed.any(|asked| matches!(asked, Listed::Tag(asked) if asked.strong_eq(tag))).then(|| named.clone())
        }
        None if headers.contains_key(header::ETAG) => None,
        None => {
            let only = listed.next().filter(|_| listed.next().is_none())?;
            match only {
                Listed::Tag(tag) if !tag.is_weak() => {
                    HeaderValue::from_bytes(&[b"\"", tag.opaque(), b"\""].concat()).ok()
                }
                _ => None,
            }
        }
    }
}

/// The value of a field that has one.
fn single(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests;
