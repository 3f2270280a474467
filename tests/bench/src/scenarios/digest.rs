//! Inside of a Digest space that the client has been challenged for: two hashes, and a field of some 250 bytes.

use std::net::SocketAddr;

use httplib2_auth::{Auth, Credential, Credentials};
use httplib2_auth_digest::DigestAuthLayer;
use tower::Layer;

use super::{Contender, Scenario};
use crate::{
    BoxError,
    clients::{Httplib2, HyperUtil, Mock, NAME, Over, PASSWORD, Target},
    origin::DIGEST,
};

/// Over a kept connection.
pub(super) const OVER_NETWORK: Scenario =
    Scenario::in_a_row("digest", "GET of 200 B over a kept connection, signed with Digest or not", 256, over_network);

/// No network.
pub(super) const MOCK: Scenario =
    Scenario::in_a_row("mock-digest", "GET of a service that answers at once, signed with Digest or not", 256, mock);

const MOCK_HOST: &str = "mock.example";

fn over_network(origin: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let origin = origin.to_string();
    let (open, guarded) = targets(&origin)?;
    let alone = || Ok::<_, BoxError>(Over(logged_in(&origin, HyperUtil::default().0)?));
    Ok(vec![
        Contender::new("hyper-util", HyperUtil::default(), &open),
        Contender::new("layer, open", alone()?, &open),
        Contender::new("layer, Digest", alone()?, &guarded),
        Contender::new("httplib2, open", Httplib2::over_network()?, &open),
        Contender::new("httplib2, Digest", Httplib2::over_network()?.logged_in(&origin)?, &guarded),
    ])
}

fn mock(_: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let (open, guarded) = targets(MOCK_HOST)?;
    Ok(vec![
        Contender::new("the service", Over(Mock), &open),
        Contender::new("layer, open", Over(logged_in(MOCK_HOST, Mock)?), &open),
        Contender::new("layer, Digest", Over(logged_in(MOCK_HOST, Mock)?), &guarded),
        Contender::new("httplib2, open", Httplib2::over(Mock)?, &open),
        Contender::new("httplib2, others", Httplib2::over(Mock)?.logged_in("elsewhere.example")?, &open),
        Contender::new("httplib2, Digest", Httplib2::over(Mock)?.logged_in(MOCK_HOST)?, &guarded),
    ])
}

fn targets(authority: &str) -> Result<(Target, Target), BoxError> {
    let target = |path| Target::new(format!("http://{authority}{path}"));
    Ok((target("/small")?, target(DIGEST)?))
}

/// The layer alone, with the credentials that it is asked for.
fn logged_in<S>(domain: &str, service: S) -> Result<Auth<S>, BoxError> {
    let credentials = Credentials::new();
    credentials.add_for(domain, Credential::login(NAME, PASSWORD))?;
    Ok(DigestAuthLayer::new(credentials).layer(service))
}
