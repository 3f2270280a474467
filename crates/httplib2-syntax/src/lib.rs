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
//! Nothing here decides anything, sends anything or knows the layers. Every parser runs in linear time on
//! what a hostile peer may send, and never panics.

pub mod retry_after;
pub mod uri;
