//! What two or more of the httplib2 crates must name, and nothing else.
//!
//! ```
//! use bytes::Bytes;
//! use http_body_util::Full;
//! use httplib2_core::body::Resend;
//! use httplib2_core::who::Origin;
//!
//! // One answer to "can this body be sent again?", whoever asks: redirect, retry or auth.
//! let body = Full::new(Bytes::from_static(b"hello"));
//! assert!(body.try_clone().is_some());
//!
//! // Equality of origins *is* "same origin" (RFC 9110 §4.3.1).
//! let a = Origin::of(&"http://example.org/a".parse()?);
//! let b = Origin::of(&"http://EXAMPLE.org:80/b".parse()?);
//! assert_eq!(a, b);
//! # Ok::<(), http::uri::InvalidUri>(())
//! ```
//!
//! Five modules:
//!
//! | module | answers |
//! |---|---|
//! | [`error`] | what is the typed cause of this boxed error? |
//! | [`body`] | can this body be sent again, and how is an unwanted one given up? |
//! | [`send`] | how does a layer call the service that was polled ready, once or several times? |
//! | [`context`] | what time is it, who runs background work, how long is left, what was decided? |
//! | [`who`] | which origin is this, and for whom was this response obtained? |
//!
//! There is no layer here, no policy, no header parsing and no configuration. Timers come from tokio's
//! `time` feature; no runtime is started.

pub mod body;
pub mod context;
pub mod error;
pub mod send;
pub mod who;
