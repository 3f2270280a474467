//! Is this response followed, and with what? Pure: heads in, a decision out.

use std::sync::Arc;

use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use httplib2_core::who::Origin;
use httplib2_syntax::uri;

use crate::{
    Attempt, Downgrade, MaxRedirects, NotFollowed, RedirectPolicy,
    carry::{has_credentials, has_precondition},
    rules::Rules,
};

/// What becomes of a response.
#[derive(Debug, PartialEq)]
pub(crate) enum Decision {
    /// It is no redirect: it goes to the caller.
    Return,
    /// It is one, and still goes to the caller.
    Keep(NotFollowed),
    /// It is given up for the next request.
    Follow(Next),
}

/// How the next request differs from the one before.
#[derive(Debug, PartialEq)]
pub(crate) struct Next {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) fragment: Option<Arc<str>>,
    pub(crate) drops_body: bool,
    pub(crate) leaves_origin: bool,
}

/// The request that was sent.
#[derive(Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) options: &'a Extensions,
    pub(crate) content: Content,
    /// How many redirects led to it.
    pub(crate) hops: usize,
}

/// What is known of the body of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Absent,
    CanBeSentAgain,
    Gone,
}

/// No chain is longer, whatever limit is set: its history has to end somewhere.
const MOST_REDIRECTS: usize = 1_000;

pub(crate) fn decide(
    rules: &Rules,
    policy: &dyn RedirectPolicy,
    sent: Sent<'_>,
    status: StatusCode,
    headers: &HeaderMap,
) -> Decision {
    if !rules.codes.contains(&status) {
        return Decision::Return;
    }
    if status == StatusCode::MULTIPLE_CHOICES && !headers.contains_key(header::LOCATION) {
        // The server has no preference (RFC 9110 §15.4.1): the body lists the choices.
        return Decision::Return;
    }
    match next(rules, policy, sent, status, headers) {
        Ok(next) => Decision::Follow(next),
        Err(reason) => Decision::Keep(reason),
    }
}

fn next(
    rules: &Rules,
    policy: &dyn RedirectPolicy,
    sent: Sent<'_>,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Next, NotFollowed> {
    if !rules.follows(rules.follow_for(sent.options), status, sent.method) {
        return Err(NotFollowed::UnsafeMethod);
    }
    let limit = sent.options.get().map_or(rules.max_redirects, |MaxRedirects(limit)| *limit).min(MOST_REDIRECTS);
    if sent.hops >= limit {
        return Err(NotFollowed::Limit(limit));
    }
    let target = uri::resolve(sent.uri, location(headers)?.as_bytes()).map_err(NotFollowed::InvalidLocation)?;
    let attempt = Attempt {
        status,
        from: sent.uri,
        to: &target.uri,
        method: &rules.next_method(status, sent.method),
        hops: sent.hops,
        options: sent.options,
    };
    let method = policy.look(&attempt).into_method()?;
    let next = Next {
        drops_body: rules.drops_body(status, sent.method, &method),
        leaves_origin: leaves_origin(sent.uri, &target.uri),
        method,
        uri: target.uri,
        fragment: target.fragment.map(Arc::from),
    };
    permit(rules, sent, &next)?;
    Ok(next)
}

/// `Location` has one value, and it says something.
fn location(headers: &HeaderMap) -> Result<&HeaderValue, NotFollowed> {
    let mut values = headers.get_all(header::LOCATION).iter();
    let first = values.next().filter(|value| !value.is_empty()).ok_or(NotFollowed::MissingLocation)?;
    if values.all(|other| other == first) { Ok(first) } else { Err(NotFollowed::AmbiguousLocation) }
}

/// What must not travel this hop, and cannot simply be left out.
fn permit(rules: &Rules, sent: Sent<'_>, next: &Next) -> Result<(), NotFollowed> {
    let content = if next.drops_body { Content::Absent } else { sent.content };
    if content == Content::Gone {
        return Err(NotFollowed::BodyGone);
    }
    if sent.uri.scheme_str() == Some("https") && next.uri.scheme_str() == Some("http") {
        let secrets = content != Content::Absent || has_credentials(sent.headers, rules);
        match rules.downgrade {
            Downgrade::Allow => {}
            Downgrade::RefuseSecrets if !secrets => {}
            Downgrade::RefuseSecrets | Downgrade::Refuse => return Err(NotFollowed::Downgrade),
        }
    }
    if next.leaves_origin && !rules.is_safe(&next.method) && has_precondition(sent.headers) {
        return Err(NotFollowed::Precondition);
    }
    Ok(())
}

fn leaves_origin(from: &Uri, to: &Uri) -> bool {
    let same_text = from.scheme() == to.scheme() && from.authority() == to.authority();
    !same_text && (Origin::of(from).is_none() || Origin::of(from) != Origin::of(to))
}

#[cfg(test)]
mod tests;
