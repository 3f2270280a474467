//! Reading a long answer piece by piece.

use std::pin::pin;

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;

use crate::{
    BoxError,
    origin::cached::{PERIOD, content},
};

/// The pieces of a long answer. Of each the ends are looked at: are they what belongs there?
pub(super) struct Pieces {
    period: Bytes,
    length: u64,
}

/// Reads a body to its end and returns its length.
///
/// # Errors
///
/// Where its [`Pieces`] are not the right ones.
pub(super) async fn drain<R>(body: R) -> Result<u64, BoxError>
where
    R: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let mut pieces = Pieces::default();
    let mut body = pin!(body);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Into::into)?.into_data() else { continue };
        pieces.add(&data)?;
    }
    Ok(pieces.length())
}

// === impl Pieces ===

impl Default for Pieces {
    fn default() -> Self {
        Self { period: content(PERIOD), length: 0 }
    }
}

impl Pieces {
    /// Takes the next one.
    ///
    /// # Errors
    ///
    /// Where it is not the right one.
    pub(super) fn add(&mut self, data: &Bytes) -> Result<(), BoxError> {
        let is_right = |position: u64, byte: &u8| self.period[(position % PERIOD as u64) as usize] == *byte;
        let (Some(first), Some(last)) = (data.first(), data.last()) else { return Ok(()) };
        let begin = self.length;
        let end = begin + data.len() as u64;
        if !is_right(begin, first) || !is_right(end - 1, last) {
            return Err(format!("wrong content between {begin} and {end}").into());
        }
        self.length = end;
        Ok(())
    }

    /// How many bytes there were.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}
