//! A response that is being stored.

use std::{
    fmt,
    io::{self, Write},
    mem,
    pin::Pin,
    sync::{Arc, PoisonError, atomic::Ordering},
    task::{Context, Poll},
};

use bytes::Bytes;
use cacache::{Algorithm, SyncWriter, WriteOpts};
use http::HeaderMap;
use httplib2_store::{Answer, Change, Entry, Generation, Head, Key, Share, StoreError, Writer, compact};

use crate::{
    content::{Content, lock},
    digest::Digest,
    files::{self, FileId, blocks},
    job::Job,
    shared::Shared,
    trouble::io_error,
};

pub(crate) struct DiskWriter {
    shared: Arc<Shared>,
    key: Key,
    head: Head,
    /// The length that was announced.
    length: Option<u64>,
    generation: Generation,
    /// What goes to the file next.
    chunk: Vec<u8>,
    /// The bytes that were taken in so far.
    taken: u64,
    sink: State,
    /// What of it is in memory.
    reserved: Share,
    failed: bool,
}

/// The file that a body goes to, under a temporary name.
struct Sink {
    file: SyncWriter,
    spooled: Spooled,
}

/// The space that such a file takes, until this is dropped.
struct Spooled {
    shared: Arc<Shared>,
    bytes: u64,
}

enum State {
    /// So far it fits into one chunk, so no file is needed yet.
    Small,
    Idle(Box<Sink>),
    /// A thread writes to it; the second part is how many bytes.
    Writing(Job<Written>, u64),
    Failed,
}

/// The file, and the memory of the chunk that went to it.
type Written = Result<(Box<Sink>, Vec<u8>), StoreError>;

/// How many temporary files are looked at to see which one took the place of a content. Killed processes leave some.
const MOST_TEMPORARY: usize = 64;

/// What goes to a thread at once. Smaller bodies need no file before their end.
const CHUNK: usize = 256 * 1024;

// === impl DiskWriter ===

impl DiskWriter {
    pub(crate) fn new(
        shared: Arc<Shared>,
        key: Key,
        mut head: Head,
        length: Option<u64>,
        generation: Generation,
    ) -> Result<Self, StoreError> {
        let limit = shared.limits.object;
        if shared.weight(&key, &head, length.unwrap_or(0)) > limit {
            return Err(StoreError::TooLarge { limit });
        }
        if shared.trouble.is_resting(shared.clock.instant()) {
            return Err(StoreError::Full { limit: shared.limits.capacity });
        }
        compact(&mut head.headers);
        let mut reserved = shared.writing.share();
        // Each response takes some, so that not too many are begun.
        reserved.set(head.weight())?;
        let (chunk, sink) = (Vec::new(), State::Small);
        Ok(Self { shared, key, head, length, generation, chunk, taken: 0, sink, reserved, failed: false })
    }

    fn take(&mut self, data: &[u8]) -> Result<(), StoreError> {
        let taken = self.taken + data.len() as u64;
        if self.length.is_some_and(|announced| taken > announced) {
            return Err(StoreError::Incomplete);
        }
        let limit = self.shared.limits.object;
        if self.shared.weight(&self.key, &self.head, taken) > limit {
            return Err(StoreError::TooLarge { limit });
        }
        self.reserved.set(self.head.weight() + self.in_memory() + data.len() as u64)?;
        self.taken = taken;
        self.chunk.extend_from_slice(data);
        if self.chunk.len() >= CHUNK {
            self.write_chunk();
        }
        Ok(())
    }

    /// Gives the chunk to a thread, if no thread has one.
    fn write_chunk(&mut self) {
        let sink = match mem::replace(&mut self.sink, State::Failed) {
            State::Small => None,
            State::Idle(sink) => Some(sink),
            other => {
                self.sink = other;
                return;
            }
        };
        let (shared, mut chunk) = (Arc::clone(&self.shared), mem::take(&mut self.chunk));
        let bytes = chunk.len() as u64;
        let job = Job::start(move || {
            let mut sink = sink.map_or_else(|| Sink::open(&shared), Ok)?;
            sink.write(&shared, &chunk)?;
            chunk.clear();
            Ok((sink, chunk))
        });
        self.sink = State::Writing(job, bytes);
    }

    fn in_memory(&self) -> u64 {
        let writing = if let State::Writing(_, bytes) = self.sink { bytes } else { 0 };
        self.chunk.len() as u64 + writing
    }

    /// What cannot be stored any more takes no room until it is dropped.
    fn give_up(&mut self) {
        self.failed = true;
        self.sink = State::Failed;
        self.chunk = Vec::new();
        self.reserved.release();
    }

    fn finish(mut self, trailers: Option<HeaderMap>) -> Answer<Entry> {
        if self.failed || self.length.is_some_and(|announced| announced != self.taken) {
            return Answer::Ready(Err(StoreError::Incomplete));
        }
        let trailers = trailers.filter(|trailers| !trailers.is_empty()).map(|mut trailers| {
            compact(&mut trailers);
            trailers
        });
        let change = self.shared.under_way.begin(&self.key);
        let sink = mem::replace(&mut self.sink, State::Failed);
        if let State::Writing(job, _) = sink {
            // Look-ups wait for this, so it must not wait for whoever should poll the answer.
            let job = job.then(move |written| self.store(Some(written?.0), trailers, change));
            return Answer::pending(async move { job.await? });
        }
        let job = Job::start(move || match sink {
            State::Small => self.store(None, trailers, change),
            State::Idle(sink) => self.store(Some(sink), trailers, change),
            State::Writing(..) | State::Failed => Err(StoreError::Incomplete),
        });
        Answer::pending(async move { job.await? })
    }

    /// Writes the rest, puts the content in place and makes the entry visible.
    fn store(self, sink: Option<Box<Sink>>, trailers: Option<HeaderMap>, _change: Change) -> Result<Entry, StoreError> {
        let shared = &self.shared;
        let contents = &shared.index.contents;
        if self.taken == 0 {
            let content = contents.named(Digest::of(b""), 0);
            return shared.store(&self.key, self.head, content, trailers, self.generation);
        }
        // What is refused anyway need not be written.
        if sink.is_none() && !shared.generations.is_current(&self.key, self.generation) {
            return Err(StoreError::Superseded);
        }
        let mut sink = sink.map_or_else(|| Sink::open(shared), Ok)?;
        sink.write(shared, &self.chunk)?;
        shared.make_room(blocks(self.head.weight()), None);
        let content = sink.place(shared, self.taken)?;
        let stored = shared.store(&self.key, self.head, Arc::clone(&content), trailers, self.generation);
        if contents.release(&content) {
            lock(&shared.trash).push(content.digest);
            shared.empty_trash();
        }
        stored
    }
}

impl Writer for DiskWriter {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StoreError>> {
        if self.failed {
            return Poll::Ready(Err(StoreError::Incomplete));
        }
        if let State::Writing(job, _) = &mut self.sink {
            match Pin::new(job).poll(cx).map(|written| written.and_then(|written| written)) {
                Poll::Ready(Ok((sink, chunk))) => {
                    self.sink = State::Idle(sink);
                    if self.chunk.is_empty() {
                        self.chunk = chunk;
                    }
                }
                Poll::Ready(Err(error)) => {
                    self.give_up();
                    return Poll::Ready(Err(error));
                }
                Poll::Pending if self.chunk.len() >= CHUNK => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Ok(())),
            }
        }
        if self.chunk.len() >= CHUNK {
            self.write_chunk();
        }
        Poll::Ready(Ok(()))
    }

    fn write(&mut self, data: Bytes) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Incomplete);
        }
        let taken = self.take(&data);
        if taken.is_err() {
            self.give_up();
        }
        taken
    }

    fn commit(self: Box<Self>, trailers: Option<HeaderMap>) -> Answer<Entry> {
        self.finish(trailers)
    }

    fn commit_part(mut self: Box<Self>, mut head: Head) -> Answer<Entry> {
        compact(&mut head.headers);
        self.head = head;
        self.length = None;
        self.finish(None)
    }
}

impl fmt::Debug for DiskWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskWriter")
            .field("key", &self.key)
            .field("head", &self.head)
            .field("length", &self.length)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}

// === impl Sink ===

impl Sink {
    fn open(shared: &Arc<Shared>) -> Result<Box<Self>, StoreError> {
        shared.files.ensure().map_err(|error| shared.failed(error))?;
        let options = WriteOpts::new().algorithm(Algorithm::Sha256);
        let file = options.open_hash_sync(shared.files.base()).map_err(|error| shared.failed(io_error(error)))?;
        let spooled = Spooled { shared: Arc::clone(shared), bytes: 0 };
        Ok(Box::new(Self { file, spooled }))
    }

    fn write(&mut self, shared: &Shared, data: &[u8]) -> Result<(), StoreError> {
        self.spooled.add(data.len() as u64)?;
        // cacache hashes all that it is given, also what it then cannot write (dependencies.md §3, trap 9), so this must
        // not be called twice for the same bytes.
        let written = self.file.write(data).map_err(|error| shared.failed(error))?;
        if written < data.len() { Err(shared.failed(io::ErrorKind::StorageFull.into())) } else { Ok(()) }
    }

    /// Gives the file its name, and notes that somebody has it.
    fn place(self, shared: &Shared, length: u64) -> Result<Arc<Content>, StoreError> {
        let _placing = shared.placing.read().unwrap_or_else(PoisonError::into_inner);
        let Self { file, spooled } = self;
        // If there are more, its own may be missing, and then it is checked when it is read.
        let temporary = files::read_dir(&shared.files.temporary()).take(MOST_TEMPORARY);
        let temporary: Vec<_> = temporary.filter_map(|path| files::identify(&path).ok()?).collect();
        let integrity = file.commit().map_err(|error| shared.failed(io_error(error)))?;
        let digest = Digest::of_integrity(&integrity).ok_or(StoreError::Incomplete)?;
        let content = shared.index.contents.named(digest, length);
        // From here on it counts as a content.
        drop(spooled);
        shared.index.contents.hold(&content);
        if let Ok(metadata) = std::fs::symlink_metadata(shared.files.content(digest))
            && metadata.is_file()
            && metadata.len() == length
        {
            // It was hashed while it was written, unless cacache could not put it in place and left what was there.
            let id = FileId::of(&metadata);
            if temporary.iter().any(|temporary| temporary.is_same_file(&id)) {
                content.note_checked(id);
            }
        }
        Ok(content)
    }
}

// === impl Spooled ===

impl Spooled {
    /// Makes room for so many bytes more, and takes it.
    fn add(&mut self, bytes: u64) -> Result<(), StoreError> {
        let shared = &self.shared;
        shared.spooled.fetch_add(bytes, Ordering::AcqRel);
        self.bytes += bytes;
        shared.make_room(0, None);
        if shared.bytes() > shared.limits.capacity {
            return Err(StoreError::Full { limit: shared.limits.capacity });
        }
        Ok(())
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        self.shared.spooled.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}
