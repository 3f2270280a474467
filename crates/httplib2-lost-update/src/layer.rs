//! The layer and its settings.

use std::sync::Arc;

use http::Method;
use httplib2_core::{body::DiscardLimits, who::KnownTags};
use tower_layer::Layer;

use crate::{LostUpdate, NoMerge, ledger::Bounds, rules::Rules};

/// Guards updates with the tags that were seen: see the [crate documentation](crate).
///
/// Every service that it makes has a ledger of its own, which the clones of that service share.
#[derive(Debug)]
pub struct LostUpdateLayer<M = NoMerge> {
    rules: Arc<Rules>,
    sources: Option<Arc<dyn KnownTags>>,
    merge: Arc<M>,
}

// === impl LostUpdateLayer ===

impl Default for LostUpdateLayer {
    fn default() -> Self {
        Self { rules: Arc::default(), sources: None, merge: Arc::new(NoMerge) }
    }
}

impl<M> Clone for LostUpdateLayer<M> {
    fn clone(&self) -> Self {
        Self { rules: Arc::clone(&self.rules), sources: self.sources.clone(), merge: Arc::clone(&self.merge) }
    }
}

impl LostUpdateLayer {
    /// A layer with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<M> LostUpdateLayer<M> {
    /// The methods that are protected. Default: PUT and PATCH. GET, HEAD, OPTIONS, TRACE and CONNECT never
    /// are. A method that is named here counts as one that makes a new version of the resource.
    #[must_use]
    pub fn optimistic_concurrency_methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.set(|rules| rules.methods = methods.into_iter().collect())
    }

    /// Names another source of tags, such as a cache. It is asked only where the ledger knows nothing. Default:
    /// none.
    ///
    /// Of what it answers only the tag is used: nobody says when the answer with that `Last-Modified` was
    /// made, so it is not known to be strong (RFC 9110 §8.8.2.2).
    #[must_use]
    pub fn known_tags(mut self, source: Arc<dyn KnownTags>) -> Self {
        self.sources = Some(source);
        self
    }

    /// Whether requests with other `Authorization` or `Cookie` fields count as those of another editor, whose
    /// tags are not used. Default: yes, so that in a proxy what one user has seen never serves the edit of
    /// another. An [`Editor`](crate::Editor) on the request takes the place of both fields.
    ///
    /// Say no for a client of one user whose credentials change from request to request, as signatures and
    /// rotating sessions do: to this layer each of them is a new editor, who has seen nothing.
    #[must_use]
    pub fn credentials_separate_editors(self, yes: bool) -> Self {
        self.set(|rules| rules.credentials_separate_editors = yes)
    }

    /// Whether an update carries `If-Unmodified-Since` where only a date is known (RFC 9110 §13.1.4). Default:
    /// no. Only a date is used that is at least one second older than its answer (RFC 9110 §8.8.2.2).
    #[must_use]
    pub fn if_unmodified_since(self, yes: bool) -> Self {
        self.set(|rules| rules.if_unmodified_since = yes)
    }

    /// Whether a PUT of which nothing is known carries `If-None-Match: *`, so that it creates and never
    /// overwrites (RFC 9110 §13.1.2). Default: no. Per request, and whatever is known:
    /// [`CreateOnly`](crate::CreateOnly).
    #[must_use]
    pub fn create_only(self, yes: bool) -> Self {
        self.set(|rules| rules.create_only = yes)
    }

    /// Whether a protected request is refused with
    /// [`LostUpdateError::NothingKnown`](crate::LostUpdateError::NothingKnown), and not sent, when no
    /// precondition can be made for it. Default: no. Per request: [`RequireTag`](crate::RequireTag).
    #[must_use]
    pub fn require_tag(self, yes: bool) -> Self {
        self.set(|rules| rules.require_tag = yes)
    }

    /// Whether a tag that cost a 412 goes on being sent until the caller has read the resource again, so that
    /// who simply tries again gets another 412. Default: no: a 412 forgets the tag, and the next update
    /// without a read in between carries no precondition, as in httplib2.
    #[must_use]
    pub fn guard_after_conflict(self, yes: bool) -> Self {
        self.set(|rules| rules.guard_after_conflict = yes)
    }

    /// Whether a 428 (RFC 6585 §3) to a request of which nothing was known is answered by fetching the tag with
    /// a HEAD and sending the request again with it, once. Default: no.
    ///
    /// **This satisfies the server and protects nobody**: the caller has not seen the version that is
    /// overwritten. Where a merge hook is set, it is asked instead, and this is not needed.
    #[must_use]
    pub fn fetch_tag_on_428(self, yes: bool) -> Self {
        self.set(|rules| rules.fetch_tag_on_428 = yes)
    }

    /// Whether `If-Match` also lists the tag without the ending that a server added when it encoded the
    /// content on the fly. Default: no.
    ///
    /// Apache's `mod_deflate` turns `"v1"` into `"v1-gzip"` and its `mod_brotli` into `"v1-br"`
    /// (`DeflateAlterETag`, `BrotliAlterETag`), and then does not know these tags when they come back with a
    /// PUT, which is never encoded; others write `--gzip` or `;gzip`. With this, `If-Match` reads
    /// `"v1-gzip", "v1"`. A wrong guess can only give the 412 that would have come without it, unless a
    /// server uses the shorter text for another version of the same resource.
    #[must_use]
    pub fn content_coding_suffixes(self, yes: bool) -> Self {
        self.set(|rules| rules.content_coding_suffixes = yes)
    }

    /// Whether weak tags are sent in `If-Match`, as httplib2 did. Default: no: they never match there, so the
    /// answer is a 412 (RFC 9110 §8.8.3.2).
    #[must_use]
    pub fn httplib2_weak_tags(self, yes: bool) -> Self {
        self.set(|rules| rules.httplib2_weak_tags = yes)
    }

    /// Whether the answer to an update teaches no tag, as in httplib2, so that the second of two updates in a
    /// row carries no precondition. Default: no.
    #[must_use]
    pub fn httplib2_one_shot(self, yes: bool) -> Self {
        self.set(|rules| rules.httplib2_one_shot = yes)
    }

    /// How many URIs are remembered, each once per editor. Default: 4,096. The one that was not used for the
    /// longest time is forgotten first.
    #[must_use]
    pub fn max_uris(self, uris: usize) -> Self {
        self.set(|rules| rules.bounds = Bounds { uris, ..rules.bounds })
    }

    /// How many bytes the ledger takes, roughly. Default: 2 MiB. A tag of more than 1 KiB is not remembered, and
    /// of one URI no more than 8 variants.
    #[must_use]
    pub fn max_bytes(self, bytes: usize) -> Self {
        self.set(|rules| rules.bounds = Bounds { bytes, ..rules.bounds })
    }

    /// Merges conflicts with this, a [`MergeHook`](crate::MergeHook), or an `Option` of one for a layer that
    /// merges only where the request says so. Default: [`NoMerge`]. An update that a layer below sends twice can
    /// meet its own 412: see [`merge_fn`](crate::merge_fn).
    ///
    /// The body of the requests must then be one that can be made of [`Bytes`](bytes::Bytes).
    #[must_use]
    pub fn merge<N>(self, merge: N) -> LostUpdateLayer<N> {
        LostUpdateLayer { rules: self.rules, sources: self.sources, merge: Arc::new(merge) }
    }

    /// How often one request is merged and sent again before its 412 goes to the caller. Default: 5.
    #[must_use]
    pub fn merge_rounds(self, rounds: usize) -> Self {
        self.set(|rules| rules.merge_rounds = rounds)
    }

    /// How many bytes each of the two versions of a merge may have. Default: 1 MiB.
    #[must_use]
    pub fn merge_bytes(self, bytes: u64) -> Self {
        self.set(|rules| rules.merge_bytes = bytes)
    }

    /// How much is read of a response that is given up, so that its connection can be used again. Default: 64
    /// KiB and one second.
    #[must_use]
    pub fn discard_limits(self, limits: DiscardLimits) -> Self {
        self.set(|rules| rules.discard_limits = limits)
    }

    fn set(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(Arc::make_mut(&mut self.rules));
        self
    }
}

impl<S, M> Layer<S> for LostUpdateLayer<M> {
    type Service = LostUpdate<S, M>;

    fn layer(&self, inner: S) -> Self::Service {
        LostUpdate::new(inner, Arc::clone(&self.rules), self.sources.clone(), Arc::clone(&self.merge))
    }
}
