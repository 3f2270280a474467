//! The bodies that are fed to a wrapper.

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::{Body, Size, gate::Gate};

/// One body that is fed to the wrapper.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) shape: Shape,
    pub(super) size: Size,
    pub(super) waiting: bool,
    pub(super) trailers: bool,
}

/// How the data is cut into frames.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    NoData,
    OneFrame,
    ManyFrames,
    WithEmptyFrames,
    ByteByByte,
}

/// Every shape with every size, with and without waiting and trailers.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for shape in [Shape::NoData, Shape::OneFrame, Shape::ManyFrames, Shape::WithEmptyFrames, Shape::ByteByByte] {
        for size in [Size::Exact, Size::Range, Size::Unknown] {
            for (waiting, trailers) in [(false, false), (false, true), (true, false), (true, true)] {
                cases.push(Case { shape, size, waiting, trailers });
            }
        }
    }
    cases
}

// === impl Case ===

impl Case {
    pub(super) fn body(&self, fed: &Bytes, gate: &Gate) -> Body {
        let mut body = Body::chunks(self.shape.cut(fed));
        if self.trailers {
            body = body.trailers([("x-sum", "1")]);
        }
        if self.waiting {
            body = body.waiting(gate);
        }
        body.announcing(self.size)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = match self.shape {
            Shape::NoData => "no data",
            Shape::OneFrame => "one frame",
            Shape::ManyFrames => "many frames",
            Shape::WithEmptyFrames => "frames with empty ones between them",
            Shape::ByteByByte => "a frame for each byte",
        };
        let size = match self.size {
            Size::Exact => "known",
            Size::Range => "roughly known",
            Size::Unknown => "unknown",
        };
        let waiting = if self.waiting { ", each to be waited for" } else { "" };
        let trailers = if self.trailers { ", trailers" } else { "" };
        write!(f, "{shape} of {size} length{waiting}{trailers}")
    }
}

// === impl Shape ===

impl Shape {
    /// What the reader is to get.
    pub(super) fn content(self) -> Bytes {
        let numbers = match self {
            Self::NoData => 0,
            Self::OneFrame | Self::ByteByByte => 10,
            Self::ManyFrames | Self::WithEmptyFrames => 5_000,
        };
        let content: BytesMut = (0..numbers).flat_map(|number: u32| format!("{number},").into_bytes()).collect();
        content.freeze()
    }

    /// Cuts what is fed into frames.
    pub(super) fn cut(self, fed: &Bytes) -> Vec<Bytes> {
        let length = match self {
            Self::NoData | Self::OneFrame => fed.len(),
            Self::ManyFrames | Self::WithEmptyFrames => fed.len().div_ceil(7),
            Self::ByteByByte => 1,
        };
        let frames: Vec<_> = fed.chunks(length.max(1)).map(|frame| fed.slice_ref(frame)).collect();
        match self {
            Self::WithEmptyFrames => {
                let padded = frames.into_iter().flat_map(|frame| [Bytes::new(), frame]);
                padded.chain([Bytes::new()]).collect()
            }
            _ => frames,
        }
    }
}
