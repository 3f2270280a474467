//! Parts that are stored, and how they come together (RFC 9111 §3.3, §3.4).

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body::Body;
use httplib2_core::error::BoxError;
use httplib2_store::{Entry, Head, StoreError, StoredBody, Writer};

use crate::{
    CacheBody, Kept, Served, Update,
    forward::Forwarding,
    found::{freshened_head, held, is_part, spanning},
    keep::{Plan, plan},
    policy::{
        Answered, Freshened, Meets, NotStored, Span, Then, Times, beginning, freshen, is_other_version,
        leaves_fields_out, meets, part,
    },
    range::open_range,
    splice::{Broken, Splice},
    stock::complain,
    tee::Tee,
};

/// What takes in the bytes, and what becomes of them if they break off.
type Writing = (Box<dyn Writer>, Option<Broken>);

/// How much may be copied to store a few bytes more, and how many times as much as they are.
const COPIED: (u64, u64) = (64 * 1024, 16);

/// Whether what comes is enough to write what is stored anew with it. Otherwise who asks for one byte after the other
/// would have all of it copied each time.
fn is_worth_copying(stored: &Entry, coming: &Span) -> bool {
    stored.length() <= COPIED.0.max(coming.length().saturating_mul(COPIED.1))
}

// === impl Forwarding ===

impl Forwarding {
    /// Hands on a 206 that the caller asked for, and stores it if it may be: alone, or with what is stored.
    pub(crate) async fn keep_part<R>(&self, response: Response<R>, times: Times) -> Response<CacheBody<R>>
    where
        R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let settings = &self.settings;
        let answered = self.answered(&response, times);
        let plan = plan(settings, &self.ask, &self.found, &answered, response.extensions().get());
        let span = part(&settings.rules, &self.ask.asked(), &answered);
        let has_length = answered.headers.contains_key(header::CONTENT_LENGTH);
        let leaves_out = leaves_fields_out(&self.ask.asked());
        let stored = self.found.whole_or_part();
        let stored = stored.filter(|_| self.is_for_the_same(&response)).map(|entry| {
            let held = held(settings, entry);
            let meets = match &span {
                Some(span) => meets(&held, entry.length(), &answered, span, leaves_out),
                None if is_other_version(held.headers, answered.headers) => Meets::Outdates,
                None => Meets::Unknown,
            };
            (meets, entry, freshen(&settings.rules, &self.ask.asked(), &held, &answered))
        });
        let version = response.version();
        let mut outdated = None;
        let alone = |mut head: Box<Head>, span: &Span, more_than| {
            if leaves_out {
                return Err(Kept::Not(NotStored::Part));
            }
            head.version = version;
            self.write_alone(&head, span, more_than)
        };
        let writing = match (plan, span, stored) {
            (Plan::Store(head, _), Some(span), None) => alone(head, &span, 0),
            (Plan::Store(head, _), Some(span), Some((Meets::Outdates, entry, _))) => {
                let is_replaced = head.selects_same(entry.head());
                let writing = alone(head, &span, 0);
                if !is_replaced || writing.is_err() {
                    settings.remove(&self.ask.key, entry).await;
                } else {
                    outdated = Some((self.ask.key.clone(), entry.clone()));
                }
                writing
            }
            // Of two that are not known to be of one version, the newer one.
            (Plan::Store(head, _), Some(span), Some((Meets::Unknown, entry, _))) if is_part(entry) => {
                alone(head, &span, 0)
            }
            (Plan::Store(head, _), Some(span), Some((Meets::Apart, entry, _)))
                if span.length() > entry.length() && !leaves_out =>
            {
                alone(head, &span, entry.length())
            }
            (Plan::Store(..), Some(span), Some((Meets::Extends, entry, freshened)))
                if is_worth_copying(entry, &span) =>
            {
                match Span::of(&held(settings, entry), entry.length()) {
                    Some(known) => self.write_together(&freshened, times, &span, has_length, (entry, &known)).await,
                    None => Err(Kept::Not(NotStored::Part)),
                }
            }
            (Plan::Store(..), _, Some((Meets::Within | Meets::Apart, entry, freshened))) => {
                Err(match self.update(entry, &freshened, times).await {
                    Update::Freshened => Kept::Freshened,
                    Update::Dropped(why) => Kept::Not(why),
                    Update::Left | Update::Failed => Kept::Failed,
                })
            }
            (plan, _, Some((Meets::Outdates | Meets::Contradicts, entry, _))) => {
                let why = if let Plan::Not(why) = plan { why } else { Kept::Not(NotStored::Part) };
                if why != Kept::Not(NotStored::RequestNoStore) {
                    settings.remove(&self.ask.key, entry).await;
                }
                Err(why)
            }
            (Plan::Not(why), _, Some((_, entry, freshened))) if matches!(freshened.then, Then::Drop(_)) => {
                settings.remove(&self.ask.key, entry).await;
                Err(why)
            }
            (Plan::Not(why), ..) => Err(why),
            (Plan::Store(..), ..) => Err(Kept::Not(NotStored::Part)),
        };
        let (head, body) = response.into_parts();
        let (body, kept) = match writing {
            Ok((writer, broken)) => {
                let tee = Tee::new(body, writer, Arc::clone(settings)).in_place_of(outdated).or_broken(broken);
                (CacheBody::storing(tee), Kept::Storing)
            }
            Err(why) => (CacheBody::passing(body), why),
        };
        let mut response = Response::from_parts(head, body);
        let served = Served::Network { why: self.why, kept };
        self.mark(&mut response, served, None, None, kept == Kept::Storing);
        response
    }

    /// What is stored of a 200 if it breaks off, unless what is stored of its version is more.
    pub(crate) fn broken<R: Body>(&self, plan: &Plan, response: &Response<R>) -> Option<Broken> {
        let Plan::Store(head, _) = plan else { return None };
        let length = response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
        if response.status() != StatusCode::OK
            || !beginning(&self.settings.rules, &head.headers, length, head.received_at)
        {
            return None;
        }
        let known = self.found.whole_or_part();
        let known = known.filter(|entry| !is_other_version(&entry.head().headers, &head.headers));
        let more_than = known.map_or(0, Entry::length);
        let announced = Span { range: 0..length, complete: length };
        let mut head = (**head).clone();
        head.version = response.version();
        Some(Broken { head, announced, length: 0, has_length: true, more_than })
    }

    /// What the answer to a HEAD request says about a stored part (RFC 9111 §4.3.5).
    pub(crate) async fn learn_of_part(&self, answered: &Answered<'_>) {
        if let Some(entry) = self.found.part()
            && answered.status == StatusCode::OK
            && is_other_version(&entry.head().headers, answered.headers)
        {
            self.settings.remove(&self.ask.key, entry).await;
        }
    }

    /// Begins to store bytes that come alone.
    fn write_alone(&self, head: &Head, span: &Span, more_than: u64) -> Result<Writing, Kept> {
        let broken = Broken {
            announced: span.clone(),
            length: 0,
            has_length: head.headers.contains_key(header::CONTENT_LENGTH),
            more_than,
            head: head.clone(),
        };
        Ok((self.write(spanning(head, span), span)?, Some(broken)))
    }

    /// Begins to store bytes together with what is stored before and behind them.
    pub(crate) async fn write_together(
        &self,
        freshened: &Freshened,
        times: Times,
        coming: &Span,
        has_length: bool,
        (entry, stored): (&Entry, &Span),
    ) -> Result<Writing, Kept> {
        match freshened.then {
            Then::Update | Then::Reselect(_) => {}
            Then::Leave => return Err(Kept::Not(NotStored::RequestNoStore)),
            Then::Drop(why) => return Err(Kept::Not(why)),
        }
        let together = stored.joined(&coming.range);
        let lead = stored.range.start..coming.range.start.max(stored.range.start);
        let trail = coming.range.end.min(stored.range.end)..stored.range.end;
        let (before, behind) = (lead.end - lead.start, trail.end - trail.start);
        // The caller waits while these are copied.
        if before.saturating_add(behind) > self.settings.background.bytes {
            return Err(Kept::TooLarge);
        }
        let head = freshened_head(&self.settings, entry.head(), freshened, times);
        let inner = self.write(spanning(&head, &together), &together)?;
        let splice = Splice {
            inner,
            lead: self.open(entry, stored, &lead).await?,
            trail: self.open(entry, stored, &trail).await?,
        };
        let broken = Broken { has_length, head, announced: together, length: before, more_than: stored.length() };
        Ok((Box::new(splice), Some(broken).filter(|_| behind == 0)))
    }

    /// Bytes that are stored, if any are meant.
    async fn open(&self, entry: &Entry, stored: &Span, range: &Range<u64>) -> Result<Option<StoredBody>, Kept> {
        if range.is_empty() {
            return Ok(None);
        }
        open_range(&self.settings, &self.ask, entry, stored, range).await.map(Some).ok_or(Kept::Failed)
    }

    fn write(&self, head: Head, span: &Span) -> Result<Box<dyn Writer>, Kept> {
        let Some(generation) = self.found.generation else { return Err(Kept::Failed) };
        if span.length() > self.settings.max_object {
            return Err(Kept::TooLarge);
        }
        let writer = self.settings.store.write(self.ask.key.clone(), head, Some(span.length()), generation);
        writer.map_err(|error| {
            complain("storing", &error);
            if matches!(error, StoreError::TooLarge { .. }) { Kept::TooLarge } else { Kept::Failed }
        })
    }
}
