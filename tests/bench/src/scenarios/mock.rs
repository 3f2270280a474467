//! No network: what is left is what the layers cost.

use std::net::SocketAddr;

use httplib2_auth::{Credential, Credentials};
use httplib2_auth_digest::DigestAuthLayer;
use httplib2_lost_update::LostUpdateLayer;
use tower::Layer;

use super::{Contender, Scenario, redirects};
use crate::{
    BoxError,
    clients::{EachHop, Httplib2, Mock, NAME, Over, PASSWORD, Target, tower_http},
    origin::TAGGED,
};

/// Nothing to do for any layer.
pub(super) const SMALL: Scenario =
    Scenario::in_a_row("mock-small", "GET of a service that answers at once", 256, small);

/// Three redirects.
pub(super) const REDIRECTS: Scenario =
    Scenario::in_a_row("mock-redirect-3", "the same, redirected three times", 256, redirects_contenders);

/// The layers that are not in the other mocks by themselves.
pub(super) const LAYERS: Scenario = Scenario::in_a_row(
    "mock-layers",
    "GET of a service that answers at once, through one layer that has nothing to do, or only to learn",
    256,
    layers,
);

const AUTHORITY: &str = "mock.example";

fn small(_: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let target = Target::new(format!("http://{AUTHORITY}/small"))?;
    Ok(vec![
        Contender::new("the service", Over(Mock), &target),
        Contender::new("httplib2", Httplib2::over(Mock)?, &target),
        Contender::new("tower-http", tower_http(Mock), &target),
    ])
}

fn layers(_: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let target = |path| Target::new(format!("http://{AUTHORITY}{path}"));
    let (small, tagged) = (target("/small")?, target(TAGGED)?);
    let no_credentials = DigestAuthLayer::new(Credentials::new()).layer(Mock);
    let elsewhere = Credentials::new();
    elsewhere.add_for("elsewhere.example", Credential::login(NAME, PASSWORD))?;
    let elsewhere = DigestAuthLayer::new(elsewhere).layer(Mock);
    let lost_update = LostUpdateLayer::new().layer(Mock);
    Ok(vec![
        Contender::new("the service", Over(Mock), &small),
        Contender::new("auth, no credentials", Over(no_credentials), &small),
        Contender::new("auth, others only", Over(elsewhere), &small),
        Contender::new("lost-update, no tag", Over(lost_update.clone()), &small),
        Contender::new("lost-update, a tag", Over(lost_update), &tagged),
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
