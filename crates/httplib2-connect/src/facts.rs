//! What a response tells of the connection that it came over.

use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::Version;
use tokio::task;

/// How a response was obtained: over which connection, and whether that had been used before.
///
/// A response extension. `Display` writes it as `reused connection to 127.0.0.1:80, HTTP/1.1`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connection {
    /// Whether an earlier response came over the same connection.
    pub reused: bool,
    /// The address at the other end, where the connector knows one.
    pub remote: Option<SocketAddr>,
    /// The version of HTTP that the response was sent in.
    pub version: Version,
    /// The responses that came over this connection so far. It is shared by all who used it.
    answers: Arc<AtomicUsize>,
}

/// The living connections that a response came over, by the task that drives each.
///
/// hyper-util names the connection on a response and in an error. Of a request that is given up it says nothing,
/// and it lets go of a connection only together with the request. What the request's body then knows is the task
/// that took it, which is a connection's own.
#[derive(Debug, Default)]
pub(crate) struct Answered(Mutex<HashMap<task::Id, Weak<AtomicUsize>>>);

// === impl Connection ===

impl Connection {
    /// A connection that nothing came over yet.
    pub(crate) fn new() -> Self {
        Self { reused: false, remote: None, version: Version::HTTP_11, answers: Arc::default() }
    }

    /// Whether a response came over this connection by now.
    pub(crate) fn has_answered(&self) -> bool {
        self.answers.load(Ordering::Relaxed) > 0
    }

    /// Notes that a response of `version` came over this connection, from `remote`.
    pub(crate) fn answered(&mut self, version: Version, remote: Option<SocketAddr>) {
        self.reused = self.answers.fetch_add(1, Ordering::Relaxed) > 0;
        self.version = version;
        self.remote = remote;
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.reused { "reused connection" } else { "new connection" })?;
        if let Some(remote) = self.remote {
            write!(f, " to {remote}")?;
        }
        write!(f, ", {:?}", self.version)
    }
}

// === impl Answered ===

impl Answered {
    /// Notes the first response of a connection.
    pub(crate) fn note(&self, driver: task::Id, connection: &Connection) {
        let mut known = self.lock();
        if known.len() == known.capacity() {
            known.retain(|_, answers| answers.strong_count() > 0);
        }
        known.insert(driver, Arc::downgrade(&connection.answers));
    }

    /// Whether a response came over the connection that this task drives.
    pub(crate) fn contains(&self, driver: task::Id) -> bool {
        self.lock().contains_key(&driver)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<task::Id, Weak<AtomicUsize>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_says_whether_it_was_used_before() {
        let shared = Connection::new();
        let (mut first, mut second) = (shared.clone(), shared.clone());
        assert!(!shared.has_answered());
        let remote = Some(([127, 0, 0, 1], 80).into());
        first.answered(Version::HTTP_11, remote);
        second.answered(Version::HTTP_11, remote);
        assert!(shared.has_answered());
        assert_eq!(first.to_string(), "new connection to 127.0.0.1:80, HTTP/1.1");
        assert_eq!(second.to_string(), "reused connection to 127.0.0.1:80, HTTP/1.1");
    }

    #[tokio::test]
    async fn connections_that_are_gone_are_forgotten() {
        let answered = Answered::default();
        let living = Connection::new();
        let (first, others) = (driver().await, 10_000);
        answered.note(first, &living);
        for _ in 0..others {
            answered.note(driver().await, &Connection::new());
        }
        assert!(answered.contains(first));
        assert!(!answered.contains(driver().await));
        assert!(answered.lock().len() < 10);
    }

    /// The task of one more connection.
    async fn driver() -> task::Id {
        tokio::spawn(async { task::id() }).await.unwrap()
    }

    #[test]
    fn an_unknown_address_is_left_out() {
        let mut connection = Connection::new();
        connection.answered(Version::HTTP_2, None);
        assert_eq!(connection.to_string(), "new connection, HTTP/2.0");
    }
}
