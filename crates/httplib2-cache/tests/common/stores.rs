//! Stores that do not do what they should.

use std::{
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use httplib2_store::{
    Answer, Entry, EntryId, Found, Generation, Head, Key, Listed, MemoryStore, Store, StoreError, StoredBody, Usage,
    Writer,
};

/// What a store is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    LookUp,
    Open,
    Begin,
    Room,
    Write,
    Commit,
    Update,
    Remove,
    Invalidate,
}

pub(crate) const CALLS: [Call; 9] = [
    Call::LookUp,
    Call::Open,
    Call::Begin,
    Call::Room,
    Call::Write,
    Call::Commit,
    Call::Update,
    Call::Remove,
    Call::Invalidate,
];

/// How it does not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails.
    Fails,
    /// It says that something newer is there, or was dropped, meanwhile.
    Refuses,
    /// It never answers.
    Hangs,
    /// It does, but only at the second poll.
    Hesitates,
}

/// A memory store with a fault that can be mended.
#[derive(Clone, Debug)]
pub(crate) struct Faulty {
    store: MemoryStore,
    call: Call,
    fault: Fault,
    mended: Arc<AtomicBool>,
}

#[derive(Debug)]
struct FaultyWriter {
    inner: Box<dyn Writer>,
    store: Faulty,
    hesitated: bool,
}

// === impl Faulty ===

impl Faulty {
    pub(crate) fn new(call: Call, fault: Fault) -> Self {
        Self { store: MemoryStore::new(), call, fault, mended: Arc::default() }
    }

    pub(crate) fn set_mended(&self, mended: bool) {
        self.mended.store(mended, Ordering::SeqCst);
    }

    fn fault(&self, call: Call) -> Option<Fault> {
        (self.call == call && !self.mended.load(Ordering::SeqCst)).then_some(self.fault)
    }

    fn answer<T: Send + 'static>(&self, call: Call, answer: impl FnOnce(&MemoryStore) -> Answer<T>) -> Answer<T> {
        match self.fault(call) {
            None => answer(&self.store),
            Some(Fault::Fails) => Answer::Ready(Err(broken())),
            Some(Fault::Refuses) => Answer::Ready(Err(StoreError::Superseded)),
            Some(Fault::Hangs) => Answer::pending(pending()),
            Some(Fault::Hesitates) => {
                let answer = answer(&self.store);
                Answer::pending(async {
                    tokio::task::yield_now().await;
                    answer.await
                })
            }
        }
    }
}

impl Store for Faulty {
    fn lookup(&self, key: &Key) -> Answer<Found> {
        self.answer(Call::LookUp, |store| store.lookup(key))
    }

    fn open(&self, key: &Key, entry: &Entry) -> Answer<StoredBody> {
        self.answer(Call::Open, |store| store.open(key, entry))
    }

    fn write(
        &self,
        key: Key,
        head: Head,
        length: Option<u64>,
        generation: Generation,
    ) -> Result<Box<dyn Writer>, StoreError> {
        if self.fault(Call::Begin) == Some(Fault::Fails) {
            return Err(broken());
        }
        let inner = self.store.write(key, head, length, generation)?;
        Ok(Box::new(FaultyWriter { inner, store: self.clone(), hesitated: false }))
    }

    fn update(&self, key: &Key, id: EntryId, head: Head, generation: Generation) -> Answer<Entry> {
        self.answer(Call::Update, |store| store.update(key, id, head, generation))
    }

    fn remove(&self, key: &Key, id: EntryId) -> Answer<()> {
        self.answer(Call::Remove, |store| store.remove(key, id))
    }

    fn invalidate(&self, key: &Key) -> Answer<()> {
        self.answer(Call::Invalidate, |store| store.invalidate(key))
    }

    fn clear(&self) -> Answer<()> {
        self.store.clear()
    }

    fn list(&self) -> Answer<Vec<Listed>> {
        Answer::Ready(Err(StoreError::Unsupported))
    }

    fn usage(&self) -> Answer<Usage> {
        self.store.usage()
    }
}

// === impl FaultyWriter ===

impl Writer for FaultyWriter {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StoreError>> {
        match self.store.fault(Call::Room) {
            Some(Fault::Fails) => Poll::Ready(Err(broken())),
            Some(Fault::Refuses) => Poll::Ready(Err(StoreError::Superseded)),
            Some(Fault::Hangs) => Poll::Pending,
            Some(Fault::Hesitates) if !self.hesitated => {
                self.hesitated = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Fault::Hesitates) | None => {
                self.hesitated = false;
                self.inner.poll_ready(cx)
            }
        }
    }

    fn write(&mut self, data: Bytes) -> Result<(), StoreError> {
        if self.store.fault(Call::Write) == Some(Fault::Fails) {
            return Err(broken());
        }
        self.inner.write(data)
    }

    fn commit(self: Box<Self>, trailers: Option<HeaderMap>) -> Answer<Entry> {
        let Self { inner, store, .. } = *self;
        store.answer(Call::Commit, |_| inner.commit(trailers))
    }
}

fn broken() -> StoreError {
    io::Error::other("the disk is on fire").into()
}
