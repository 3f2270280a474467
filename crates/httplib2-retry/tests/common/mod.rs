//! Failures of which it is known what they are, and a layer that knows them.

use std::{error::Error, fmt};

use httplib2_core::error::{BoxError, cause_ref};
use httplib2_retry::{Classify, Failure, RetryLayer};
use httplib2_testing::{FixedNonce, Reply};

/// A send that failed in a known way.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) Failure);

/// A connection that had carried a response before was lost; the server may have acted on the request.
pub(crate) const DEAD: Failure = Failure::Lost { reused: true, unprocessed: false };

/// A layer that is told of failures, and whose waits before a try are half of their ceiling: 50 ms, 100 ms,
/// 200 ms and so on.
pub(crate) fn layer() -> RetryLayer<impl Classify<BoxError>> {
    RetryLayer::new().nonce(halves()).classify(classify)
}

/// No response, but a failure of this kind.
pub(crate) fn failing(failure: Failure) -> Reply {
    Reply::failing(move || Failed(failure))
}

fn classify(error: &BoxError) -> Failure {
    cause_ref(&**error).map_or(Failure::Unknown, |Failed(failure)| *failure)
}

/// As many halves as a test may want.
fn halves() -> FixedNonce {
    FixedNonce::sequence(std::iter::repeat_n([0, 0, 0, 0, 0, 0, 0, 0x80], 5_000))
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Failed {}
