//! One coding of a body: its streams from the first byte to the last, and what may follow them.

use std::io;

use bytes::{Buf, Bytes, BytesMut};

use crate::{
    Coding, DecodeErrorKind,
    codec::{self, Brotli, Codec, Then, zstd::Zstd},
};

/// Removes one coding.
pub(crate) struct Stage {
    coding: Coding,
    format: Format,
    codec: Box<dyn Codec>,
    phase: Phase,
    /// What has arrived and was not taken in yet.
    input: Bytes,
    input_ended: bool,
    /// Whether more may come out without more input.
    has_more: bool,
    consumed: u64,
    decoded: u64,
    /// How much was passed over after the end.
    ignored: u64,
}

/// What one step has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// There is more to do at once.
    Again,
    /// The output is full.
    Full,
    /// The input is used up, and all that it decodes to was given out.
    Hungry,
    /// The input is at its end, and so are the coded data.
    Ended,
}

/// Why a step failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: DecodeErrorKind,
    pub(crate) source: Option<io::Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Gzip,
    Zlib,
    RawDeflate,
    Brotli,
    Zstd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was decoded yet.
    Start,
    /// Within a stream.
    Inside,
    /// After the end of a stream.
    After,
    /// Past all streams: whatever comes is passed over.
    Ignoring,
}

/// How many bytes may follow the end of gzip or zlib data, padding included.
const MAX_IGNORED: u64 = 64 << 10;

// === impl Stage ===

impl Stage {
    pub(crate) fn new(coding: Coding) -> Self {
        let (format, codec): (_, Box<dyn Codec>) = match coding {
            Coding::Gzip => (Format::Gzip, Box::new(codec::gzip())),
            Coding::Deflate => (Format::Zlib, Box::new(codec::zlib())),
            Coding::Brotli => (Format::Brotli, Box::new(Brotli::new())),
            Coding::Zstd => (Format::Zstd, Box::new(Zstd::new())),
        };
        Self {
            coding,
            format,
            codec,
            phase: Phase::Start,
            input: Bytes::new(),
            input_ended: false,
            has_more: false,
            consumed: 0,
            decoded: 0,
            ignored: 0,
        }
    }

    pub(crate) fn coding(&self) -> Coding {
        self.coding
    }

    /// How many bytes were taken in, and how many were given out.
    pub(crate) fn amounts(&self) -> (u64, u64) {
        (self.consumed, self.decoded)
    }

    /// How many bytes were passed over after the end of the coded data.
    pub(crate) fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Whether it could end here: it is not within a stream, and all that has arrived was looked at.
    pub(crate) fn is_complete(&self) -> bool {
        self.phase != Phase::Inside && self.input.is_empty()
    }

    /// Gives it more input, after it was hungry.
    pub(crate) fn feed(&mut self, data: Bytes) {
        if self.input.is_empty() {
            self.input = data;
        } else {
            // It keeps a byte where two are needed to tell what comes.
            let mut joined = BytesMut::with_capacity(self.input.len() + data.len());
            joined.extend_from_slice(&self.input);
            joined.extend_from_slice(&data);
            self.input = joined.freeze();
        }
    }

    /// Says that there is no more input.
    pub(crate) fn end(&mut self) {
        self.input_ended = true;
    }

    /// Decodes at most `chunk` bytes of the input, into the spare capacity of `output`, which is not empty.
    pub(crate) fn step(&mut self, chunk: usize, output: &mut Vec<u8>) -> Result<Step, Failure> {
        match self.phase {
            Phase::Start => self.begin(),
            Phase::Inside => self.decode(chunk, output),
            Phase::After => self.look_on(),
            Phase::Ignoring => self.ignore(),
        }
    }

    fn begin(&mut self) -> Result<Step, Failure> {
        match (self.coding, &self.input[..]) {
            // No bytes at all are the coded form of no bytes, under any coding.
            (_, []) => return Ok(self.hungry_or_ended()),
            (Coding::Deflate, [_]) if !self.input_ended => return Ok(Step::Hungry),
            (Coding::Deflate, &[first, second, ..]) if !is_zlib_header(first, second) => {
                self.format = Format::RawDeflate;
                self.codec = Box::new(codec::raw_deflate());
            }
            _ => {}
        }
        self.phase = Phase::Inside;
        Ok(Step::Again)
    }

    fn decode(&mut self, chunk: usize, output: &mut Vec<u8>) -> Result<Step, Failure> {
        if self.input.is_empty() && !self.has_more {
            return if self.input_ended { Err(DecodeErrorKind::Truncated.into()) } else { Ok(Step::Hungry) };
        }
        let chunk = if chunk == 0 { self.input.len() } else { chunk.min(self.input.len()) };
        let begin = output.len();
        let result = self.codec.decode(&self.input[..chunk], output);
        // Also when it failed: what came before the damage is in the output.
        let given_out = output.len() - begin;
        self.decoded += given_out as u64;
        let pass = result.map_err(Failure::corrupt)?;
        self.take_in(pass.consumed);
        self.has_more = pass.then == Then::HasOutput;
        if pass.then == Then::Ended {
            self.phase = Phase::After;
        } else if pass.consumed == 0 && given_out == 0 && (chunk > 0 || self.has_more) {
            return Err(Failure::corrupt(io::Error::other("the decoder makes no progress")));
        }
        Ok(if output.len() == output.capacity() { Step::Full } else { Step::Again })
    }

    /// A stream has ended. What follows belongs to the next one, or to nothing:
    ///
    /// - gzip: a further member (RFC 1952 §2.2); zeros, with which some writers pad their blocks; or junk
    /// - zstd: a further frame (RFC 8878 §3.1)
    /// - zlib: junk
    /// - bare deflate data, brotli: an error
    ///
    /// Junk is passed over where a checksum has shown that the data before it are whole. Where nothing has
    /// shown that, it may as well be the rest of data of which a damaged bit says that they end.
    fn look_on(&mut self) -> Result<Step, Failure> {
        if self.format == Format::Gzip {
            let zeros = self.input.iter().take_while(|byte| **byte == 0).count();
            self.pass_over(zeros)?;
        }
        match (self.format, &self.input[..]) {
            (_, []) => return Ok(self.hungry_or_ended()),
            (Format::Gzip, [0x1f]) if !self.input_ended => return Ok(Step::Hungry),
            (Format::Gzip, [0x1f, 0x8b, ..]) => {
                self.codec = Box::new(codec::gzip());
                self.phase = Phase::Inside;
            }
            (Format::Zstd, _) => self.phase = Phase::Inside,
            (Format::Gzip | Format::Zlib, _) => self.phase = Phase::Ignoring,
            (Format::RawDeflate | Format::Brotli, _) => return Err(DecodeErrorKind::TrailingData.into()),
        }
        Ok(Step::Again)
    }

    fn ignore(&mut self) -> Result<Step, Failure> {
        self.pass_over(self.input.len())?;
        Ok(self.hungry_or_ended())
    }

    fn pass_over(&mut self, length: usize) -> Result<(), Failure> {
        self.take_in(length);
        self.ignored += length as u64;
        if self.ignored > MAX_IGNORED { Err(DecodeErrorKind::TrailingData.into()) } else { Ok(()) }
    }

    fn take_in(&mut self, length: usize) {
        self.input.advance(length);
        self.consumed += length as u64;
    }

    fn hungry_or_ended(&self) -> Step {
        if self.input_ended { Step::Ended } else { Step::Hungry }
    }
}

// === impl Failure ===

impl Failure {
    fn corrupt(source: io::Error) -> Self {
        Self { kind: DecodeErrorKind::Corrupt, source: Some(source) }
    }
}

impl From<DecodeErrorKind> for Failure {
    fn from(kind: DecodeErrorKind) -> Self {
        Self { kind, source: None }
    }
}

/// Whether data that begin so are in the zlib format (RFC 1950 §2.2): method 8, and a multiple of 31.
fn is_zlib_header(first: u8, second: u8) -> bool {
    first & 0x0f == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31)
}
