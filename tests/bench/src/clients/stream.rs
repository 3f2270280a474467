//! Reading a long answer piece by piece.

use std::pin::pin;

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;

use crate::{
    BoxError,
    origin::cached::{PERIOD, content},
};

/// Reads a body to its end and returns its length. Of each piece the ends are looked at: are they what belongs there?
///
/// # Errors
///
/// Where they are not.
pub(super) async fn drain<R>(body: R) -> Result<u64, BoxError>
where
    R: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let period = content(PERIOD);
    let is_right = |position: u64, byte: &u8| period[(position % PERIOD as u64) as usize] == *byte;
    let mut body = pin!(body);
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Into::into)?.into_data() else { continue };
        let (Some(first), Some(last)) = (data.first(), data.last()) else { continue };
        let begin = length;
        length += data.len() as u64;
        if !is_right(begin, first) || !is_right(length - 1, last) {
            return Err(format!("wrong content between {begin} and {length}").into());
        }
    }
    Ok(length)
}
