//! What an exchange needs from its surroundings: time, randomness, an executor, the deadline, a record.

mod clock;
mod journal;
mod nonce;
mod remaining;
mod spawn;

pub use self::{
    clock::{Clock, SystemClock},
    journal::{Journal, Line},
    nonce::{Nonce, NonceUnavailable, SystemNonce},
    remaining::Remaining,
    spawn::Spawn,
};
