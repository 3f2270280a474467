//! Zstandard (RFC 8878).

use std::io;

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::{Codec, Pass, Then};

/// Whether this build can decode it.
pub(crate) const AVAILABLE: bool = true;

/// A frame, and any number of further ones.
pub(crate) struct Zstd(Option<Decoder<'static>>);

/// The largest window that the content coding allows is 8 MiB (RFC 9659 §3). The format itself goes to terabytes.
const WINDOW_LOG: u32 = 23;

// === impl Zstd ===

impl Zstd {
    pub(crate) fn new() -> Self {
        Self(None)
    }
}

impl Codec for Zstd {
    fn decode(&mut self, input: &[u8], output: &mut Vec<u8>) -> io::Result<Pass> {
        let decoder = match &mut self.0 {
            Some(decoder) => decoder,
            none => {
                let mut decoder = Decoder::new()?;
                decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
                none.insert(decoder)
            }
        };
        let mut read = InBuffer::around(input);
        let begin = output.len();
        let mut written = OutBuffer::around_pos(output, begin);
        let still_to_come = decoder.run(&mut read, &mut written)?;
        Ok(Pass { consumed: read.pos(), then: Then::of(still_to_come == 0, output) })
    }
}
