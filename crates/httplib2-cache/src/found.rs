//! What the store has for a request.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use http::HeaderValue;
use httplib2_core::who::Identity;
use httplib2_store::{Entry, Generation, Head};

use crate::{
    ask::Ask,
    policy::{Answered, Freshened, Held, Kept, Selecting, Signed, Stored, Then, Times, select},
    settings::Settings,
};

/// What is stored of a URI, and which of it answers the request.
#[derive(Debug)]
pub(crate) struct Found {
    variants: Arc<[Entry]>,
    selected: Option<usize>,
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
        let nothing = || Self { variants: Arc::new([]), selected: None, generation: None };
        if !settings.is_true(&ask.key).await {
            return nothing();
        }
        let Some(found) = settings.wait("look-up", settings.store.lookup(&ask.key)).await else { return nothing() };
        let generation = Some(found.generation);
        if !selects {
            return Self { variants: Arc::new([]), selected: None, generation };
        }
        let held = found.variants.iter().map(|entry| held(settings, entry));
        let selected = select(&settings.rules, &ask.asked(), held);
        Self { variants: found.variants, selected, generation }
    }

    /// The stored response that answers the request, fresh or not.
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
