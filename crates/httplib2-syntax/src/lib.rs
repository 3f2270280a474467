//! Wire formats of HTTP: bytes in, values out; values in, bytes out.
//!
//! ```
//! use httplib2_syntax::uri;
//!
//! // What a caller typed becomes a URI that is safe to send (RFC 3987 §3.1).
//! let typed = uri::parse("http://Bücher.example/naïve search?q=1 2#part")?;
//! assert_eq!(typed.uri, "http://xn--bcher-kva.example/na%C3%AFve%20search?q=1%202");
//! assert_eq!(typed.fragment.as_deref(), Some("part"));
//!
//! // What a server sent in `Location` is resolved against where it came from (RFC 9110 §10.2.2).
//! let next = uri::resolve(&typed.uri, b"../other")?;
//! assert_eq!(next.uri, "http://xn--bcher-kva.example/other");
//! # Ok::<(), uri::InvalidUri>(())
//! ```
//!
//! | module | reads |
//! |---|---|
//! | [`uri`] | what callers type, and `Location` |
//! | [`challenge`] | `WWW-Authenticate`, `Proxy-Authenticate`, `Authentication-Info`; writes quoted-strings |
//! | [`netrc`] | the text of a `.netrc` |
//! | [`etag`] | `ETag`, `If-Match`, `If-None-Match` |
//! | [`cache_control`] | `Cache-Control`, and numbers of seconds |
//! | [`sf`] | dictionaries of structured fields, such as `CDN-Cache-Control` |
//! | [`vary`] | `Vary`, and other lists of field names |
//! | [`list`] | the members of any list |
//! | [`age`] | `Age` |
//! | [`date`] | `Date`, `Expires`, `Last-Modified` |
//! | [`range`] | `Range`, `Content-Range`; writes both |
//! | [`retry_after`] | `Retry-After` |
//! | [`timestamp`] | nothing; it writes the time that WSSE and `HMACDigest` sign |
//!
//! Parsers of fields that may stand on several lines take all of them, as
//! `headers.get_all(name).iter().map(|value| value.as_bytes())`. What is malformed is never an error, because a
//! response is no worse for it: each module says what is read in its place, and that is the safe reading.
//!
//! Nothing here decides anything, sends anything or knows the layers. Every parser runs in linear time on
//! what a hostile peer may send, and never panics.

mod lex;

pub mod age;
pub mod cache_control;
pub mod challenge;
pub mod date;
pub mod etag;
pub mod list;
pub mod netrc;
pub mod range;
pub mod retry_after;
pub mod sf;
pub mod timestamp;
pub mod uri;
pub mod vary;
