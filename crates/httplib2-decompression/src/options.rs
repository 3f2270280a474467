//! What the caller says about one request, and what one response says about its coding.

use std::fmt;

use http::HeaderValue;

use crate::Coding;

/// Whether coded responses are asked for and decoded. As a request extension it replaces the layer's setting
/// for this request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decoding {
    /// `Accept-Encoding` is added where the request has none, and coded responses are decoded.
    #[default]
    Auto,
    /// Nothing is added and nothing is decoded: the caller gets the bytes of the wire.
    Raw,
}

/// How far a body may grow while it is decoded. As a request extension it replaces the layer's limits for this
/// request, all four together.
///
/// After each output step (at most 256 KiB) they are looked at in this order: more than [`hard`](Self::hard)
/// decoded bytes are an error; less than [`safe`](Self::safe) are fine; otherwise more than
/// [`ratio`](Self::ratio) decoded bytes for each coded byte that was taken in are an error.
///
/// ```
/// use httplib2_decompression::DecodeLimits;
///
/// let mut limits = DecodeLimits::default();
/// limits.hard = 0; // This one download may have any size,
/// limits.ratio = 20; // but nothing that looks like a bomb.
/// # let _ = limits;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// The most decoded bytes. Default: 1 GiB. 0: no limit.
    pub hard: u64,
    /// The decoded bytes from which on the ratio is looked at. Default: 10 MiB. 0: from the first byte on.
    pub safe: u64,
    /// The most decoded bytes for each coded byte. Default: 100. 0: no limit.
    pub ratio: u64,
    /// The most coded bytes that a decoder is given at a time. Default: 64 KiB. 0: all that has arrived.
    pub chunk: usize,
}

/// That the body of this response is decoded, and what its fields said before: an extension of every response
/// of which a coding was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoded {
    /// The codings, in the order in which the server applied them.
    pub codings: Vec<Coding>,
    /// The former `Content-Encoding`; several fields are joined with commas.
    pub content_encoding: HeaderValue,
    /// The former `Content-Length`: how many bytes the coded body has.
    pub content_length: Option<u64>,
}

/// Why a coded response was handed on as it came, fields included: an extension of every response with a
/// coding that should have been decoded and was not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotDecoded {
    /// This coding is unknown, or is not among those that the layer is set to decode.
    UnknownCoding(Box<str>),
    /// There are more codings than are allowed.
    TooManyCodings {
        /// How many there are.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
}

/// How much of an unknown coding's name is kept.
const LONGEST_NAME: usize = 32;

// === impl DecodeLimits ===

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { hard: 1 << 30, safe: 10 << 20, ratio: 100, chunk: 64 << 10 }
    }
}

// === impl Decoded ===

impl fmt::Display for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("decoded from ")?;
        for (index, coding) in self.codings.iter().enumerate() {
            write!(f, "{}{coding}", if index == 0 { "" } else { ", " })?;
        }
        match self.content_length {
            Some(length) => write!(f, " ({length} bytes)"),
            None => Ok(()),
        }
    }
}

// === impl NotDecoded ===

impl NotDecoded {
    pub(crate) fn unknown(name: &[u8]) -> Self {
        let kept = &name[..name.len().min(LONGEST_NAME)];
        Self::UnknownCoding(kept.escape_ascii().to_string().into())
    }
}

impl fmt::Display for NotDecoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCoding(name) => write!(f, "not decoded: the coding {name} is unknown"),
            Self::TooManyCodings { count, limit } => {
                write!(f, "not decoded: it has {count} codings, and {limit} are allowed")
            }
        }
    }
}
