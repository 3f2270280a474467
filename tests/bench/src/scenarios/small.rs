//! Small answers over kept connections: nearly all that counts is what the client does itself.

use std::net::SocketAddr;

use super::{Contender, Scenario};
use crate::{
    BoxError,
    clients::{Httplib2, HyperUtil, Reqwest, Target},
};

/// One request after the other.
pub(super) const SEQUENTIAL: Scenario =
    Scenario::in_a_row("seq-small", "GET of 200 B over a kept connection", 256, contenders);

/// As many as a busy service has under way.
pub(super) const AT_ONCE: Scenario =
    Scenario { name: "conc64-small", about: "the same, 64 at once", at_once: 64, batch: 256, contenders };

fn contenders(origin: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let target = Target::new(format!("http://{origin}/small"))?;
    Ok(vec![
        Contender::new("hyper-util", HyperUtil::default(), &target),
        Contender::new("httplib2", Httplib2::over_network()?, &target),
        Contender::new("reqwest", Reqwest::default(), &target),
    ])
}
