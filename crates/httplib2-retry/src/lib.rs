//! A tower layer that sends HTTP requests again when that is safe and may help: after a dead connection at
//! once, otherwise as further tries with backoff, `Retry-After` and a budget.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use httplib2_retry::{RetryLayer, RetryStatuses, Tries};
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Any service of HTTP requests will do; this one is busy at first.
//! static REQUESTS: AtomicU32 = AtomicU32::new(0);
//! let server = service_fn(async |_: Request<Full<Bytes>>| {
//!     Ok::<_, std::convert::Infallible>(match REQUESTS.fetch_add(1, Ordering::Relaxed) {
//!         0 => Response::builder().status(503).header("retry-after", "1").body(Full::default()).expect("a response"),
//!         _ => Response::new(Full::new(Bytes::from_static(b"here"))),
//!     })
//! });
//! let client = RetryLayer::new().statuses(RetryStatuses::transient()).layer(server);
//!
//! let response = client.oneshot(Request::get("http://example.org/").body(Full::default())?).await?;
//! assert_eq!(response.status(), 200);
//! let tries = response.extensions().get::<Tries>().expect("it took more than one send");
//! assert_eq!(tries.to_string(), "2 sends: 503, again after 1s");
//! # Ok(())
//! # }
//! ```
//!
//! # Where it goes in a stack
//!
//! Outside of auth, so that each try is signed anew; outside of the limits and the timeout of a single try,
//! and of the client that knows its connections. Inside of the cache, which may answer stale once the last
//! try has failed, and inside of redirect and the deadline. Nothing below it should send again by itself.
//!
//! # What it does to a request
//!
//! Nothing to the first one. The next one is a copy of it: the same head, the same body, and the extensions
//! as they came, without what the layers below put into those of the send before. Whether there is a next
//! one depends on what came of the one before ([`Failure`], as the [`Classify`] of the layer tells):
//!
//! | outcome | sent again | when |
//! |---|---|---|
//! | a reused connection was lost, surely unprocessed | any method | at once, costs no try |
//! | a reused connection was lost | harmless requests | at once, costs no try |
//! | no connection, or refused unprocessed, or lost unprocessed | any method | as a further try |
//! | a new connection was lost | harmless requests | as a further try |
//! | one of [`statuses`](RetryLayer::statuses) | harmless requests | as a further try |
//! | an error of which nothing is known | with [`Repeatable`] | as a further try |
//! | timeout, error of the request's own body, anything [`Final`](Failure::Final), any other status | never | |
//!
//! *Harmless* is a request with an idempotent method (RFC 9110 §9.2.2) or with an `Idempotency-Key`, unless
//! [`Repeatable`] says otherwise. A POST that may have been acted on is never sent again on the layer's own account. The
//! body must still be whole ([`Resend`](httplib2_core::body::Resend)).
//!
//! Before a further try passes a random time, up to a ceiling that doubles from try to try, but no less than
//! `Retry-After` asks for (RFC 9110 §10.2.3, seconds or a date). A further try that would wait longer than
//! [`max_wait`](RetryLayer::max_wait) for a server, or beyond the deadline
//! ([`Remaining`](httplib2_core::context::Remaining)), or that its origin's [`RetryBudget`] does not pay for,
//! is not made: the outcome goes to the caller as it is, and at once.
//!
//! While it waits it holds nothing of the service below, neither a permit nor a service that is ready.
//!
//! # What it does to a response
//!
//! A response that is given up is read to its end within [`discard_limits`](RetryLayer::discard_limits), so
//! that its connection can be used again. A response that took more than one send carries [`Tries`]: how
//! many, why, and what was waited between them. Why one was *not* given up is in the
//! [`Journal`](httplib2_core::context::Journal).
//!
//! # Options
//!
//! | setting | default | per request |
//! |---|---|---|
//! | [`tries`](RetryLayer::tries) | 2, the first one included | [`MaxTries`] |
//! | [`statuses`](RetryLayer::statuses) | none | [`RetryStatuses`] |
//! | [`idempotent_methods`](RetryLayer::idempotent_methods) | GET, HEAD, OPTIONS, TRACE, PUT, DELETE | [`Repeatable`] |
//! | [`dead_connections`](RetryLayer::dead_connections) | 3 per call | |
//! | [`backoff`](RetryLayer::backoff) | from 100 ms, doubling, at most 10 s; full jitter | |
//! | [`max_wait`](RetryLayer::max_wait) | 30 s | |
//! | [`budget`](RetryLayer::budget) | one further try for six calls, and one per second, per origin | |
//! | [`discard_limits`](RetryLayer::discard_limits) | 64 KiB and one second per response | |
//! | [`classify`](RetryLayer::classify) | [`NothingKnown`] | |
//! | [`clock`](RetryLayer::clock), [`nonce`](RetryLayer::nonce) | the system's | |
//!
//! Waiting needs tokio's timer. Budgets are kept for 1,000 origins; those that come when none of them has
//! been idle for ten seconds share one.
//!
//! # Errors
//!
//! None of its own: those of the inner service pass through as they are, the one of the last send where
//! there were several. The journal then says how many there were.
//!
//! # What it does not do
//!
//! It sets no timeout, and sends nothing again after one: the time that the caller gave is spent. It does
//! not send the same request to two servers at a time. It does not resume a response that broke off. It does
//! not record a body that cannot be sent again: wrap it in a
//! [`ReplayBody`](httplib2_core::body::ReplayBody) for that, otherwise such a request is passed through.

mod backoff;
mod budget;
mod classify;
mod decide;
mod exchange;
mod layer;
mod options;
mod rules;
mod service;

pub use self::{
    budget::RetryBudget,
    classify::{Classify, Failure, NothingKnown},
    layer::RetryLayer,
    options::{Cause, GivenUp, MaxTries, Repeatable, RetryStatuses, Tries},
    service::Retry,
};
