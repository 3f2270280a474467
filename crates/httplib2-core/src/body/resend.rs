//! Can this body be sent again?

use bytes::Buf;
use http_body_util::{Empty, Full};

/// The single answer to "can this body be sent again?", for every layer that may have to.
///
/// A spare is made with [`try_clone`](Self::try_clone) before the first send; just before the spare itself
/// is sent, [`is_whole`](Self::is_whole) says whether it still holds everything. `Default` is the empty
/// body, for the request that a redirect turned into a GET.
///
/// A foreign body that knows nothing of this goes in a [`Once`](super::Once), or in a
/// [`ReplayBody`](super::ReplayBody) that records it while it is sent.
pub trait Resend: Default {
    /// Returns a spare that yields the same frames from the start, or `None` when there can be none.
    #[must_use]
    fn try_clone(&self) -> Option<Self>;

    /// Whether this spare would yield the whole body if it were sent now.
    ///
    /// It may turn false after the spare was made: a recording that grew over its limit is not whole.
    fn is_whole(&self) -> bool {
        true
    }

    /// Takes the body over from the sends before, if this spare [is whole](Self::is_whole): from now on it
    /// stays whole, and they get no further. Returns whether it is.
    ///
    /// A layer that gives up an answer for another send claims the spare first: the earlier send may still be
    /// under way below, and could use up the recording meanwhile.
    fn claim(&self) -> bool {
        self.is_whole()
    }
}

// === impl Resend ===

impl<D> Resend for Empty<D> {
    fn try_clone(&self) -> Option<Self> {
        Some(Self::new())
    }
}

impl<D: Buf + Clone + Default> Resend for Full<D> {
    fn try_clone(&self) -> Option<Self> {
        Some(self.clone())
    }
}
