//! A tower layer that follows HTTP redirects (RFC 9110 §15.4), keeps their history and lets nothing leave an
//! origin that belongs to it.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, header::LOCATION};
//! use http_body_util::Full;
//! use httplib2_redirect::{Hops, RedirectLayer};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Any service of HTTP requests will do; this one sends everybody to /new.
//! let server = service_fn(async |request: Request<Full<Bytes>>| {
//!     Ok::<_, std::convert::Infallible>(match request.uri().path() {
//!         "/new" => Response::new(Full::new(Bytes::from_static(b"here"))),
//!         _ => Response::builder().status(302).header(LOCATION, "/new").body(Full::default()).expect("a response"),
//!     })
//! });
//! let client = RedirectLayer::new().layer(server);
//!
//! let response = client.oneshot(Request::get("http://example.org/old").body(Full::default())?).await?;
//! let hops = response.extensions().get::<Hops>().expect("it was redirected");
//! assert_eq!(hops.to_string(), "302 http://example.org/old -> http://example.org/new");
//! # Ok(())
//! # }
//! ```
//!
//! # Where it goes in a stack
//!
//! Outside of everything that belongs to one URI: cookies, lost update, cache, retry, auth. Each hop is
//! then a request of its own to them. Inside of the deadline, which covers the whole chain. No extension of
//! the request is dropped on a hop, so per-request options of the layers inside keep their effect.
//!
//! # What it does to a request
//!
//! Nothing to the first one. The next one has the method that the status asks for:
//!
//! | status | GET, HEAD, OPTIONS, TRACE | other methods | other methods with [`Follow::All`] |
//! |---|---|---|---|
//! | 300 with `Location`, 301, 307 | same | handed back | same, with body |
//! | 302 | same | handed back | POST becomes GET without body, others stay |
//! | 303 | GET (HEAD stays HEAD) | GET without body | GET without body |
//! | 308 | same | same, with body | same, with body |
//!
//! What leaves an origin (scheme, host and port) carries no `Authorization`, `Cookie`, `Cookie2`,
//! `Proxy-Authorization`, `X-WSSE`, no field named with [`RedirectLayer::sensitive_header`] or marked
//! sensitive, no precondition, no `Range`, no `If-Range` and no `Host`. What was dropped stays dropped on
//! later hops. A safe request drops its preconditions on every hop, since they speak of another resource. A
//! precondition that a layer further in added ([`Guarded`](httplib2_core::who::Guarded)) counts as the caller's own. What was
//! led to another origin says where it all began ([`FirstOrigin`](httplib2_core::who::FirstOrigin)). A
//! request that lost its body drops the fields that describe it. Userinfo in a `Location` is left out;
//! fragments are inherited and never sent.
//!
//! # What it does to a response
//!
//! A response that is followed is read to its end within [`RedirectLayer::discard_limits`], so that its
//! connection can be used again. The last response, and one that redirects but was not followed, carries
//! [`Hops`]: the chain of earlier responses, the effective URI, and the reason ([`NotFollowed`]).
//!
//! # Options
//!
//! | setting | default | per request |
//! |---|---|---|
//! | [`follow`](RedirectLayer::follow) | [`Follow::Safe`] | [`Follow`] |
//! | [`max_redirects`](RedirectLayer::max_redirects) | 5 | [`MaxRedirects`] |
//! | [`redirect_codes`](RedirectLayer::redirect_codes) | 300, 301, 302, 303, 307, 308 | |
//! | [`safe_methods`](RedirectLayer::safe_methods) | GET, HEAD, OPTIONS, TRACE | |
//! | [`sensitive_header`](RedirectLayer::sensitive_header) | none | mark the value sensitive |
//! | [`forward_authorization_headers`](RedirectLayer::forward_authorization_headers) | no | |
//! | [`downgrade`](RedirectLayer::downgrade) | [`Downgrade::RefuseSecrets`] | |
//! | [`policy`](RedirectLayer::policy) | [`Always`] | the policy sees the request's extensions |
//! | [`history_bytes`](RedirectLayer::history_bytes) | 64 KiB for all bodies of a chain | |
//! | [`discard_limits`](RedirectLayer::discard_limits) | 64 KiB and one second per response | |
//! | [`moved_post_becomes_get`](RedirectLayer::moved_post_becomes_get) | no | |
//! | [`httplib2_methods`](RedirectLayer::httplib2_methods) | no | |
//! | the fragment of the URI | none | [`Fragment`] |
//!
//! # Errors
//!
//! None of its own: those of the inner service pass through. That a redirect was not followed is a fact on
//! the response, not an error.
//!
//! # What it does not do
//!
//! It remembers no permanent redirect: a cache inside of it does. It sends no `Referer`. It does not record
//! a body that cannot be sent again: wrap it in a
//! [`ReplayBody`](httplib2_core::body::ReplayBody) for that, otherwise a redirect that needs the body is
//! handed back with [`NotFollowed::BodyGone`].

mod carry;
mod decide;
mod exchange;
mod layer;
mod options;
mod policy;
mod rules;
mod service;

pub use self::{
    layer::RedirectLayer,
    options::{Follow, Fragment, Hop, Hops, MaxRedirects, NotFollowed},
    policy::{Always, And, Attempt, Limit, PolicyFn, RedirectPolicy, SameOrigin, Verdict, policy_fn},
    rules::Downgrade,
    service::Redirect,
};
