//! How a stored response is validated, and what a 304 says about it (RFC 9111 §4.3).

use http::{HeaderMap, HeaderValue, header};
use httplib2_syntax::etag::{self, Listed};

use super::{
    Asked, Held, Rules,
    conditions::has_condition,
    select::is_same_user,
    wire::{self, Tag},
};

/// The conditions that a request gets in addition to, or in place of, those of the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// What `If-None-Match` becomes; `None` leaves it as it is.
    pub if_none_match: Option<HeaderValue>,
    /// What `If-Modified-Since` becomes; `None` leaves it as it is.
    pub if_modified_since: Option<HeaderValue>,
}

/// What a 304 answer means, if the positions are those of the variants that it was asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotModified {
    /// That stored response still holds: [`freshen`](super::freshen) it, and answer with it.
    Freshen(usize),
    /// That stored response answers this request, but is not updated: only a weak comparison finds it
    /// (RFC 9111 §4.3.4).
    Confirm(usize),
    /// It answers the caller's own condition and says nothing of what is stored.
    PassOn,
    /// It says nothing of what is stored, and perhaps not of what the caller has: the request is sent again with the
    /// caller's conditions alone. If that brings a 304 too, it goes to the caller.
    SendAgain,
}

/// How many entity tags are sent at most, and how many bytes of them.
const MOST_TAGS: usize = 16;
const MOST_BYTES: usize = 4096;

/// The conditions that ask the origin about the selected response or, if there is none, about all variants that
/// are stored for the one who asks (RFC 9111 §4.3.1).
///
/// Where the caller has conditions of its own, the tags go together, and [`not_modified`] tells by its tag whose
/// the 304 is. A modification date cannot be told apart like that: the caller's stays alone.
#[must_use]
pub fn conditions<'a>(
    rules: &Rules,
    asked: &Asked<'_>,
    selected: Option<Held<'a>>,
    variants: impl IntoIterator<Item = Held<'a>>,
) -> Conditions {
    let if_none_match = match selected {
        Some(held) => with_tags(asked, Tag::of(held.headers)),
        None => {
            let variants = variants.into_iter().filter(|held| is_same_user(rules, asked, held));
            // A weak tag may be that of several variants (RFC 9110 §8.8.1): what it finds could be another one.
            let strong = |tag: &Tag<'_>| is_entity(tag) && !tag.is_weak();
            with_tags(asked, variants.filter_map(|held| Tag::of(held.headers)).filter(strong))
        }
    };
    let if_modified_since = selected
        .filter(|held| held.stored.last_modified.is_some() && !has_condition(asked))
        .and_then(|held| wire::single(held.headers, &header::LAST_MODIFIED).cloned());
    Conditions { if_none_match, if_modified_since }
}

/// Tells what a 304 means for the `variants` of a URI, of which one may have been selected.
#[must_use]
pub fn not_modified<'a>(
    rules: &Rules,
    asked: &Asked<'_>,
    variants: impl IntoIterator<Item = Held<'a>>,
    selected: Option<usize>,
    answer: &HeaderMap,
) -> NotModified {
    let variants = variants.into_iter().enumerate().filter(|(_, held)| is_same_user(rules, asked, held));
    // The selected one first, then the most recent one.
    let mut variants: Vec<_> = variants.collect();
    variants.sort_by_key(|(at, held)| (Some(*at) != selected, std::cmp::Reverse(held.stored.date())));
    // Where tags of both were sent, only the tag of the 304 tells whose condition it answers.
    let answers_caller =
        || variants.is_empty() && has_condition(asked) || Tag::of(answer).is_some_and(|tag| is_asked_for(asked, tag));
    identified(&variants, selected, asked, answer)
        .unwrap_or_else(|| if answers_caller() { NotModified::PassOn } else { NotModified::SendAgain })
}

/// Whether a tag is one of those that the caller's own `If-None-Match` names.
fn is_asked_for(asked: &Asked<'_>, tag: Tag<'_>) -> bool {
    let mut listed = etag::list(wire::lines(asked.headers, &header::IF_NONE_MATCH));
    listed.any(|member| matches!(member, Listed::Tag(own) if Tag::Entity(own).weak_eq(tag)))
}

/// RFC 9111 §4.3.4.
fn identified(
    variants: &[(usize, Held<'_>)],
    selected: Option<usize>,
    asked: &Asked<'_>,
    answer: &HeaderMap,
) -> Option<NotModified> {
    let with_tag = |may_be: &dyn Fn(usize) -> bool, equals: &dyn Fn(Tag<'_>) -> bool| {
        let is_it = |(at, held): &&(usize, Held<'_>)| may_be(*at) && Tag::of(held.headers).is_some_and(equals);
        variants.iter().find(is_it).map(|(at, _)| *at)
    };
    if answer.contains_key(header::ETAG) {
        let tag = Tag::of(answer)?;
        // Variants may have the same weak tag, so it speaks of the one that the request selects.
        let weakly = with_tag(&|at| Some(at) == selected, &|stored| stored.weak_eq(tag));
        if tag.is_weak() {
            return weakly.map(NotModified::Freshen);
        }
        let strongly = with_tag(&|_| true, &|stored| stored.strong_eq(tag));
        return strongly.map(NotModified::Freshen).or_else(|| weakly.map(NotModified::Confirm));
    }
    // A date and silence tell no variants apart.
    let (at, held) = variants.iter().find(|(at, _)| Some(*at) == selected)?;
    if answer.contains_key(header::LAST_MODIFIED) {
        let modified = |headers| wire::single(headers, &header::LAST_MODIFIED);
        return (modified(answer) == modified(held.headers)).then_some(NotModified::Freshen(*at));
    }
    // Nothing else was asked about.
    (!has_condition(asked)).then_some(NotModified::Freshen(*at))
}

/// The caller's `If-None-Match` with these tags added, or `None` when it stays as it is.
fn with_tags<'a>(asked: &Asked<'_>, tags: impl IntoIterator<Item = Tag<'a>>) -> Option<HeaderValue> {
    let listed = || etag::list(wire::lines(asked.headers, &header::IF_NONE_MATCH));
    // To what is `*` or no list, nothing can be added.
    if listed().any(|member| !matches!(member, Listed::Tag(_))) {
        return None;
    }
    let mut value = Vec::new();
    for line in wire::lines(asked.headers, &header::IF_NONE_MATCH) {
        append(&mut value, line.trim_ascii());
    }
    let is_alone = value.is_empty();
    let mut added: Vec<Tag<'_>> = Vec::new();
    for tag in tags {
        let is_known = match tag {
            Tag::Entity(tag) => listed().any(|member| matches!(member, Listed::Tag(known) if is_same(known, tag))),
            // What is no tag is sent back as it came, but not within a list.
            Tag::Other(_) => !is_alone,
        };
        let text = text(tag);
        let length = value.len() + ", ".len() + text.len();
        let is_full = added.len() == MOST_TAGS || (!added.is_empty() && length > MOST_BYTES);
        if !is_known && !is_full && !added.iter().any(|other| other.weak_eq(tag)) {
            append(&mut value, &text);
            added.push(tag);
        }
    }
    if added.is_empty() { None } else { HeaderValue::from_bytes(&value).ok() }
}

fn is_entity(tag: &Tag<'_>) -> bool {
    matches!(tag, Tag::Entity(_))
}

fn is_same(left: etag::EntityTag<'_>, right: etag::EntityTag<'_>) -> bool {
    left.weak_eq(right) && left.is_weak() == right.is_weak()
}

fn append(value: &mut Vec<u8>, member: &[u8]) {
    if member.is_empty() {
        return;
    }
    if !value.is_empty() {
        value.extend_from_slice(b", ");
    }
    value.extend_from_slice(member);
}

/// The tag as it was received.
fn text(tag: Tag<'_>) -> Vec<u8> {
    match tag {
        Tag::Other(value) => value.to_vec(),
        Tag::Entity(tag) => {
            let prefix: &[u8] = if tag.is_weak() { b"W/\"" } else { b"\"" };
            [prefix, tag.opaque(), b"\""].concat()
        }
    }
}

// === impl Conditions ===

impl Conditions {
    /// Sets the fields of a request.
    pub fn apply(self, headers: &mut HeaderMap) {
        for (name, value) in
            [(header::IF_NONE_MATCH, self.if_none_match), (header::IF_MODIFIED_SINCE, self.if_modified_since)]
        {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
    }
}

/// Whether two responses are surely the same, octet by octet: both have the same strong entity tag
/// (RFC 9110 §8.8.3.2).
#[must_use]
pub fn is_same_version(one: &HeaderMap, other: &HeaderMap) -> bool {
    Tag::of(one).zip(Tag::of(other)).is_some_and(|(one, other)| is_entity(&one) && one.strong_eq(other))
}

#[cfg(test)]
mod tests;
