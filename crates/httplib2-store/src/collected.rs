//! Bodies that are collected in memory.

use bytes::Bytes;

use crate::{Room, Share, StoreError};

/// For stores: a body that is collected in memory, as a [`Writer`](crate::Writer) of such a store takes it in.
///
/// It grows with what comes and not with what was announced, within its own limit and a [`Room`] that it shares with
/// others. Where a piece is refused the rest is, and it takes no room any more.
#[derive(Debug)]
pub struct Collected {
    data: Vec<u8>,
    share: Share,
    announced: Option<u64>,
    limit: u64,
    refused: bool,
}

/// The first piece of memory of a body of unknown length.
const FIRST_PIECE: u64 = 8 * 1024;

// === impl Collected ===

impl Collected {
    /// Nothing yet, of a body of the length that was `announced`, which may have `limit` bytes.
    #[must_use]
    pub fn new(room: &Room, announced: Option<u64>, limit: u64) -> Self {
        Self { data: Vec::new(), share: room.share(), announced, limit, refused: false }
    }

    /// How many bytes there are.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.data.len() as u64
    }

    /// Whether more may be taken in: what [`poll_ready`](crate::Writer::poll_ready) answers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Incomplete`] when a piece was refused.
    pub fn ready(&self) -> Result<(), StoreError> {
        if self.refused { Err(StoreError::Incomplete) } else { Ok(()) }
    }

    /// Takes in the next piece.
    ///
    /// # Errors
    ///
    /// [`StoreError::Incomplete`] when it is more than was announced or a piece was refused before,
    /// [`StoreError::TooLarge`] when it is more than the limit, [`StoreError::Full`] when there is no room for it.
    pub fn write(&mut self, data: &[u8]) -> Result<(), StoreError> {
        self.ready()?;
        let written = self.append(data);
        if written.is_err() {
            self.refused = true;
            // What cannot be stored any more takes no room until it is dropped.
            self.data = Vec::new();
            self.share.release();
        }
        written
    }

    /// The body ends where it is, whatever was announced.
    pub fn end_here(&mut self) {
        self.announced = None;
    }

    /// The whole body, and its share of the room, for as long as it counts as being under construction.
    ///
    /// # Errors
    ///
    /// [`StoreError::Incomplete`] when it has not the announced length, or a piece was refused.
    pub fn finish(self) -> Result<(Bytes, Share), StoreError> {
        let Self { mut data, share, announced, refused, .. } = self;
        if refused || announced.is_some_and(|announced| announced != data.len() as u64) {
            return Err(StoreError::Incomplete);
        }
        data.shrink_to_fit();
        Ok((data.into(), share))
    }

    fn append(&mut self, data: &[u8]) -> Result<(), StoreError> {
        let length = (self.data.len() + data.len()) as u64;
        if self.announced.is_some_and(|announced| length > announced) {
            return Err(StoreError::Incomplete);
        }
        if length > self.limit {
            return Err(StoreError::TooLarge { limit: self.limit });
        }
        if length > self.data.capacity() as u64 {
            self.grow(length)?;
        }
        self.data.extend_from_slice(data);
        Ok(())
    }

    /// Doubles the memory, so that one who announces much and sends little does not take the room of others.
    fn grow(&mut self, length: u64) -> Result<(), StoreError> {
        let most = self.announced.unwrap_or(self.limit);
        let target = (self.data.capacity() as u64 * 2).max(FIRST_PIECE).min(most).max(length);
        self.share.set(target)?;
        let full = StoreError::Full { limit: self.share.room().limit() };
        let Ok(target) = usize::try_from(target) else { return Err(full) };
        self.data.try_reserve_exact(target - self.data.len()).map_err(|_| full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_not_as_announced_or_too_long_is_refused_and_takes_no_room() {
        let room = Room::new(1_000_000);
        for (announced, pieces, expected) in [
            (None, &["te", "xt"][..], Ok("text")),
            (Some(4), &["te", "xt"], Ok("text")),
            (Some(0), &[], Ok("")),
            (Some(5), &["text"], Err("Incomplete")),
            (Some(3), &["te", "xt"], Err("Incomplete")),
            (None, &["text", "text", "text"], Err("TooLarge { limit: 10 }")),
        ] {
            let mut body = Collected::new(&room, announced, 10);
            let written = pieces.iter().try_for_each(|piece| body.write(piece.as_bytes()));
            if written.is_err() {
                assert!(body.ready().is_err() && body.write(b"").is_err());
                assert_eq!(format!("{room:?}"), "Room(0 of 1000000)");
            }
            let finished = written.and_then(|()| body.finish().map(|(data, _)| data));
            let finished = finished.map_err(|error| format!("{error:?}"));
            assert_eq!(finished.as_deref().map_err(String::as_str), expected.map(str::as_bytes), "{pieces:?}");
            assert_eq!(format!("{room:?}"), "Room(0 of 1000000)");
        }
    }

    #[test]
    fn one_that_breaks_off_is_what_there_is() {
        let mut body = Collected::new(&Room::new(100), Some(10), 10);
        body.write(b"text").unwrap();
        body.end_here();
        assert_eq!(body.finish().unwrap().0, "text");
    }
}
