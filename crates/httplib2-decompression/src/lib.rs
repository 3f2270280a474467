//! A tower layer that asks for compressed responses and decodes them while they stream (RFC 9110 §8.4), within
//! limits that no bomb passes.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, header::{ACCEPT_ENCODING, CONTENT_ENCODING}};
//! use http_body_util::{BodyExt, Full};
//! use httplib2_decompression::{Decoded, DecompressionLayer};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), httplib2_core::error::BoxError> {
//! // Any service of HTTP requests will do; this one compresses "hello" for whoever asks for it.
//! let server = service_fn(async |request: Request<Full<Bytes>>| {
//!     assert!(request.headers()[ACCEPT_ENCODING].to_str().unwrap().starts_with("gzip, deflate, br"));
//!     let hello = *b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0";
//!     let response = Response::builder().header(CONTENT_ENCODING, "gzip");
//!     Ok::<_, std::convert::Infallible>(response.body(Full::new(Bytes::copy_from_slice(&hello))).unwrap())
//! });
//! let client = DecompressionLayer::new().layer(server);
//!
//! let response = client.oneshot(Request::get("http://example.org/").body(Full::default())?).await?;
//! let fact = response.extensions().get::<Decoded>().expect("it was coded");
//! assert_eq!(fact.to_string(), "decoded from gzip");
//! assert_eq!(response.into_body().collect().await?.to_bytes(), "hello");
//! # Ok(())
//! # }
//! ```
//!
//! # Where it goes in a stack
//!
//! Outside of a cache, which then sees `Accept-Encoding` and keeps the bytes of the wire, so that `Vary`, `ETag`,
//! 304, ranges and `Content-Length` agree. Inside of redirect, so that the answer of each hop is decoded.
//! Where the layer stands twice the outer one asks, the inner one takes that for the caller's word, and
//! only the outer one decodes.
//!
//! # What it does to a request
//!
//! It adds `Accept-Encoding: gzip, deflate, br, zstd`, naming only what this build decodes, to a request that has
//! neither `Accept-Encoding` nor `Range` (RFC 9110 §12.5.3). Who names codings, if only `identity`, gets the
//! answer as it comes. A range would be one of the coded bytes, so none are invited. CONNECT is left alone.
//!
//! # What it does to a response
//!
//! It removes the codings that `Content-Encoding` names, in any letter case, as a list or in several fields,
//! the last one first:
//!
//! | coding | formats | what may follow its end |
//! |---|---|---|
//! | `gzip`, `x-gzip` | gzip, any number of members | zeros, or at most 64 KiB of junk, passed over |
//! | `deflate` | zlib | at most 64 KiB of junk, passed over |
//! | `deflate` | bare deflate data | nothing |
//! | `br` | brotli, windows up to 16 MiB | nothing |
//! | `zstd` | Zstandard, any number of frames, windows up to 8 MiB | nothing but a further frame |
//! | `identity` | | |
//!
//! Junk is passed over, as browsers do, only where a checksum has shown that what was decoded is whole; the
//! journal tells it. An empty body is an empty body under any coding.
//!
//! `Content-Encoding` and `Content-Length` go, since they speak of the coded bytes; [`Decoded`] keeps what they
//! said. All else stays: `ETag` and `Vary`, which a cache outside may ask about, `Accept-Ranges`, which speaks of
//! the resource, and trailers. The body is decoded as it streams; whatever has arrived is handed on
//! before more is waited for, in frames of up to 256 KiB.
//!
//! Nothing is touched, fields included: in the answer to HEAD; in 1xx, 204, 205, 206 and 304 (RFC 9110 §15); and
//! where one of the codings is unknown, or there are too many of them. The last two are told by
//! [`NotDecoded`], and not made an error: the fields still tell the truth about the body, and nothing is lost.
//!
//! # Options
//!
//! | setting | default | per request |
//! |---|---|---|
//! | [`decoding`](DecompressionLayer::decoding) | [`Decoding::Auto`] | [`Decoding`] |
//! | [`codings`](DecompressionLayer::codings) | gzip, deflate, br, zstd | |
//! | [`ranked`](DecompressionLayer::ranked) | no: all codings are equally welcome | |
//! | [`max_codings`](DecompressionLayer::max_codings) | 2 | |
//! | [`decode_limit_hard`](DecompressionLayer::decode_limit_hard) | 1 GiB | [`DecodeLimits`] |
//! | [`decode_limit_safe`](DecompressionLayer::decode_limit_safe) | 10 MiB | [`DecodeLimits`] |
//! | [`decode_limit_ratio`](DecompressionLayer::decode_limit_ratio) | 100 | [`DecodeLimits`] |
//! | [`decode_limit_chunk`](DecompressionLayer::decode_limit_chunk) | 64 KiB | [`DecodeLimits`] |
//!
//! Names and meaning of the limits are those of httplib2, and so are the defaults but one:
//!
//! - hard: 1 GiB, where httplib2 has 10. A reader who collects the body should fail before the machine does; who
//!   writes it to a file can raise the limit for that request.
//! - safe: 10 MiB is no harm to anybody, and small pages of one repeated line may well exceed the ratio.
//! - ratio: 100. Text rarely passes 20, logs and generated tables come to 50, bombs begin at 1,000: deflate ends
//!   at 1,032, brotli and zstd go beyond 10,000. So a bomb of any size is given up just after 10 MiB.
//! - chunk: 64 KiB. Output steps are bounded anyway, to 256 KiB, and limits are looked at after each.
//! - codings: 2. Two happen, when a file that was stored compressed is compressed again; more do not.
//!
//! Each of several codings has to keep the limits, the ratio counted in bytes of the wire.
//!
//! The feature `zstd`, on by default, needs a C compiler. Without it `zstd` is neither asked for nor decoded.
//!
//! # Errors
//!
//! Those of the inner service pass through; the layer adds none. A body that is damaged, cut off or over a limit
//! fails with a [`DecodeError`] after what was decoded before it; errors of the inner body pass
//! through unwrapped. What the failed body had decoded to is never passed off as a whole one: a cut is seen
//! anywhere but exactly between two members of gzip or two frames of zstd.
//!
//! # What it does not do
//!
//! It does not remove a *transfer* coding (`TE`, RFC 9112 §7), and does not compress requests. It knows no
//! dictionaries (RFC 9842). It does not heed `Cache-Control: no-transform`, which is for proxies: a proxy passes
//! [`Decoding::Raw`] along. It does not correct `Content-MD5` or `Repr-Digest`, which speak of the coded bytes.

mod body;
mod chain;
mod codec;
mod coding;
mod decide;
mod error;
mod exchange;
mod frames;
mod layer;
mod options;
mod rules;
mod service;
mod stage;

pub use self::{
    body::DecodedBody,
    coding::Coding,
    error::{DecodeError, DecodeErrorKind},
    layer::DecompressionLayer,
    options::{DecodeLimits, Decoded, Decoding, NotDecoded},
    service::Decompression,
};
