//! Brotli (RFC 7932).

use std::io;

use brotli_decompressor::{
    BrotliDecoderHasMoreOutput, BrotliDecoderIsFinished, BrotliDecoderTakeOutput, BrotliDecompressStream, BrotliResult,
    BrotliState, StandardAlloc,
};

use super::{Codec, Pass, Then};

/// A brotli stream. Boxed within because the state has several kilobytes.
pub(crate) struct Brotli(Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>);

// === impl Brotli ===

impl Brotli {
    pub(crate) fn new() -> Self {
        // Strict: windows of up to 16 MiB. The others are an extension that HTTP does not have.
        let state =
            BrotliState::new_strict(StandardAlloc::default(), StandardAlloc::default(), StandardAlloc::default());
        Self(Box::new(state))
    }
}

impl Codec for Brotli {
    fn decode(&mut self, input: &[u8], output: &mut Vec<u8>) -> io::Result<Pass> {
        let mut left = input.len();
        let mut consumed = 0;
        // Without an output slice the data stay in the decoder's window, from where they are appended: a slice
        // would have to be filled with zeros first.
        let result =
            BrotliDecompressStream(&mut left, &mut consumed, input, &mut 0, &mut 0, &mut [], &mut 0, &mut self.0);
        if let BrotliResult::ResultFailure = result {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{:?}", self.0.error_code)));
        }
        while output.len() < output.capacity() {
            let mut length = output.capacity() - output.len();
            let data = BrotliDecoderTakeOutput(&mut self.0, &mut length);
            if data.is_empty() {
                break;
            }
            output.extend_from_slice(data);
        }
        let then = match result {
            _ if BrotliDecoderIsFinished(&self.0) => Then::Ended,
            BrotliResult::NeedsMoreInput if !BrotliDecoderHasMoreOutput(&self.0) => Then::NeedsInput,
            _ => Then::HasOutput,
        };
        Ok(Pass { consumed, then })
    }
}
