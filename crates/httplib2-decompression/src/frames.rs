//! The buffers into which a body is decoded, handed on as frames.

use std::mem;

use bytes::Bytes;

/// A buffer that becomes a frame when it is full, or when there is nothing more at hand to fill it with.
#[derive(Debug)]
pub(crate) struct Frames {
    buffer: Vec<u8>,
    /// The capacity of the next buffer.
    size: usize,
    largest: usize,
}

/// Large enough to keep decoders on their fast paths.
const FIRST: usize = 64 << 10;

/// What a body that fills its buffers grows to: few frames, and still in the processor's cache.
const LARGEST: usize = 256 << 10;

// === impl Frames ===

impl Frames {
    /// For the frames of a body.
    pub(crate) fn growing() -> Self {
        Self { buffer: Vec::new(), size: FIRST, largest: LARGEST }
    }

    /// For what passes from one coding to the next.
    pub(crate) fn small() -> Self {
        Self { buffer: Vec::new(), size: FIRST, largest: FIRST }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The buffer, with room in it unless it was left full.
    pub(crate) fn space(&mut self) -> &mut Vec<u8> {
        if self.buffer.capacity() == 0 {
            self.buffer = Vec::with_capacity(self.size);
        }
        &mut self.buffer
    }

    /// What the buffer holds. It is given away if it is well filled; otherwise the content is copied, so that
    /// a reader who keeps small frames keeps no large buffers.
    pub(crate) fn take(&mut self) -> Bytes {
        if self.buffer.len() == self.buffer.capacity() {
            self.size = (self.size * 2).min(self.largest);
        }
        if self.buffer.len() >= self.buffer.capacity() / 2 {
            return mem::take(&mut self.buffer).into();
        }
        let data = Bytes::copy_from_slice(&self.buffer);
        self.buffer.clear();
        data
    }

    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
    }
}
