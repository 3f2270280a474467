//! What a layer was told, and what all services that it makes share.

use std::{fmt, sync::Arc, time::Duration};

use http::{Uri, uri};
use httplib2_core::{
    context::{Clock, Nonce, Spawn, SystemClock, SystemNonce},
    error::BoxError,
    who::WhoSigns,
};
use httplib2_store::Store;

use crate::{
    background::Background,
    collapse::{Collapse, Flights},
    policy::Rules,
    refresh::Refreshes,
    untrue::Untrue,
};

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) rules: Rules,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) nonce: Arc<dyn Nonce>,
    pub(crate) executor: Option<Spawn>,
    pub(crate) who_signs: Option<Arc<dyn WhoSigns>>,
    pub(crate) base: Option<Base>,
    /// The longest body that is stored, in bytes.
    pub(crate) max_object: u64,
    pub(crate) background: Budget,
    /// How long the store may keep a caller waiting.
    pub(crate) patience: Duration,
    pub(crate) cache_status: bool,
    /// Which errors mean that no answer could be had; all of them if absent.
    pub(crate) disconnected: Option<Disconnected>,
    /// Requests that are refreshed in the background now.
    pub(crate) refreshes: Arc<Refreshes>,
    /// What the store was told to drop and has not confirmed.
    pub(crate) untrue: Arc<Untrue>,
    pub(crate) in_background: Arc<Background>,
    pub(crate) collapse: Collapse,
    /// Fetches that are under way now for several callers.
    pub(crate) flights: Arc<Flights>,
}

/// Tells the errors that mean that no answer could be had.
#[derive(Clone)]
pub(crate) struct Disconnected(Arc<dyn Fn(&BoxError) -> bool + Send + Sync>);

/// How much may be read in the background, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) bytes: u64,
    pub(crate) time: Duration,
}

/// What completes a URI that is only a path.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    scheme: uri::Scheme,
    authority: uri::Authority,
}

// === impl Settings ===

impl Settings {
    pub(crate) fn new(rules: Rules, store: Arc<dyn Store>) -> Self {
        Self {
            cache_status: rules.is_shared(),
            rules,
            store,
            clock: Arc::new(SystemClock),
            nonce: Arc::new(SystemNonce),
            executor: None,
            who_signs: None,
            base: None,
            max_object: u64::MAX,
            background: Budget { bytes: 16 * 1024 * 1024, time: Duration::from_secs(30) },
            patience: Duration::from_secs(5),
            disconnected: None,
            refreshes: Arc::default(),
            untrue: Arc::default(),
            in_background: Arc::default(),
            collapse: Collapse::default(),
            flights: Arc::default(),
        }
    }

    /// The settings as a service obeys them.
    pub(crate) fn in_effect(&self) -> Self {
        let mut settings = self.clone();
        // Nobody would refresh what is served stale meanwhile.
        settings.rules.stale_while_revalidate &= settings.executor.is_some();
        // The first caller would be the one that all others depend on.
        settings.collapse.on &= settings.executor.is_some();
        settings
    }

    pub(crate) fn is_disconnection(&self, error: &BoxError) -> bool {
        self.disconnected.as_ref().is_none_or(|disconnected| (disconnected.0)(error))
    }
}

// === impl Disconnected ===

impl Disconnected {
    pub(crate) fn new(tell: impl Fn(&BoxError) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for Disconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disconnected(..)")
    }
}

// === impl Base ===

impl Base {
    /// `None` for a URI that has no scheme or no authority.
    pub(crate) fn of(uri: Uri) -> Option<Self> {
        let parts = uri.into_parts();
        let authority = without_userinfo(parts.authority?.as_str()).parse().ok()?;
        Some(Self { scheme: parts.scheme?, authority })
    }

    pub(crate) fn complete(&self, uri: &Uri) -> Option<Uri> {
        let mut parts = uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(uri.path_and_query()?.clone());
        Uri::from_parts(parts).ok()
    }
}

pub(crate) fn without_userinfo(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}
