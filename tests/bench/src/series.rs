//! What is not the same from one time to the next, or takes too long to be done often. Each prints figures of its own.

mod flat;
mod opening;

use std::net::SocketAddr;

use futures_util::future::LocalBoxFuture;

use crate::BoxError;

/// The same for several clients, once.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What is done, in a few words.
    pub about: &'static str,
    /// What its figures are.
    pub columns: &'static [&'static str],
    run: fn(SocketAddr, Length) -> LocalBoxFuture<'static, Rows>,
}

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// How often one resource is validated.
    pub validations: usize,
    /// How many entries the cache has that is opened.
    pub entries: u64,
    /// How often it is opened.
    pub openings: u64,
}

/// The figures of one client.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// One for each column.
    pub figures: Vec<f64>,
}

type Rows = Result<Vec<Row>, BoxError>;

/// All series, in the order in which they run.
pub const ALL: [Series; 2] = [flat::VALIDATED, opening::OPENED];

/// The series of this name, if there is one.
#[must_use]
pub fn named(name: &str) -> Option<Series> {
    ALL.into_iter().find(|series| series.name == name)
}

// === impl Series ===

impl Series {
    /// Does all of it, the floor first.
    ///
    /// # Errors
    ///
    /// Where an answer is not the right one.
    pub async fn run(&self, origin: SocketAddr, length: Length) -> Rows {
        (self.run)(origin, length).await.map_err(|error| format!("{}: {error}", self.name).into())
    }
}
