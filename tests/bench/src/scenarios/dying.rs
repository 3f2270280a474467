//! A server that closes the kept connection just as the next request arrives.

use std::net::SocketAddr;

use super::{Contender, Scenario};
use crate::{
    BoxError,
    clients::{Httplib2, HyperUtil, SentAgain, Target},
    origin::DYING,
};

pub(super) const CONNECTION: Scenario = Scenario::in_a_row(
    "dying-connection",
    "GET whose kept connection is closed as it arrives, against a new connection each time",
    64,
    contenders,
);

fn contenders(origin: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let target = |path| Target::new(format!("http://{origin}{path}"));
    Ok(vec![
        Contender::new("hyper-util, fresh", HyperUtil::fresh(), &target("/small")?),
        Contender::new("hyper-util, again", SentAgain::default(), &target(DYING)?),
        Contender::new("httplib2, fresh", Httplib2::fresh()?, &target("/small")?),
        Contender::new("httplib2", Httplib2::over_network()?, &target(DYING)?),
    ])
}
