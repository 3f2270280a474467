//! A store with at most one fault.

#![allow(dead_code, reason = "each test crate uses its part")]

use std::{
    future::poll_fn,
    ops::Range,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::{Body, Frame};
use httplib2_store::{
    Answer, Entry, EntryId, Found, Generation, Head, Key, Listed, MemoryStore, Store, StoreError, StoredBody, Usage,
    Writer,
};

/// A store in memory behind this one, with at most one fault.
#[derive(Clone, Debug)]
pub(crate) struct Faulty {
    inner: MemoryStore,
    fault: Fault,
    /// What writers that meet have written.
    shared: Arc<Mutex<Vec<u8>>>,
    commits: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    NeverAnswers,
    NeverReady,
    LosesTheLastByte,
    JoinsFieldLines,
    SaysYesToAnEmptyBody,
    ShowsWhatIsBeingWritten,
    StoresWhatIsGivenUp,
    LeaksWhatIsGivenUp,
    IgnoresTheLength,
    KeepsTheFirst,
    KeepsTheOldHead,
    IgnoresRemoval,
    RemovesTheWholeKey,
    IgnoresGenerations,
    IgnoresGenerationsOfUpdates,
    ClearsWithoutGenerations,
    UpdatesIntoANewEntry,
    UpdatesTheBodyAway,
    UpdatesWhatIsGone,
    CutsKeys,
    ForgetsPartitions,
    InvalidatesAll,
    TakesMoreThanItsLimit,
    StopsStoringWhenFull,
    LosesWhatIsLarge,
    ListsNothing,
    CountsNothing,
    ClearsAllButOne,
    ForgetsTheVersion,
    ForgetsTheTimes,
    ForgetsSensitivity,
    MixesIdentities,
    MixesSelectingFields,
    TakesAbsentForEmpty,
    LosesTrailers,
    LetsTheOlderWin,
    CutsOneTooMany,
    ReadsBeyondTheEnd,
    KeepsPartsAsWholes,
    ReadsWhatIsThereNow,
    LetsWritersMeet,
    HoldsAllPieces,
}

#[derive(Debug)]
struct FaultyWriter {
    store: Faulty,
    inner: Option<Box<dyn Writer>>,
    key: Key,
    head: Head,
    generation: Generation,
    written: Vec<u8>,
    pieces: Vec<Bytes>,
}

/// A body that is looked up anew for each byte.
struct Current {
    store: Faulty,
    key: Key,
    head: Head,
    at: usize,
}

// === impl Faulty ===

impl Faulty {
    pub(crate) fn store(fault: Fault, bytes: u64) -> Arc<dyn Store> {
        let bytes = if fault == Fault::TakesMoreThanItsLimit { bytes * 100 } else { bytes };
        let inner = MemoryStore::builder().capacity(bytes).build();
        Arc::new(Self { inner, fault, shared: Arc::default(), commits: Arc::default() })
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn key(&self, key: &Key) -> Key {
        match self.fault {
            Fault::CutsKeys => Key::from_text(key.as_str().chars().take(100).collect::<String>()),
            Fault::ForgetsPartitions => Key::from_text(key.uri()),
            _ => key.clone(),
        }
    }

    fn head(&self, mut head: Head) -> Head {
        match self.fault {
            Fault::JoinsFieldLines => {
                let lines: Vec<_> = head.headers.get_all(header::LINK).iter().map(|line| line.as_bytes()).collect();
                let joined = http::HeaderValue::from_bytes(&lines.join(&b", "[..])).expect("a field value");
                head.headers.insert(header::LINK, joined);
            }
            Fault::ForgetsTheVersion => head.version = http::Version::HTTP_11,
            Fault::ForgetsTheTimes => head.requested_at = head.received_at,
            Fault::ForgetsSensitivity => head.headers.values_mut().for_each(|value| value.set_sensitive(false)),
            Fault::MixesIdentities => head.identity = None,
            Fault::MixesSelectingFields => head.selecting.clear(),
            Fault::TakesAbsentForEmpty => {
                for (_, value) in &mut head.selecting {
                    value.get_or_insert_default();
                }
            }
            _ => {}
        }
        head
    }

    fn variants(&self, key: &Key) -> Arc<[Entry]> {
        done(self.inner.lookup(key)).variants
    }

    fn generation(&self, key: &Key) -> Generation {
        done(self.inner.lookup(key)).generation
    }
}

impl Store for Faulty {
    fn lookup(&self, key: &Key) -> Answer<Found> {
        match self.fault {
            Fault::NeverAnswers => Answer::pending(std::future::pending()),
            _ => self.inner.lookup(&self.key(key)),
        }
    }

    fn open(&self, key: &Key, entry: &Entry) -> Answer<StoredBody> {
        if self.has(Fault::ReadsWhatIsThereNow) && entry.length() > 100_000 {
            let current = Current { store: self.clone(), key: key.clone(), head: entry.head().clone(), at: 0 };
            return Answer::Ready(Ok(StoredBody::streaming(current, entry.length())));
        }
        let body = done(self.inner.open(&self.key(key), entry));
        let data = body.as_whole().expect("it is in memory").clone();
        match self.fault {
            Fault::LosesTheLastByte => {
                Answer::Ready(Ok(StoredBody::whole(data.slice(..data.len().saturating_sub(1)), None)))
            }
            Fault::LosesTrailers => Answer::Ready(Ok(StoredBody::whole(data, None))),
            _ => Answer::Ready(Ok(body)),
        }
    }

    fn open_range(&self, key: &Key, entry: &Entry, range: Range<u64>) -> Answer<StoredBody> {
        let range = match self.fault {
            Fault::CutsOneTooMany if range.start + 1 < range.end => range.start + 1..range.end,
            Fault::ReadsBeyondTheEnd => range.start.min(entry.length())..range.end.min(entry.length()),
            _ => range,
        };
        self.open(key, entry).map(|body| body.cut(range))
    }

    fn write(
        &self,
        key: Key,
        head: Head,
        length: Option<u64>,
        generation: Generation,
    ) -> Result<Box<dyn Writer>, StoreError> {
        let (key, head) = (self.key(&key), self.head(head));
        let usage = done(self.inner.usage());
        if self.has(Fault::StopsStoringWhenFull) && Some(usage.bytes * 4) > usage.limit.map(|limit| limit * 3) {
            return Err(StoreError::Full { limit: usage.bytes });
        }
        let length = if self.has(Fault::IgnoresTheLength) { None } else { length };
        let inner = match self.inner.write(key.clone(), head.clone(), length, generation) {
            Err(StoreError::TooLarge { .. }) if self.has(Fault::LosesWhatIsLarge) => None,
            inner => Some(inner?),
        };
        let store = self.clone();
        Ok(Box::new(FaultyWriter { store, inner, key, head, generation, written: Vec::new(), pieces: Vec::new() }))
    }

    fn update(&self, key: &Key, id: EntryId, head: Head, generation: Generation) -> Answer<Entry> {
        let (key, head) = (self.key(key), self.head(head));
        match self.fault {
            Fault::IgnoresGenerationsOfUpdates => self.inner.update(&key, id, head, self.generation(&key)),
            Fault::UpdatesIntoANewEntry => {
                let found = self.variants(&key);
                let Some(old) = found.iter().find(|entry| entry.id() == id) else {
                    return Answer::Ready(Err(StoreError::Gone));
                };
                if generation != self.generation(&key) {
                    return Answer::Ready(Err(StoreError::Superseded));
                }
                let body = done(self.inner.open(&key, old));
                done(self.inner.remove(&key, id));
                let mut writer = self.inner.write(key, head, None, generation).expect("it can be stored");
                writer.write(body.as_whole().expect("it is in memory").clone()).expect("it can be stored");
                writer.commit(None)
            }
            Fault::UpdatesTheBodyAway if self.generation(&key) == generation => {
                self.inner.write(key, head, None, generation).expect("it can be stored").commit(None)
            }
            Fault::UpdatesWhatIsGone => match now(self.inner.update(&key, id, head.clone(), generation)) {
                Err(StoreError::Gone) => {
                    self.inner.write(key, head, None, generation).expect("it can be stored").commit(None)
                }
                updated => Answer::Ready(updated),
            },
            _ => self.inner.update(&key, id, head, generation),
        }
    }

    fn remove(&self, key: &Key, id: EntryId) -> Answer<()> {
        let key = self.key(key);
        match self.fault {
            Fault::IgnoresRemoval => Answer::Ready(Ok(())),
            Fault::RemovesTheWholeKey => {
                let variants = self.variants(&key);
                let there = variants.iter().any(|entry| entry.id() == id);
                for entry in variants.iter().filter(|_| there) {
                    done(self.inner.remove(&key, entry.id()));
                }
                Answer::Ready(Ok(()))
            }
            _ => self.inner.remove(&key, id),
        }
    }

    fn invalidate(&self, key: &Key) -> Answer<()> {
        let key = self.key(key);
        if self.has(Fault::InvalidatesAll) { self.inner.clear() } else { self.inner.invalidate(&key) }
    }

    fn clear(&self) -> Answer<()> {
        match self.fault {
            Fault::ClearsAllButOne => {
                let lines = done(self.inner.list());
                for line in lines.iter().skip(usize::from(lines.len() > 1)) {
                    done(self.inner.invalidate(&line.key));
                }
                Answer::Ready(Ok(()))
            }
            Fault::ClearsWithoutGenerations => {
                for line in done(self.inner.list()) {
                    done(self.inner.remove(&line.key, line.entry.id()));
                }
                Answer::Ready(Ok(()))
            }
            _ => self.inner.clear(),
        }
    }

    fn list(&self) -> Answer<Vec<Listed>> {
        if self.has(Fault::ListsNothing) { Answer::Ready(Ok(Vec::new())) } else { self.inner.list() }
    }

    fn usage(&self) -> Answer<Usage> {
        let usage = done(self.inner.usage());
        let leaked = self.commits.load(Ordering::Relaxed);
        Answer::Ready(Ok(match self.fault {
            Fault::CountsNothing => Usage::new(0, usage.limit, usage.entries),
            Fault::LeaksWhatIsGivenUp => Usage::new(usage.bytes + leaked, usage.limit, usage.entries),
            _ => usage,
        }))
    }
}

// === impl FaultyWriter ===

impl FaultyWriter {
    /// An entry that is nowhere.
    fn nothing(&self) -> Entry {
        Entry::new(EntryId::new(0), self.head.clone(), 0, self.head.received_at, Arc::new(()))
    }

    /// Stores something else than it was told to.
    fn store_now(&self, data: &[u8]) -> Result<Entry, StoreError> {
        self.store_with(data, None)
    }

    fn store_with(&self, data: &[u8], trailers: Option<HeaderMap>) -> Result<Entry, StoreError> {
        let generation = self.store.generation(&self.key);
        let mut writer = self.store.inner.write(self.key.clone(), self.head.clone(), None, generation)?;
        writer.write(Bytes::copy_from_slice(data))?;
        now(writer.commit(trailers))
    }
}

impl Writer for FaultyWriter {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StoreError>> {
        match &mut self.inner {
            _ if self.store.has(Fault::NeverReady) => Poll::Pending,
            _ if self.store.has(Fault::HoldsAllPieces) => Poll::Ready(Ok(())),
            Some(inner) => inner.poll_ready(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn write(&mut self, data: Bytes) -> Result<(), StoreError> {
        self.written.extend_from_slice(&data);
        match self.store.fault {
            Fault::ShowsWhatIsBeingWritten => drop(self.store_now(&self.written)),
            Fault::LetsWritersMeet => self.store.shared.lock().expect("nobody panicked").extend_from_slice(&data),
            Fault::HoldsAllPieces => {
                self.pieces.push(data);
                return Ok(());
            }
            _ => {}
        }
        let Some(inner) = &mut self.inner else { return Ok(()) };
        match inner.write(data) {
            Err(StoreError::TooLarge { .. }) if self.store.has(Fault::LosesWhatIsLarge) => Ok(()),
            written => written,
        }
    }

    fn commit(mut self: Box<Self>, trailers: Option<HeaderMap>) -> Answer<Entry> {
        let current = self.store.variants(&self.key);
        let (written, inner) = (std::mem::take(&mut self.written), self.inner.take());
        let same = current.iter().find(|entry| entry.head().selects_same(&self.head));
        match self.store.fault {
            Fault::SaysYesToAnEmptyBody if written.is_empty() => Answer::Ready(Ok(self.nothing())),
            Fault::LosesWhatIsLarge if inner.is_none() => Answer::Ready(Ok(self.nothing())),
            Fault::KeepsTheFirst if same.is_some() => Answer::Ready(Ok(same.expect("it is there").clone())),
            Fault::KeepsTheOldHead if same.is_some() => {
                let entry = self.store_now(&written).expect("it can be stored");
                let head = same.expect("it is there").head().clone();
                self.store.inner.update(&self.key, entry.id(), head, self.store.generation(&self.key))
            }
            Fault::IgnoresGenerations if self.generation != self.store.generation(&self.key) => {
                Answer::Ready(self.store_now(&written))
            }
            Fault::LetsTheOlderWin => match now(inner.expect("it was begun").commit(trailers)) {
                Err(StoreError::Superseded) if same.is_some() => {
                    done(self.store.inner.remove(&self.key, same.expect("it is there").id()));
                    Answer::Ready(self.store_now(&written))
                }
                committed => Answer::Ready(committed),
            },
            Fault::LetsWritersMeet => {
                let all = std::mem::take(&mut *self.store.shared.lock().expect("nobody panicked"));
                Answer::Ready(self.store_with(&all, trailers))
            }
            Fault::HoldsAllPieces => {
                let mut inner = inner.expect("it was begun");
                match std::mem::take(&mut self.pieces).into_iter().try_for_each(|piece| inner.write(piece)) {
                    Ok(()) => inner.commit(trailers),
                    Err(error) => Answer::Ready(Err(error)),
                }
            }
            Fault::LosesWhatIsLarge => match now(inner.expect("it was begun").commit(trailers)) {
                Err(_) if written.len() > 100_000 => Answer::Ready(Ok(self.nothing())),
                committed => Answer::Ready(committed),
            },
            _ => inner.expect("it was begun").commit(trailers),
        }
    }

    fn commit_part(mut self: Box<Self>, head: Head) -> Answer<Entry> {
        let mut inner = self.inner.take().expect("it was begun");
        for piece in std::mem::take(&mut self.pieces) {
            inner.write(piece).expect("it can be stored");
        }
        if self.store.has(Fault::KeepsPartsAsWholes) {
            return Answer::Ready(self.store_now(&self.written));
        }
        inner.commit_part(head)
    }
}

impl Drop for FaultyWriter {
    fn drop(&mut self) {
        if self.inner.take().is_some() {
            self.store.commits.fetch_add(self.written.len() as u64, Ordering::Relaxed);
            if self.store.has(Fault::StoresWhatIsGivenUp) {
                drop(self.store_now(&self.written));
            }
        }
    }
}

// === impl Current ===

impl Body for Current {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        let variants = self.store.variants(&self.key);
        let Some(entry) = variants.iter().find(|entry| entry.head().selects_same(&self.head)) else {
            return Poll::Ready(Some(Err(StoreError::Gone)));
        };
        let body = done(self.store.inner.open(&self.key, entry));
        let data = body.as_whole().expect("it is in memory");
        let piece = data.slice(self.at.min(data.len())..(self.at + 1_000).min(data.len()));
        self.at += piece.len();
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }
}

/// What an answer of the store in memory is, which makes nobody wait.
pub(crate) fn now<T: std::fmt::Debug + 'static>(answer: Answer<T>) -> Result<T, StoreError> {
    match answer {
        Answer::Ready(result) => result,
        Answer::Pending(_) => panic!("the store in memory made somebody wait"),
    }
}

/// What an answer that does not fail is.
pub(crate) fn done<T: std::fmt::Debug + 'static>(answer: Answer<T>) -> T {
    now(answer).expect("the store in memory does not fail")
}

/// Stores a response in one piece.
pub(crate) fn put(store: &dyn Store, key: &Key, head: Head, data: &[u8]) -> Result<Entry, StoreError> {
    let generation = now(store.lookup(key))?.generation;
    let mut writer = store.write(key.clone(), head, Some(data.len() as u64), generation)?;
    let ready = writer.poll_ready(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(ready, Poll::Ready(Ok(()))));
    writer.write(Bytes::copy_from_slice(data))?;
    now(writer.commit(None))
}

/// Reads the body of an entry.
pub(crate) async fn get(store: &dyn Store, key: &Key, entry: &Entry) -> Vec<u8> {
    let mut body = store.open(key, entry).await.expect("it is there");
    let mut read = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        read.extend_from_slice(frame.expect("it is whole").data_ref().expect("it has no trailers"));
    }
    read
}
