//! A handle to what is stored.

use std::{future::Future, pin::Pin, sync::Arc};

use http::{Extensions, HeaderMap, Method, Uri, header};
use httplib2_core::who::{KnownTags, Validators};
use httplib2_store::{Key, StoreError, Usage};

use crate::{
    ask::{identity_of, key_of},
    found::{held, is_part},
    policy::{Asked, select},
    settings::Settings,
};

/// A handle to what a cache has stored: to drop it, and to ask which version of a resource is known.
///
/// Lost-update asks it as a [`KnownTags`]. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct CacheHandle {
    settings: Arc<Settings>,
}

// === impl CacheHandle ===

impl CacheHandle {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        Self { settings }
    }

    /// Drops all that is stored of a URI, for everybody, and what is being stored of it.
    ///
    /// # Errors
    ///
    /// What the store says. That nothing is stored is no error.
    pub async fn invalidate(&self, uri: &Uri) -> Result<(), StoreError> {
        let Some((key, _)) = key_of(&self.settings, uri, &HeaderMap::new()) else { return Ok(()) };
        let store = &self.settings.store;
        store.invalidate(&key).await?;
        // What was asked for under other hosts stands elsewhere.
        let listed = match store.list().await {
            Err(StoreError::Unsupported) => Vec::new(),
            listed => listed?,
        };
        let is_other = |other: &Key| *other != key && other.uri() == key.uri();
        for line in listed.into_iter().filter(|line| is_other(&line.key)) {
            store.invalidate(&line.key).await?;
        }
        Ok(())
    }

    /// Drops everything, and what is being stored.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub async fn clear(&self) -> Result<(), StoreError> {
        self.settings.store.clear().await
    }

    /// How full the store is.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub async fn usage(&self) -> Result<Usage, StoreError> {
        self.settings.store.usage().await
    }
}

impl KnownTags for CacheHandle {
    /// The validators of the stored response that a GET with these fields would be answered with, be it fresh or stale.
    fn known_tags(
        &self,
        uri: &Uri,
        request: &HeaderMap,
    ) -> Pin<Box<dyn Future<Output = Option<Validators>> + Send + 'static>> {
        let settings = Arc::clone(&self.settings);
        let (uri, request) = (uri.clone(), request.clone());
        Box::pin(async move { known(&settings, &uri, &request).await })
    }
}

async fn known(settings: &Settings, uri: &Uri, request: &HeaderMap) -> Option<Validators> {
    let (key, target) = key_of(settings, uri, request)?;
    let identity = identity_of(settings, &target, &Extensions::new());
    if !settings.is_true(&key).await {
        return None;
    }
    let found = settings.wait("look-up", settings.store.lookup(&key)).await?;
    let asked = Asked::new(&Method::GET, uri, request).signed_for(identity.as_ref());
    // Of a version of which there is only a part, nobody has seen the whole.
    let whole: Vec<_> = found.variants.iter().filter(|entry| !is_part(entry)).collect();
    let at = select(&settings.rules, &asked, whole.iter().map(|entry| held(settings, entry)))?;
    let headers = &whole.get(at)?.head().headers;
    let only = |name| {
        let mut lines = headers.get_all(name).iter();
        lines.next().filter(|_| lines.next().is_none()).cloned()
    };
    let validators = Validators { etag: only(header::ETAG), last_modified: only(header::LAST_MODIFIED) };
    (validators != Validators::default()).then_some(validators)
}
