//! One call: the first send, and one more for each hop.

use std::{future::poll_fn, sync::Arc};

use bytes::BytesMut;
use http::{HeaderName, Request, Response, request, response};
use http_body::Body;
use httplib2_core::{
    body::{Resend, drain},
    context::Journal,
    send::{HttpService, clone_head},
    who::{FirstOrigin, Guarded, Origin, Redacted},
};

use crate::{
    Fragment, Hop, Hops, NotFollowed, RedirectPolicy,
    carry::carry,
    decide::{Content, Decision, Next, Sent, decide},
    options,
    rules::Rules,
};

/// What is kept of the request while it is under way.
pub(crate) struct Spare<B> {
    head: request::Parts,
    fragment: Option<Arc<str>>,
    /// `None` when it cannot be sent again.
    body: Option<B>,
    has_content: bool,
}

/// The steps so far, and what is kept of them.
#[derive(Default)]
struct History {
    hops: Vec<Hop>,
    body_bytes: usize,
    head_bytes: usize,
}

/// Beyond this, the fields of followed responses are forgotten: a hostile chain must not fill the memory.
const MAX_HEAD_BYTES: usize = 1024 * 1024;

/// Sends, and sends again as long as the answer redirects.
///
/// `service` was polled ready and made the `first` send. Dropping the future at any `await` drops the answer or the
/// send that is under way; nothing runs on.
pub(crate) async fn exchange<S, B, P>(
    mut service: S,
    first: S::Future,
    mut spare: Spare<B>,
    rules: Arc<Rules>,
    policy: Arc<P>,
) -> Result<Response<S::ResponseBody>, S::Error>
where
    S: HttpService<B>,
    B: Body + Resend,
    P: RedirectPolicy,
{
    let mut history = History::default();
    let mut response = first.await?;
    loop {
        spare.take_up(response.extensions().get());
        let sent = spare.sent(history.hops.len());
        let not_followed = match decide(&rules, &*policy, sent, response.status(), response.headers()) {
            Decision::Return if history.hops.is_empty() => return Ok(response),
            Decision::Return => None,
            Decision::Keep(reason) => Some(reason),
            Decision::Follow(next) if !spare.claim(&next) => Some(NotFollowed::BodyGone),
            Decision::Follow(next) => {
                let (head, body) = response.into_parts();
                give_up(head, body, &mut spare, &next, &rules, &mut history).await;
                let request = spare.take();
                poll_fn(|cx| service.poll_ready(cx)).await?;
                response = service.call(request).await?;
                continue;
            }
        };
        Hops::mark(&mut response, history.hops, &spare.request(), &spare.head.extensions, not_followed);
        return Ok(response);
    }
}

/// Drains a response that is followed, turns the spare into the next request, and keeps what happened.
async fn give_up<B, R: Body>(
    mut head: response::Parts,
    body: R,
    spare: &mut Spare<B>,
    next: &Next,
    rules: &Rules,
    history: &mut History,
) where
    B: Body + Resend,
{
    let left = rules.history_bytes.saturating_sub(history.body_bytes);
    let mut kept = BytesMut::new();
    let mut fits = true;
    let drained = drain(body, rules.discard_limits, |data| {
        let length = data.len().min(left - kept.len());
        fits &= length == data.len();
        kept.extend_from_slice(&data[..length]);
    })
    .await;

    history.body_bytes += kept.len();
    history.head_bytes += head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
    if history.head_bytes > MAX_HEAD_BYTES {
        head.headers.clear();
    }

    let before = (spare.head.method.clone(), spare.head.uri.clone());
    let headers = spare.head.headers.clone();
    let fragment = spare.fragment.clone();
    let dropped = spare.turn_to(next, rules);
    let hop = Hop {
        method: before.0,
        uri: before.1,
        fragment,
        headers,
        response: Response::from_parts(head, kept.freeze()),
        body_is_whole: drained && fits,
        dropped,
    };
    Journal::record(&spare.head.extensions, "redirect", &Followed { hop: &hop, next });
    history.hops.push(hop);
}

/// The journal's line for one hop.
struct Followed<'a> {
    hop: &'a Hop,
    next: &'a Next,
}

// === impl Spare ===

impl<B: Body + Resend> Spare<B> {
    pub(crate) fn of(request: &Request<B>) -> Self {
        let head = clone_head(request);
        Self {
            fragment: head.extensions.get().map(|Fragment(fragment)| Arc::clone(fragment)),
            head,
            body: request.body().try_clone(),
            has_content: !request.body().is_end_stream(),
        }
    }

    fn sent(&self, hops: usize) -> Sent<'_> {
        let content = match &self.body {
            _ if !self.has_content => Content::Absent,
            Some(body) if body.is_whole() => Content::CanBeSentAgain,
            _ => Content::Gone,
        };
        Sent {
            method: &self.head.method,
            uri: &self.head.uri,
            headers: &self.head.headers,
            options: &self.head.extensions,
            content,
            hops,
        }
    }

    fn request(&self) -> options::Request<'_> {
        options::Request {
            method: &self.head.method,
            uri: &self.head.uri,
            fragment: self.fragment.as_ref(),
            headers: &self.head.headers,
        }
    }

    /// Takes up the precondition that a layer below added: it was on the request that was sent, and without it the
    /// next one could overwrite somebody's update.
    fn take_up(&mut self, guarded: Option<&Guarded>) {
        if let Some(Guarded { name, value }) = guarded {
            self.head.headers.insert(name.clone(), value.clone());
        }
    }

    /// Takes the body over from the send before, which may still be under way below, if the next request needs it.
    fn claim(&self, next: &Next) -> bool {
        next.drops_body || !self.has_content || self.body.as_ref().is_some_and(Resend::claim)
    }

    /// Becomes the next request, and returns the names of the fields that it no longer carries.
    fn turn_to(&mut self, next: &Next, rules: &Rules) -> Vec<HeaderName> {
        let dropped = carry(&mut self.head.headers, rules, (&self.head.method, &self.head.uri), next);
        // It need not be said before the first origin is left. Whoever follows redirects outside of this layer knows better
        // where it all began.
        if next.leaves_origin
            && self.head.extensions.get::<FirstOrigin>().is_none()
            && let Some(origin) = Origin::of(&self.head.uri)
        {
            self.head.extensions.insert(FirstOrigin(origin));
        }
        self.head.method = next.method.clone();
        self.head.uri = next.uri.clone();
        if next.fragment.is_some() {
            self.fragment.clone_from(&next.fragment);
        }
        if next.drops_body {
            self.body = Some(B::default());
            self.has_content = false;
        }
        dropped
    }

    /// Takes the request out, and keeps a spare of it for the hop after.
    fn take(&mut self) -> Request<B> {
        // A body without content may have no spare; the empty body stands for it.
        let body = self.body.take().unwrap_or_default();
        self.body = body.try_clone();
        Request::from_parts(self.head.clone(), body)
    }
}

// === impl Followed ===

impl std::fmt::Display for Followed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let status = self.hop.response.status().as_u16();
        write!(f, "{status} followed to {} as {}", Redacted(&self.next.uri), self.next.method)?;
        if !self.hop.dropped.is_empty() {
            let names: Vec<_> = self.hop.dropped.iter().map(HeaderName::as_str).collect();
            write!(f, ", without {}", names.join(", "))?;
        }
        Ok(())
    }
}
