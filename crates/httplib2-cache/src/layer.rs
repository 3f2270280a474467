//! The layer and its settings.

use std::{sync::Arc, time::Duration};

use http::{HeaderName, Uri};
use httplib2_core::{
    context::{Clock, Nonce, Spawn},
    error::BoxError,
    who::WhoSigns,
};
use httplib2_store::Store;
use tower_layer::Layer;

use crate::{
    Cache, CacheHandle,
    policy::Rules,
    settings::{Base, Budget, Disconnected, Settings},
};

/// Answers requests from a store: see the [crate documentation](crate).
///
/// Clones of a layer, and all services that they make, share the store.
#[derive(Clone, Debug)]
pub struct CacheLayer {
    settings: Arc<Settings>,
}

// === impl CacheLayer ===

impl CacheLayer {
    /// A cache that belongs to one user agent: [`Rules::private`].
    #[must_use]
    pub fn private(store: Arc<dyn Store>) -> Self {
        Self::with_rules(store, Rules::private())
    }

    /// A cache that answers several users, as a proxy does: [`Rules::shared`].
    #[must_use]
    pub fn shared(store: Arc<dyn Store>) -> Self {
        Self::with_rules(store, Rules::shared())
    }

    /// A cache with these rules.
    ///
    /// A private and a shared cache may use the same store; what one stores, the other never finds. Caches of the same
    /// kind on one store must have the same rules.
    #[must_use]
    pub fn with_rules(store: Arc<dyn Store>, rules: Rules) -> Self {
        Self { settings: Arc::new(Settings::new(rules, store)) }
    }

    /// Runs work in the background: it refreshes what is served stale meanwhile (RFC 5861 §3), finishes storing what
    /// its reader gave up, and asks the origin once for several callers. Default: none, and all three are off.
    ///
    /// A body may be dropped on any thread, so a function that spawns on a handle of the runtime is the right one. The
    /// runtime must have its timer on.
    #[must_use]
    pub fn executor(self, executor: Spawn) -> Self {
        self.set(|settings| settings.executor = Some(executor))
    }

    /// Who knows for whom requests are signed further in: the handle of the auth layer. Default: nobody; then only
    /// marks on responses tell ([`SignedAs`](httplib2_core::who::SignedAs)).
    #[must_use]
    pub fn who_signs(self, who_signs: Arc<dyn WhoSigns>) -> Self {
        self.set(|settings| settings.who_signs = Some(who_signs))
    }

    /// A request field that tells who asks, beside `Authorization`, such as an API key: see
    /// [`Rules::credentials`](crate::policy::Rules::credentials).
    #[must_use]
    pub fn credential(self, name: HeaderName) -> Self {
        self.set(|settings| settings.rules.credentials.push(name))
    }

    /// The scheme and authority of requests whose URI is only a path, as a server receives them. Default: none, and
    /// such requests pass by.
    ///
    /// Only scheme and authority of `base` count; without both it is as good as none. The `Host` field is never
    /// trusted to name the origin, but what is stored for one `Host` answers no other.
    #[must_use]
    pub fn base(self, base: Uri) -> Self {
        self.set(|settings| settings.base = Base::of(base))
    }

    /// The longest body that is stored, in bytes. Default: whatever the store takes.
    #[must_use]
    pub fn max_object(self, bytes: u64) -> Self {
        self.set(|settings| settings.max_object = bytes)
    }

    /// How much one piece of work in the background may read, and how long it may take. Default: 16 MiB and 30
    /// seconds. At most 64 are under way at once; what would be one more is not done.
    #[must_use]
    pub fn background(self, bytes: u64, time: Duration) -> Self {
        self.set(|settings| settings.background = Budget { bytes, time })
    }

    /// Whether concurrent requests that would be answered alike become one, where there is an
    /// [executor](Self::executor) (RFC 9111 §4). Default: yes.
    #[must_use]
    pub fn collapse(self, on: bool) -> Self {
        self.set(|settings| settings.collapse.on = on)
    }

    /// How long a request waits for another one that is under way, before it is sent itself. Default: 5 seconds.
    #[must_use]
    pub fn collapse_wait(self, time: Duration) -> Self {
        self.set(|settings| settings.collapse.wait = time)
    }

    /// How many bytes of one body are held for those who read it together, and one frame more. All bodies together
    /// hold at most sixteen times as many, and one frame each. Default: 4 MiB.
    #[must_use]
    pub fn collapse_buffer(self, bytes: u64) -> Self {
        self.set(|settings| settings.collapse.buffer = bytes)
    }

    /// How stale a stored response may be to answer those who would wait while another request asks whether it still
    /// holds; whole seconds count. Default: zero, they wait.
    ///
    /// It is agreed to out of band (RFC 9111 §4.2.4), so it needs no `stale-while-revalidate`; what says
    /// `must-revalidate` or `no-cache` is never served so.
    #[must_use]
    pub fn collapse_stale(self, time: Duration) -> Self {
        self.set(|settings| settings.collapse.stale = time)
    }

    /// How long the store may keep a caller waiting, each time it is asked something. Default: 5 seconds.
    ///
    /// A store that takes longer counts as failed. While it takes in a body it may slow the caller down by as much, for
    /// otherwise what comes faster than it can write would never be stored.
    #[must_use]
    pub fn patience(self, time: Duration) -> Self {
        self.set(|settings| settings.patience = time)
    }

    /// Whether responses say in a `Cache-Status` field what the cache did (RFC 9211). Default: in a shared cache only.
    #[must_use]
    pub fn cache_status(self, on: bool) -> Self {
        self.set(|settings| settings.cache_status = on)
    }

    /// Which errors of the inner service mean that no answer could be had, so that a stale response may stand in
    /// (RFC 9111 §4.2.4). Default: all of them. Some are better seen, such as a certificate that is not trusted.
    #[must_use]
    pub fn disconnected(self, tell: impl Fn(&BoxError) -> bool + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.disconnected = Some(Disconnected::new(tell)))
    }

    /// The clock that ages are counted by. Default: the system's.
    ///
    /// A wall clock that is set back makes no stored response younger: as long as one is in memory the monotonic
    /// clock counts too.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        self.set(|settings| settings.clock = Arc::new(clock))
    }

    /// Where the boundary between several ranges in one answer comes from (RFC 9110 §15.3.7.2). Default: the system's
    /// random source. Where it has nothing to give, the whole is answered.
    #[must_use]
    pub fn nonce(self, nonce: impl Nonce) -> Self {
        self.set(|settings| settings.nonce = Arc::new(nonce))
    }

    /// Whether parts are stored: what came for a request with `Range`, and what there is of a download that broke off,
    /// to be completed later ([`Rules::parts`]). Default: on, unless the rules say otherwise.
    #[must_use]
    pub fn parts(self, on: bool) -> Self {
        self.set(|settings| settings.rules.parts = on)
    }

    /// A handle to what is stored, for as long as one likes. It sees the settings made so far.
    #[must_use]
    pub fn handle(&self) -> CacheHandle {
        CacheHandle::new(Arc::clone(&self.settings))
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl<S> Layer<S> for CacheLayer {
    type Service = Cache<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Cache::new(inner, Arc::new(self.settings.in_effect()))
    }
}
