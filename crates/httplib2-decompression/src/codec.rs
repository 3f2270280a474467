//! The decoders of single streams, all of one shape: some bytes in, some bytes out.
//!
//! They stand directly on flate2, `brotli-decompressor` and `zstd` rather than on `async-compression`, because
//! the layer must see what its adapters hide: where one stream ends and what follows it (members, padding,
//! junk), how much was taken in for what was given out (the ratio), and when an output step is over. Its
//! brotli decoder also accepts windows of up to 1 GiB, which `br` does not have (RFC 7932 §9.1).

mod brotli;
#[cfg_attr(not(feature = "zstd"), path = "codec/no_zstd.rs")]
pub(crate) mod zstd;

use std::io;

use flate2::{Decompress, FlushDecompress, Status};

pub(crate) use self::brotli::Brotli;

/// Decodes one stream.
pub(crate) trait Codec: Send + Sync {
    /// Decodes some of `input` into the spare capacity of `output`, which is not empty and never grows.
    fn decode(&mut self, input: &[u8], output: &mut Vec<u8>) -> io::Result<Pass>;
}

/// What one call has done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    /// How much of the input was taken in.
    pub(crate) consumed: usize,
    pub(crate) then: Then,
}

/// What a decoder can do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing without more input, unless some was left over.
    NeedsInput,
    /// More may come out, even without more input.
    HasOutput,
    /// The stream is at its end, all of it was given out, and its checksum, if it has one, was right.
    Ended,
}

/// The largest window of deflate data, 32 KiB.
const WINDOW_BITS: u8 = 15;

/// A member of a gzip file: header, data, checksum and length (RFC 1952 §2.3).
pub(crate) fn gzip() -> Decompress {
    Decompress::new_gzip(WINDOW_BITS)
}

/// Deflate data in the zlib format (RFC 1950 §2.2).
pub(crate) fn zlib() -> Decompress {
    Decompress::new(true)
}

/// Bare deflate data (RFC 1951).
pub(crate) fn raw_deflate() -> Decompress {
    Decompress::new(false)
}

impl Codec for Decompress {
    fn decode(&mut self, input: &[u8], output: &mut Vec<u8>) -> io::Result<Pass> {
        let before = self.total_in();
        // `BufError` only says that nothing could be done, which the caller sees by itself.
        let status = self.decompress_vec(input, output, FlushDecompress::None)?;
        Ok(Pass { consumed: (self.total_in() - before) as usize, then: Then::of(status == Status::StreamEnd, output) })
    }
}

// === impl Then ===

impl Then {
    /// For a decoder that fills the output whenever it can.
    fn of(has_ended: bool, output: &Vec<u8>) -> Self {
        if has_ended {
            Self::Ended
        } else if output.len() == output.capacity() {
            Self::HasOutput
        } else {
            Self::NeedsInput
        }
    }
}
