//! Three redirects within one origin, and the small answer.

use std::net::SocketAddr;

use super::{Contender, Scenario};
use crate::{
    BoxError,
    clients::{EachHop, Httplib2, HyperUtil, Reqwest, Target, tower_http},
};

/// Over kept connections.
pub(super) const OVER_NETWORK: Scenario =
    Scenario::in_a_row("redirect-3", "GET that is redirected three times", 256, contenders);

/// Where the chain leads. The floor knows it before.
const PATHS: [&str; 4] = ["/redirect-3", "/redirect-2", "/redirect-1", "/small"];

/// The chain as seen from `authority`.
pub(super) fn hops(authority: &str) -> Result<Vec<Target>, BoxError> {
    PATHS.into_iter().map(|path| Target::new(format!("http://{authority}{path}"))).collect()
}

fn contenders(origin: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let hops = hops(&origin.to_string())?;
    let target = hops[0].clone();
    Ok(vec![
        Contender::new("hyper-util, 4 GETs", EachHop::new(HyperUtil::default(), hops), &target),
        Contender::new("httplib2", Httplib2::over_network()?, &target),
        Contender::new("tower-http", tower_http(HyperUtil::default().0), &target),
        Contender::new("reqwest", Reqwest::default(), &target),
    ])
}
