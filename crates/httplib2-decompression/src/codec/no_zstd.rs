//! What stands in for Zstandard in a build without it.

use std::io;

use super::{Codec, Pass};

/// Whether this build can decode it.
pub(crate) const AVAILABLE: bool = false;

/// Never made, since the coding is not among those that are decoded.
pub(crate) struct Zstd;

// === impl Zstd ===

impl Zstd {
    pub(crate) fn new() -> Self {
        Self
    }
}

impl Codec for Zstd {
    fn decode(&mut self, _input: &[u8], _output: &mut Vec<u8>) -> io::Result<Pass> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
