//! What the caller says about one request. All are request extensions.

/// Sends this request without a precondition of this layer, whatever is known: last writer wins.
///
/// What its answer says is learnt all the same. httplib2's `ignore_etag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IgnoreEtag;

/// Sends `If-None-Match: *`, also where a tag is known: the request succeeds only if nothing is there yet
/// (RFC 9110 §13.1.2).
///
/// For PUT and the methods that are protected; others ignore it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateOnly;

/// Whether a protected request is refused rather than sent when no precondition can be made for it. It
/// replaces [`LostUpdateLayer::require_tag`](crate::LostUpdateLayer::require_tag) for this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequireTag(pub bool);

/// Who edits, for editors that share one client: what one has seen is never used for the edit of another.
///
/// The number is the caller's own, such as that of a user or of a task. It takes the place of the request's
/// `Authorization` and `Cookie` fields, which tell editors apart where there is no `Editor`, so it is also
/// right where these change from request to request. The requests that read and the one that writes must
/// carry the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Editor(pub u64);
