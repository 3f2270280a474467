//! A tower layer that answers HTTP requests from a store by the rules of RFC 9111, for one user agent or as a shared
//! cache for several users.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, header::CACHE_CONTROL};
//! use http_body_util::{BodyExt, Full};
//! use httplib2_cache::{CacheLayer, Served};
//! use httplib2_store::MemoryStore;
//! use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! // Any service of HTTP requests will do; this one counts them.
//! static REQUESTS: AtomicU32 = AtomicU32::new(0);
//! let server = service_fn(async |_: Request<Full<Bytes>>| {
//!     let text = format!("answer {}", REQUESTS.fetch_add(1, Ordering::Relaxed));
//!     Ok::<_, std::convert::Infallible>(
//!         Response::builder().header(CACHE_CONTROL, "max-age=60").body(Full::from(text)).expect("a response"),
//!     )
//! });
//! let client = CacheLayer::private(Arc::new(MemoryStore::new())).layer(server);
//!
//! let request = || Request::get("http://example.org/").body(Full::default());
//! let first = client.clone().oneshot(request()?).await?;
//! assert_eq!(first.into_body().collect().await?.to_bytes(), "answer 0");
//! let second = client.oneshot(request()?).await?;
//! let served = second.extensions().get::<Served>().expect("each response says where it comes from");
//! assert_eq!(served.to_string(), "fresh (age 0 s < lifetime 60 s) -> stored response");
//! assert_eq!(second.into_body().collect().await?.to_bytes(), "answer 0");
//! # Ok(())
//! # }
//! ```
//!
//! # Where it goes in a stack
//!
//! Outside of retry and auth, so that a hit costs no challenge, no permit and no connection; inside of redirect and
//! decompression, so that each hop is stored for itself and the store holds what was on the wire. Layers that
//! add fields by which an origin selects (`Cookie`, `Accept-Encoding`) go outside. The layer that signs goes inside:
//! its handle is given to [`CacheLayer::who_signs`], and it marks responses with
//! [`SignedAs`](httplib2_core::who::SignedAs). Of two caches the outer one works and the other does nothing.
//!
//! The service is always ready. The inner one is made ready in the future, and only if something is sent.
//!
//! # What it does to a request
//!
//! A GET or HEAD is looked up by its URI, the fields that `Vary` names, in a private cache its user, and `Host` where
//! that is not the host of the URI. If a stored response may be used, nothing is sent. If it has to be
//! validated, `If-None-Match` and `If-Modified-Since` are added to those of the caller, and a 304 about another version
//! than the stored one is not believed: the request is sent again without them. Requests with `If-Match`,
//! `If-Unmodified-Since`, `Upgrade` or content are sent as they are, and so are those of other methods. One that is not
//! safe drops what is stored of its URI when its answer is no error or a 412, when no answer comes and when the caller
//! goes away before; a GET that is under way meanwhile is not stored.
//!
//! Where there is an executor, requests of the same URI, user and selecting fields become one that is sent there, if
//! nothing or something stale is stored for them (RFC 9111 §4). The others wait for its head and then read its answer
//! along, if that is being stored and may be used for them, or have what it changed in the store; which fields
//! select, the first answer tells. For anything else each is sent, all at once, and for ten seconds those that follow do
//! not wait. A failure is that of the first caller alone. Requests with `Range`, `no-cache`, `no-store`, `max-age=0`
//! or a mode, in a shared cache those that are made for somebody, and all but GET are never joined to others; one with
//! `If-None-Match` or `If-Modified-Since` may wait, but others wait for it only while it validates. What the first caller
//! gives up goes on within the budget of the background, without its deadline. No request joins one that was begun before
//! its key was invalidated.
//!
//! A `Range` in bytes is answered from what is stored: one range with a 206, several with `multipart/byteranges`, one
//! beyond the end with a 416; one that cannot be read is ignored, and one in another unit is for the origin. It goes along
//! when the whole is validated. Where only a part is stored, the rest is asked for with `Range` and `If-Range`, and comes
//! right behind (or before) what is stored. If the answer is not that rest, of the same version by a strong validator, the
//! request is sent again as the caller made it. A stale part is not validated: what lies within it is asked for anew.
//!
//! # What it does to a response
//!
//! It comes at once. Its body goes to the caller and to the store frame by frame; only as a whole, with the announced
//! length and the trailers, it becomes visible as one. A 206 is stored as a part, and so is what came of a 200 with a
//! strong validator and a `Content-Length` that broke off. Parts that overlap or touch become one if their strong
//! validator is the same; otherwise there is one part of each variant: of the newer version, or else the larger one. A part
//! answers only what lies within it, and never a HEAD request or one with conditions. One that the caller asked for with
//! `If-Range` comes without the fields that it has (RFC 9110 §15.3.7), and is stored only together with these. What is not
//! stored passes untouched. What comes from the store has an `Age`; fields that speak of one connection are not stored. A
//! proxy must remove those from what it passes on itself (RFC 9110 §7.6.1). Every response has a [`Served`], and the
//! journal a line. In a shared cache, and by option in a private one, `Cache-Status` says the same to others (RFC 9211).
//!
//! A body that several read is taken from the origin by whoever is fastest and held for the others within
//! [`collapse_buffer`](CacheLayer::collapse_buffer). Who falls further behind reads on from the store once the body is
//! there, so nobody is held up by a slow reader. There are two exceptions: a body of unknown length waits for its first
//! caller, who would have got it without the store; and once the store gave a body up all readers are waited for, each
//! time at most for [`collapse_wait`](CacheLayer::collapse_wait). Those who are left behind then get an error.
//!
//! Responses are kept for the user that they were obtained for: in a private cache one user's answer never reaches
//! another, whether the caller signs for itself or a layer further in does; a shared cache keeps of those only what is
//! for everybody (RFC 9111 §3.5). If somebody was to sign and the response has no mark, it is not stored.
//!
//! # Options
//!
//! | setting | default | per request |
//! |---|---|---|
//! | [`private`](CacheLayer::private), [`shared`](CacheLayer::shared), [`with_rules`](CacheLayer::with_rules) | | [`CacheMode`] |
//! | [`executor`](CacheLayer::executor) | none: nothing runs in the background | |
//! | [`background`](CacheLayer::background) | 16 MiB and 30 s for each piece of work | |
//! | [`who_signs`](CacheLayer::who_signs) | nobody | |
//! | [`credential`](CacheLayer::credential) | `Authorization` | |
//! | [`base`](CacheLayer::base) | none: requests for a path alone pass by | |
//! | [`max_object`](CacheLayer::max_object) | what the store takes | |
//! | [`patience`](CacheLayer::patience) | 5 s for each answer of the store | |
//! | [`collapse`](CacheLayer::collapse) | on, if there is an executor | |
//! | [`collapse_wait`](CacheLayer::collapse_wait) | 5 s | |
//! | [`collapse_buffer`](CacheLayer::collapse_buffer) | 4 MiB for each body, 16 times that for all | |
//! | [`collapse_stale`](CacheLayer::collapse_stale) | nothing stale | |
//! | [`disconnected`](CacheLayer::disconnected) | every error | |
//! | [`cache_status`](CacheLayer::cache_status) | in a shared cache | |
//! | [`parts`](CacheLayer::parts) | on | |
//! | [`clock`](CacheLayer::clock) | the system's | |
//! | [`nonce`](CacheLayer::nonce) | the system's | |
//!
//! What RFC 9111 leaves open is set in [`policy::Rules`]. Waiting needs tokio's timer.
//!
//! # Errors
//!
//! Those of the inner service pass through as they are. Its own are two, both of bodies: [`CacheError`], where the
//! origin did not send the rest of a part as it was announced, and [`CollapseError`], for what several callers share: the
//! executor dropped the request, the body broke off (with the error of the inner body as its cause, and only if more
//! than one reads it), or its reader fell behind and the store does not have the rest. A store that fails is a miss and a
//! `tracing` event of level `WARN`, never a failed request. Only a body that comes from it can fail: one that turns out to
//! be damaged while it is read, with a [`StoreError`](httplib2_store::StoreError), and the rest for who fell behind. A
//! request that may not be sent gets a 504.
//!
//! # What it does not do
//!
//! It does not store answers with several parts, nor more than one part of a variant; it does not ask for what is
//! missing at two sides, nor copy more than a piece of work in the background may read to make one part of two. It does
//! not store answers to POST. It does not look at fields that an origin reflects without naming them in `Vary`, such as
//! `X-Forwarded-Host` or `X-HTTP-Method-Override`: a proxy removes them before.

mod ask;
mod background;
mod body;
mod change;
mod collapse;
mod complete;
mod error;
mod exchange;
mod forward;
mod found;
mod handle;
mod keep;
mod layer;
mod options;
mod parts;
pub mod policy;
mod range;
mod refresh;
mod respond;
mod served;
mod service;
mod settings;
mod splice;
mod stock;
mod tee;
mod untrue;

pub use self::{
    body::CacheBody,
    collapse::CollapseError,
    error::CacheError,
    handle::CacheHandle,
    layer::CacheLayer,
    options::CacheMode,
    served::{Kept, Served, Update, Validator},
    service::Cache,
};
