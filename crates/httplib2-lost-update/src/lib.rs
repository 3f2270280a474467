//! A tower layer that detects lost updates (RFC 9110 §13.1.1): what a client writes carries the entity tag of what
//! it has read, so the server refuses it if somebody else was faster.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Method, Request, Response, StatusCode, header::IF_MATCH};
//! use http_body_util::Full;
//! use httplib2_lost_update::{Guard, LostUpdateLayer};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), httplib2_core::error::BoxError> {
//! // Any service of HTTP requests will do; on this one the document is already at its second version.
//! let server = service_fn(async |request: Request<Full<Bytes>>| {
//!     let response = match (request.method(), request.headers().get(IF_MATCH)) {
//!         (&Method::GET, _) => Response::builder().header("etag", "\"v1\""),
//!         (_, Some(tag)) if tag == "\"v1\"" => Response::builder().status(412).header("etag", "\"v2\""),
//!         _ => Response::builder().status(204),
//!     };
//!     Ok::<_, http::Error>(response.body(Full::<Bytes>::default())?)
//! });
//! let client = LostUpdateLayer::new().layer(server);
//!
//! client.clone().oneshot(Request::get("http://example.org/doc").body(Full::default())?).await?;
//! let response = client.oneshot(Request::put("http://example.org/doc").body(Full::from("mine"))?).await?;
//!
//! assert_eq!(response.status(), StatusCode::PRECONDITION_FAILED);
//! let guard = response.extensions().get::<Guard>().expect("it was an update");
//! assert_eq!(guard.to_string(), "If-Match: \"v1\" from the ledger, refused: 412, now it is \"v2\"");
//! # Ok(())
//! # }
//! ```
//!
//! # Where it goes in a stack
//!
//! Inside of redirect: each hop is a request of its own, and what was asked of one URI is learnt of that one. Outside
//! of the cache, which must not see the write before its tag is taken, of retry and of auth, so that every try and
//! every answer to a challenge carries the same tag. Outside of decompression: what it fetches for a merge is then
//! decoded. Inside of whatever sets `Authorization` and `Cookie` from outside, because they tell editors apart.
//!
//! # What it does to a request
//!
//! A PUT or a PATCH gets `If-Match` with the tag of the version that the ledger knows: of the same URI, of the
//! variant that its fields select, else of all variants, and seen by the same editor. A precondition that the caller
//! has set stands, and nothing is added to it. All else passes as it is.
//!
//! | the known tag | is sent |
//! |---|---|
//! | strong | yes |
//! | weak | no: `If-Match` compares strongly, so it never matches (RFC 9110 §8.8.3.2) |
//! | text without quotes, which is no tag | as it came, unless it is `*` or could not stand in a list |
//! | of the variant that the fields of the update select | that one alone |
//! | of variants that only fields selected which the update does not have | yes, all of these |
//! | only of variants that another `Accept` or the like selected | yes, all of them: a wrong one costs a 412 |
//! | more than 1 KiB | no |
//!
//! An **editor** is whoever shares `Authorization` and `Cookie` fields, or an [`Editor`] number. One entry of the
//! ledger is one editor's last view of one resource. Tasks that share a client and edit the same resource at the
//! same time are several editors: they give each request an [`Editor`], or set `If-Match` themselves. A client that
//! first reads without a session and then writes with one is two editors as well; see
//! [`credentials_separate_editors`](LostUpdateLayer::credentials_separate_editors).
//!
//! # What it does to a response
//!
//! It learns from the head of every answer that passes, also of those that no cache may keep. The rule behind the
//! table: a tag that is too old costs a 412; a tag that is too new, or none at all, costs somebody's update. So a tag
//! is learnt only with content that the caller has been given, and forgotten only when the caller must know that it
//! is old.
//!
//! | answer | what is known after it |
//! |---|---|
//! | 200 to GET | its validators, with `Vary: *` only a strong tag; nothing, if it has none |
//! | 304 to GET | the tag that it confirms, of those that the caller asked for |
//! | 404, 410 to GET | nothing |
//! | HEAD, 206, redirects, errors | as before: the caller has not seen the version that they may name |
//! | 2xx to PUT | its strong tag (RFC 9110 §9.3.4), or nothing |
//! | 2xx to PATCH | its strong tag, if a precondition ensured what was changed; else nothing |
//! | 2xx to a merged update | as before: the caller has not seen what was merged in |
//! | 2xx to DELETE, and to other methods that are protected | nothing |
//! | 202, 207, an error, a failed send | as before: whether it was done is not known |
//! | 412 | nothing of what was expected |
//! | other methods | as before: what they did to the resource, the caller has not seen |
//!
//! A GET that was under way while an update was answered does not replace the tag which that answer taught.
//!
//! Each answer to a protected method carries [`Guard`]: the precondition and where it came from, or why there was
//! none; and for a 412 the [`Conflict`], for a 428 the [`Refusal`]. Both statuses are returned as they are. Only where
//! the caller gave a [`MergeHook`] (see [`merge_fn`]) is a refused request sent again: the current version is fetched
//! with a GET past all caches, the hook makes one of the two, and that is sent with the tag of what was fetched, for as
//! many rounds as are allowed. A precondition of the caller is never replaced, and where what was read may be another
//! variant than the one that the request selects, nothing is merged.
//!
//! A response to a request to which a precondition was added also says which
//! ([`Guarded`](httplib2_core::who::Guarded)), so that a layer outside that follows its redirect sends it on.
//!
//! # Options
//!
//! | setting | default | per request |
//! |---|---|---|
//! | [`optimistic_concurrency_methods`](LostUpdateLayer::optimistic_concurrency_methods) | PUT, PATCH | [`IgnoreEtag`] |
//! | [`require_tag`](LostUpdateLayer::require_tag) | no | [`RequireTag`] |
//! | [`create_only`](LostUpdateLayer::create_only) | no | [`CreateOnly`] |
//! | [`credentials_separate_editors`](LostUpdateLayer::credentials_separate_editors) | yes | [`Editor`] |
//! | [`known_tags`](LostUpdateLayer::known_tags) | none | |
//! | [`if_unmodified_since`](LostUpdateLayer::if_unmodified_since) | no | |
//! | [`content_coding_suffixes`](LostUpdateLayer::content_coding_suffixes) | no | |
//! | [`guard_after_conflict`](LostUpdateLayer::guard_after_conflict) | no | |
//! | [`merge`](LostUpdateLayer::merge) | [`NoMerge`] | [`MergeHook`] |
//! | [`merge_rounds`](LostUpdateLayer::merge_rounds) | 5 | |
//! | [`merge_bytes`](LostUpdateLayer::merge_bytes) | 1 MiB for each version | |
//! | [`fetch_tag_on_428`](LostUpdateLayer::fetch_tag_on_428) | no | |
//! | [`discard_limits`](LostUpdateLayer::discard_limits) | 64 KiB and one second per response | |
//! | [`max_uris`](LostUpdateLayer::max_uris) | 4,096 | |
//! | [`max_bytes`](LostUpdateLayer::max_bytes) | 2 MiB | |
//! | [`httplib2_weak_tags`](LostUpdateLayer::httplib2_weak_tags) | no | |
//! | [`httplib2_one_shot`](LostUpdateLayer::httplib2_one_shot) | no | |
//!
//! # Errors
//!
//! [`LostUpdateError`], and only where a tag is required; inner errors pass through as they are. A refusal is a
//! response, not an error. What keeps a conflict from being merged, an error of the GET included, is a fact on the 412
//! that is then returned ([`NotMerged`]); an error of the merged update itself is the caller's.
//!
//! # What it does not do
//!
//! It does not know what the caller has read of a body: it learns when the head arrives. It keeps no bodies, no URIs
//! and no credentials, but tags and keyed hashes, in memory, for as long as a clone of the service lives. It guards
//! nothing whose URI has no origin, such as `/doc` alone. It does not lock (RFC 4918 §7), and it cannot make a
//! server honour `If-Match`.

mod again;
mod decide;
mod error;
mod exchange;
mod guard;
mod layer;
mod ledger;
mod merge;
mod options;
mod place;
mod rules;
mod service;
mod tag;

pub use self::{
    error::LostUpdateError,
    guard::{Conflict, Guard, NotMerged, Precondition, Refusal, Source, Unguarded},
    layer::LostUpdateLayer,
    merge::{Merge, MergeHook, Merger, NoMerge, Versions, merge_fn},
    options::{CreateOnly, Editor, IgnoreEtag, RequireTag},
    service::LostUpdate,
};
