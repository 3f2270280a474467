//! How decoding a body fails.

use std::{error::Error, fmt, io};

use crate::Coding;

/// A body could not be decoded: the error of a [`DecodedBody`](crate::DecodedBody) itself.
///
/// It is found in any chain of causes with [`cause_ref`](httplib2_core::error::cause_ref). What was decoded
/// before it has reached the reader already, except after a limit. Nothing follows it.
#[derive(Debug)]
#[non_exhaustive]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// The coding that was being decoded.
    pub coding: Coding,
    /// How many bytes of the body on the wire had been taken in.
    pub coded: u64,
    /// How many bytes this coding had been decoded to.
    pub decoded: u64,
    source: Option<io::Error>,
}

/// What is wrong with a body that cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// It is not in the format of its coding, a checksum or a length does not match, or it asks for a
    /// dictionary or for a larger window than the coding allows. The source says more.
    Corrupt,
    /// It ends before the coded data do.
    Truncated,
    /// It goes on after the end of the coded data.
    TrailingData,
    /// It decodes to more bytes than [`DecodeLimits::hard`](crate::DecodeLimits::hard) allows.
    HardLimit(u64),
    /// It decodes to more bytes for each coded byte than
    /// [`DecodeLimits::ratio`](crate::DecodeLimits::ratio) allows.
    RatioLimit(u64),
}

// === impl DecodeError ===

impl DecodeError {
    pub(crate) fn new(
        kind: DecodeErrorKind,
        source: Option<io::Error>,
        coding: Coding,
        coded: u64,
        decoded: u64,
    ) -> Self {
        Self { kind, coding, coded, decoded, source }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, coding, coded, decoded, .. } = self;
        match kind {
            DecodeErrorKind::Corrupt => write!(f, "the {coding} body is corrupt"),
            DecodeErrorKind::Truncated => write!(f, "the {coding} body ends too early"),
            DecodeErrorKind::TrailingData => write!(f, "the {coding} body goes on after its end"),
            DecodeErrorKind::HardLimit(limit) => write!(f, "the {coding} body decodes to more than {limit} bytes"),
            DecodeErrorKind::RatioLimit(limit) => {
                write!(f, "the {coding} body decodes to more than {limit} times its size")
            }
        }?;
        write!(f, " (after {coded} bytes, decoded to {decoded})")
    }
}

impl Error for DecodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

// === impl DecodeErrorKind ===

impl DecodeErrorKind {
    /// Whether a limit was exceeded, rather than that the data are wrong.
    #[must_use]
    pub fn is_limit(self) -> bool {
        matches!(self, Self::HardLimit(_) | Self::RatioLimit(_))
    }
}
