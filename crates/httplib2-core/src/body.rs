//! Bodies that can or cannot be sent again, and giving up an unwanted one.

mod discard;
mod once;
mod replay;
mod resend;

pub use self::{
    discard::{DiscardLimits, discard, drain},
    once::Once,
    replay::{ReplayBody, Superseded},
    resend::Resend,
};
