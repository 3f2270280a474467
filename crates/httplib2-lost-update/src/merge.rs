//! How a conflict is merged: the caller's hook, and what it is given.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use httplib2_core::who::Redacted;

/// Merges the caller's version with the one that somebody else has put in between: see [`merge_fn`].
///
/// Given to [`LostUpdateLayer::merge`](crate::LostUpdateLayer::merge) it serves every request. As a request
/// extension it serves this request, if the layer merges at all, in place of the layer's own.
#[derive(Clone)]
pub struct MergeHook(Arc<dyn Fn(Versions) -> Merging + Send + Sync>);

/// The two versions of a conflict.
///
/// `Debug` shows no fields and no bodies, because they may be secret.
#[non_exhaustive]
pub struct Versions {
    /// The request that was refused, with its whole body.
    pub mine: Request<Bytes>,
    /// The answer to a GET of the same URI with the same fields: what is there now.
    pub theirs: Response<Bytes>,
    /// Which round this is, from 1 on.
    pub round: usize,
}

/// Whether and how a layer merges requests with the body `B`.
///
/// There is seldom a reason to implement it: it holds for [`NoMerge`] with every body, and for [`MergeHook`]
/// and `Option<MergeHook>` with every body that can be made from [`Bytes`].
pub trait Merge<B>: Send + Sync + 'static {
    /// What merges a request with these extensions, or `None` when its conflicts go to the caller.
    fn merger(&self, options: &Extensions) -> Option<Merger<B>>;
}

/// A hook, and how a body is made of what it returns.
pub struct Merger<B> {
    hook: MergeHook,
    body: fn(Bytes) -> B,
}

/// Merges nothing: every 412 goes to the caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMerge;

type Merging = Pin<Box<dyn Future<Output = Option<Bytes>> + Send>>;

/// Makes a hook of an async function: from the two versions to the body that is sent in place of the refused
/// one, or `None` to give up and hand the refusal to the caller.
///
/// The function must take up what is in `theirs`: whatever it leaves out is lost. It must also be ready to find in
/// `theirs` what is in `mine`: where a layer below sends an update again because the answer was lost, that update can
/// meet its own 412, and is then merged with itself.
///
/// Who gets the answer has not seen `theirs`. So the tag that was known stays known: an update without a read in
/// between is refused again, and merged again.
///
/// ```
/// use bytes::Bytes;
/// use httplib2_lost_update::{LostUpdateLayer, merge_fn};
///
/// // A list to which everybody only adds lines.
/// let hook = merge_fn(async |versions| {
///     let (mine, theirs) = (versions.mine.body(), versions.theirs.body());
///     let mine = str::from_utf8(mine).ok()?;
///     let theirs = str::from_utf8(theirs).ok()?;
///     let new = mine.lines().filter(|line| !theirs.lines().any(|other| other == *line));
///     Some(Bytes::from(theirs.lines().chain(new).collect::<Vec<_>>().join("\n")))
/// });
/// let layer = LostUpdateLayer::new().merge(hook);
/// # let _ = layer;
/// ```
pub fn merge_fn<F, M>(merge: F) -> MergeHook
where
    F: Fn(Versions) -> M + Send + Sync + 'static,
    M: Future<Output = Option<Bytes>> + Send + 'static,
{
    MergeHook(Arc::new(move |versions| Box::pin(merge(versions))))
}

// === impl MergeHook ===

impl<B: From<Bytes>> Merge<B> for MergeHook {
    fn merger(&self, options: &Extensions) -> Option<Merger<B>> {
        Some(Merger::new(options.get().unwrap_or(self).clone()))
    }
}

impl<B: From<Bytes>> Merge<B> for Option<MergeHook> {
    fn merger(&self, options: &Extensions) -> Option<Merger<B>> {
        Some(Merger::new(options.get().or(self.as_ref())?.clone()))
    }
}

impl fmt::Debug for MergeHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MergeHook(..)")
    }
}

// === impl Merger ===

impl<B: From<Bytes>> Merger<B> {
    /// A merger that makes bodies with [`From`].
    #[must_use]
    pub fn new(hook: MergeHook) -> Self {
        Self { hook, body: B::from }
    }
}

impl<B> Merger<B> {
    /// Asks the hook; `None` when it gives up.
    pub(crate) async fn merge(&self, versions: Versions) -> Option<B> {
        (self.hook.0)(versions).await.map(self.body)
    }
}

impl<B> fmt::Debug for Merger<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Merger(..)")
    }
}

// === impl NoMerge ===

impl<B> Merge<B> for NoMerge {
    fn merger(&self, _: &Extensions) -> Option<Merger<B>> {
        None
    }
}

// === impl Versions ===

impl fmt::Debug for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mine, theirs) = (self.mine.body().len(), self.theirs.body().len());
        write!(f, "Versions({} {}, ", self.mine.method(), Redacted(self.mine.uri()))?;
        write!(f, "{mine} bytes against {theirs} bytes, round {})", self.round)
    }
}
