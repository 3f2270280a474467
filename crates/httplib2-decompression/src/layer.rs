//! The layer and its settings.

use std::sync::Arc;

use tower_layer::Layer;

use crate::{Coding, Decoding, Decompression, rules::Rules};

/// Asks for coded responses and decodes them: see the [crate documentation](crate).
#[derive(Clone, Debug, Default)]
pub struct DecompressionLayer {
    rules: Arc<Rules>,
}

// === impl DecompressionLayer ===

impl DecompressionLayer {
    /// A layer with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether coded responses are asked for and decoded. Default: [`Decoding::Auto`]. Per request: a
    /// [`Decoding`] extension.
    #[must_use]
    pub fn decoding(self, decoding: Decoding) -> Self {
        self.set(|rules| rules.decoding = decoding)
    }

    /// The codings that are asked for, in this order, and decoded. Default: gzip, deflate, br and zstd.
    ///
    /// One that this build cannot decode ([`Coding::is_available`]) is left out. Without any, no
    /// `Accept-Encoding` is added.
    #[must_use]
    pub fn codings(self, codings: impl IntoIterator<Item = Coding>) -> Self {
        self.set(|rules| rules.set_codings(codings))
    }

    /// Whether `Accept-Encoding` gives each coding a lower quality than the one before it, such as
    /// `zstd, br;q=0.9`, so that a server prefers them in that order (RFC 9110 §12.4.2). Default: no: all are
    /// equally welcome, and the server takes the one that it does best.
    #[must_use]
    pub fn ranked(self, yes: bool) -> Self {
        self.set(|rules| rules.set_ranked(yes))
    }

    /// How many codings one response may have, `identity` not counted. Default: 2. One with more is handed on
    /// undecoded ([`NotDecoded::TooManyCodings`](crate::NotDecoded::TooManyCodings)).
    #[must_use]
    pub fn max_codings(self, limit: usize) -> Self {
        self.set(|rules| rules.max_codings = limit)
    }

    /// The most bytes that a body may decode to. Default: 1 GiB. 0: no limit. Per request:
    /// [`DecodeLimits`](crate::DecodeLimits).
    #[must_use]
    pub fn decode_limit_hard(self, bytes: u64) -> Self {
        self.set(|rules| rules.limits.hard = bytes)
    }

    /// The decoded size below which the ratio is not looked at. Default: 10 MiB. 0: it always is. Per request:
    /// [`DecodeLimits`](crate::DecodeLimits).
    #[must_use]
    pub fn decode_limit_safe(self, bytes: u64) -> Self {
        self.set(|rules| rules.limits.safe = bytes)
    }

    /// The most decoded bytes for each coded byte. Default: 100. 0: no limit. Per request:
    /// [`DecodeLimits`](crate::DecodeLimits).
    #[must_use]
    pub fn decode_limit_ratio(self, ratio: u64) -> Self {
        self.set(|rules| rules.limits.ratio = ratio)
    }

    /// The most coded bytes that a decoder is given at a time. Default: 64 KiB. 0: all that has arrived. Per
    /// request: [`DecodeLimits`](crate::DecodeLimits).
    ///
    /// It bounds nothing but the time of one step: the output of a step is bounded in any case.
    #[must_use]
    pub fn decode_limit_chunk(self, bytes: usize) -> Self {
        self.set(|rules| rules.limits.chunk = bytes)
    }

    fn set(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(Arc::make_mut(&mut self.rules));
        self
    }
}

impl<S> Layer<S> for DecompressionLayer {
    type Service = Decompression<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Decompression::new(inner, Arc::clone(&self.rules))
    }
}
