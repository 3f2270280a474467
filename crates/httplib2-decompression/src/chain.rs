//! All codings of a body, one behind the other, and the limits that hold for each. No I/O.

use bytes::Bytes;

use crate::{
    Coding, DecodeError, DecodeErrorKind, DecodeLimits,
    frames::Frames,
    stage::{Failure, Stage, Step},
};

/// Removes the codings of a body.
pub(crate) struct Chain {
    /// In the order of decoding: the first takes what arrives.
    stages: Vec<Stage>,
    /// What the stages have made for those behind them.
    between: Vec<Frames>,
    limits: DecodeLimits,
}

/// What decoding has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The output is full.
    Full,
    /// All that has arrived was decoded.
    Hungry,
    /// The body is at its end, and whole.
    Ended,
}

// === impl Chain ===

impl Chain {
    /// For codings in the order in which they were applied; there is at least one.
    pub(crate) fn new(codings: &[Coding], limits: DecodeLimits) -> Self {
        let stages: Vec<_> = codings.iter().rev().map(|coding| Stage::new(*coding)).collect();
        let between = stages.iter().skip(1).map(|_| Frames::small()).collect();
        Self { stages, between, limits }
    }

    /// Gives it what has arrived, after it was hungry.
    pub(crate) fn feed(&mut self, data: Bytes) {
        if let Some(first) = self.stages.first_mut() {
            first.feed(data);
        }
    }

    /// Says that nothing more arrives.
    pub(crate) fn end(&mut self) {
        if let Some(first) = self.stages.first_mut() {
            first.end();
        }
    }

    /// Whether the body could end here.
    pub(crate) fn is_complete(&self) -> bool {
        self.stages.iter().all(Stage::is_complete) && self.between.iter().all(Frames::is_empty)
    }

    /// How many bytes after the end of coded data were passed over.
    pub(crate) fn ignored(&self) -> u64 {
        self.stages.iter().map(Stage::ignored).sum()
    }

    /// Decodes into the spare capacity of `output`, which is not empty.
    pub(crate) fn decode(&mut self, output: &mut Vec<u8>) -> Result<Progress, DecodeError> {
        // The last stage draws: what it lacks is made by the one before it, and so on.
        let mut at = self.stages.len() - 1;
        loop {
            let stage = &mut self.stages[at];
            let result = match self.between.get_mut(at) {
                Some(frames) => stage.step(self.limits.chunk, frames.space()),
                None => stage.step(self.limits.chunk, output),
            };
            if let Some(limit) = self.exceeded(at) {
                return Err(self.error(at, limit.into()));
            }
            let step = result.map_err(|failure| self.error(at, failure))?;
            if step == Step::Again {
                continue;
            }
            match self.between.get_mut(at) {
                Some(frames) if !frames.is_empty() => {
                    let data = frames.take();
                    at += 1;
                    self.stages[at].feed(data);
                }
                Some(_) if step == Step::Ended => {
                    at += 1;
                    self.stages[at].end();
                }
                None if step == Step::Full => return Ok(Progress::Full),
                None if step == Step::Ended => return Ok(Progress::Ended),
                _ if at == 0 => return Ok(Progress::Hungry),
                _ => at -= 1,
            }
        }
    }

    /// Each coding has to keep the limits, so that the last one cannot hide what those before it cost.
    fn exceeded(&self, at: usize) -> Option<DecodeErrorKind> {
        self.limits.exceeded(self.coded(), self.stages[at].amounts().1)
    }

    /// How much of what arrived was taken in.
    fn coded(&self) -> u64 {
        self.stages[0].amounts().0
    }

    fn error(&self, at: usize, failure: Failure) -> DecodeError {
        let stage = &self.stages[at];
        DecodeError::new(failure.kind, failure.source, stage.coding(), self.coded(), stage.amounts().1)
    }
}

// === impl DecodeLimits ===

impl DecodeLimits {
    /// The limit, if any, that a body exceeds with so many bytes. The order and the comparisons are those of
    /// httplib2.
    pub(crate) fn exceeded(&self, coded: u64, decoded: u64) -> Option<DecodeErrorKind> {
        if self.hard > 0 && decoded > self.hard {
            return Some(DecodeErrorKind::HardLimit(self.hard));
        }
        if decoded < self.safe {
            return None;
        }
        if self.ratio > 0 && decoded > coded.saturating_mul(self.ratio) {
            return Some(DecodeErrorKind::RatioLimit(self.ratio));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DecodeErrorKind::{HardLimit, RatioLimit};

    #[test]
    fn limits_are_looked_at_in_the_order_hard_safe_ratio() {
        // H-DEC-10, H-DEC-15.
        let limits = |hard, safe, ratio| DecodeLimits { hard, safe, ratio, chunk: 1 };
        let table = [
            (limits(100, 50, 2), 10, 0, None),
            (limits(100, 50, 2), 10, 49, None),
            (limits(100, 50, 2), 25, 50, None),
            (limits(100, 50, 2), 24, 50, Some(RatioLimit(2))),
            (limits(100, 50, 2), 50, 100, None),
            (limits(100, 50, 2), 50, 101, Some(HardLimit(100))),
            (limits(100, 200, 2), 1, 101, Some(HardLimit(100))),
            (limits(0, 50, 2), 50, 101, Some(RatioLimit(2))),
            (limits(0, 0, 2), 1, 3, Some(RatioLimit(2))),
            (limits(0, 0, 2), 1, 2, None),
            (limits(0, 0, 0), 1, u64::MAX, None),
            (limits(0, 0, u64::MAX), 2, u64::MAX, None),
            (limits(0, 0, 2), 0, 0, None),
        ];
        for (limits, coded, decoded, expected) in table {
            assert_eq!(limits.exceeded(coded, decoded), expected, "{limits:?}, {coded} -> {decoded}");
        }
    }
}
