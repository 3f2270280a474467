//! No network: what is left is what the layers cost.

use std::net::SocketAddr;

use super::{Contender, Scenario, redirects};
use crate::{
    BoxError,
    clients::{EachHop, Httplib2, Mock, Over, Target, tower_http},
};

/// Nothing to do for any layer.
pub(super) const SMALL: Scenario = Scenario {
    name: "mock-small",
    about: "GET of a service that answers at once",
    at_once: 1,
    batch: 256,
    contenders: small,
};

/// Three redirects.
pub(super) const REDIRECTS: Scenario = Scenario {
    name: "mock-redirect-3",
    about: "the same, redirected three times",
    at_once: 1,
    batch: 256,
    contenders: redirects_contenders,
};

const AUTHORITY: &str = "mock.example";

fn small(_: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let target = Target::new(format!("http://{AUTHORITY}/small"))?;
    Ok(vec![
        Contender::new("the service", Over(Mock), &target),
        Contender::new("httplib2", Httplib2::over(Mock)?, &target),
        Contender::new("tower-http", tower_http(Mock), &target),
    ])
}

fn redirects_contenders(_: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let hops = redirects::hops(AUTHORITY)?;
    let target = hops[0].clone();
    Ok(vec![
        Contender::new("the service, 4 GETs", EachHop::new(Over(Mock), hops), &target),
        Contender::new("httplib2", Httplib2::over(Mock)?, &target),
        Contender::new("tower-http", tower_http(Mock), &target),
    ])
}
