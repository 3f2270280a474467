//! What the store has for a request.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use http::{HeaderValue, StatusCode};
use httplib2_core::who::Identity;
use httplib2_store::{Entry, Generation, Head};

use crate::{
    ask::Ask,
    policy::{Answered, Freshened, Held, Kept, Selecting, Signed, Span, Stored, Then, Times, select},
    settings::Settings,
};

/// What is stored of a URI, and which of it answers the request.
#[derive(Debug)]
pub(crate) struct Found {
    variants: Arc<[Entry]>,
    selected: Option<usize>,
    /// Where nothing is stored as a whole, the part that answers the request.
    part: Option<Entry>,
    /// `None` when the store failed: then nothing is stored either.
    pub(crate) generation: Option<Generation>,
}

/// What is made of a stored head once, so that a hit parses nothing.
struct Memo {
    stored: Stored,
    selecting: Selecting,
    /// When this was made, by both clocks.
    made: (SystemTime, Instant),
}

/// The head under which a response is stored.
pub(crate) fn head_of(settings: &Settings, kept: Kept, answered: &Answered<'_>, identity: Option<Identity>) -> Head {
    let Kept { stored, mut headers, selecting } = kept;
    // Its place is taken now, so that a hit need not make room for it.
    headers.entry(http::header::AGE).or_insert(HeaderValue::from_static("0"));
    let mut head = Head::new(answered.status, headers, answered.times.received_at);
    head.requested_at = answered.times.requested_at;
    head.selecting = fields(&selecting);
    head.identity = identity;
    remember(settings, head, stored, selecting)
}

/// The head of a stored response after an update.
pub(crate) fn freshened_head(settings: &Settings, old: &Head, freshened: &Freshened, times: Times) -> Head {
    let selecting = match &freshened.then {
        Then::Reselect(selecting) => selecting.clone(),
        Then::Update | Then::Leave | Then::Drop(_) => memo(settings, old).selecting.clone(),
    };
    let mut head = old.clone();
    head.headers = freshened.headers.clone();
    head.headers.entry(http::header::AGE).or_insert(HeaderValue::from_static("0"));
    (head.requested_at, head.received_at) = (times.requested_at, times.received_at);
    head.selecting = fields(&selecting);
    remember(settings, head, freshened.stored, selecting)
}

/// The head of what holds these bytes, made from that of other bytes of the same version.
pub(crate) fn spanning(head: &Head, span: &Span) -> Head {
    // The copy has no memo, so that one may change it.
    let mut head = head.clone();
    head.status = if span.is_whole() { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    span.describe(&mut head.headers);
    head
}

/// Whether an entry holds only a part of its representation.
pub(crate) fn is_part(entry: &Entry) -> bool {
    entry.head().status == StatusCode::PARTIAL_CONTENT
}

/// What is stored as a whole, and the parts. Nothing is copied where there are none.
fn apart(variants: Arc<[Entry]>) -> (Arc<[Entry]>, Vec<Entry>) {
    if !variants.iter().any(is_part) {
        return (variants, Vec::new());
    }
    let (parts, whole): (Vec<_>, Vec<_>) = variants.iter().cloned().partition(is_part);
    (whole.into(), parts)
}

fn remember(settings: &Settings, head: Head, stored: Stored, selecting: Selecting) -> Head {
    let made = (settings.clock.now(), settings.clock.instant());
    head.memo(|_| Memo { stored, selecting, made });
    head
}

fn fields(selecting: &Selecting) -> Vec<(http::HeaderName, Option<Box<[u8]>>)> {
    selecting.fields().map(|(name, value)| (name.clone(), value.map(Into::into))).collect()
}

fn memo<'a>(settings: &Settings, head: &'a Head) -> &'a Memo {
    head.memo(|head| {
        let times = Times { requested_at: head.requested_at, received_at: head.received_at };
        let answered = Answered { status: head.status, headers: &head.headers, times, signed: Signed::No };
        Memo {
            stored: Stored::read(&settings.rules, &answered),
            selecting: Selecting::from_fields(head.selecting.iter().cloned()),
            made: (settings.clock.now(), settings.clock.instant()),
        }
    })
}

pub(crate) fn held<'a>(settings: &Settings, entry: &'a Entry) -> Held<'a> {
    let head = entry.head();
    let memo = memo(settings, head);
    Held { stored: &memo.stored, headers: &head.headers, selecting: &memo.selecting, identity: head.identity.as_ref() }
}

/// The time that the age of an entry is counted to: a wall clock that was set back does not make it younger.
pub(crate) fn now(settings: &Settings, entry: Option<&Entry>) -> SystemTime {
    let now = settings.clock.now();
    let Some(entry) = entry else { return now };
    let (wall, instant) = memo(settings, entry.head()).made;
    let kept_for = settings.clock.instant().saturating_duration_since(instant);
    wall.checked_add(kept_for).map_or(now, |at_least| now.max(at_least))
}

// === impl Found ===

impl Found {
    /// Asks the store. With `selects` false only the generation is taken, and nothing that is stored answers.
    pub(crate) async fn look_up(settings: &Settings, ask: &Ask, selects: bool) -> Self {
        let nothing = || Self { variants: Arc::new([]), selected: None, part: None, generation: None };
        if !settings.is_true(&ask.key).await {
            return nothing();
        }
        let Some(found) = settings.wait("look-up", settings.store.lookup(&ask.key)).await else { return nothing() };
        let generation = Some(found.generation);
        if !selects {
            return Self { variants: Arc::new([]), selected: None, part: None, generation };
        }
        let (variants, parts) = apart(found.variants);
        let at = |entries: &[Entry]| {
            select(&settings.rules, &ask.asked(), entries.iter().map(|entry| held(settings, entry)))
        };
        let selected = at(&variants);
        let part = if selected.is_none() { at(&parts).and_then(|at| parts.get(at)).cloned() } else { None };
        Self { variants, selected, part, generation }
    }

    /// The part that would answer the request if it were the whole. Only where nothing whole does.
    pub(crate) fn part(&self) -> Option<&Entry> {
        self.part.as_ref()
    }

    /// What answers the request, or would if it were the whole.
    pub(crate) fn whole_or_part(&self) -> Option<&Entry> {
        self.selected().or_else(|| self.part())
    }

    /// The part cannot be had any more.
    pub(crate) fn forget_part(&mut self) {
        self.part = None;
    }

    /// The stored response that answers the request, fresh or not. It is never a part.
    pub(crate) fn selected(&self) -> Option<&Entry> {
        self.selected.and_then(|at| self.variants.get(at))
    }

    pub(crate) fn selected_at(&self) -> Option<usize> {
        self.selected
    }

    pub(crate) fn get(&self, at: usize) -> Option<&Entry> {
        self.variants.get(at)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.variants.is_empty()
    }

    pub(crate) fn held<'a>(&'a self, settings: &'a Settings) -> impl Iterator<Item = Held<'a>> {
        self.variants.iter().map(|entry| held(settings, entry))
    }
}
