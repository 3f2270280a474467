//! Bodies on their way out: checked the first time, read directly afterwards.

use std::{
    fs::File,
    ops::Range,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use httplib2_store::{Answer, Entry, EntryId, Key, StoreError, StoredBody};
use sha2::{Digest as _, Sha256};

use crate::{
    content::{Attached, Content},
    digest::Digest,
    files::{self, FileId},
    job::Job,
    read_at::{self, read_at},
    shared::Shared,
};

/// What is asked for: a content as an entry has it.
#[derive(Clone)]
pub(crate) struct Asked {
    shared: Arc<Shared>,
    key: Key,
    id: EntryId,
    content: Arc<Content>,
}

/// The file of a content.
struct Opened {
    file: Arc<File>,
    id: FileId,
    is_checked: bool,
}

/// A body, or a part of one, that is read piece by piece.
struct Reading {
    asked: Asked,
    file: Arc<File>,
    at: u64,
    end: u64,
    /// What was read so far, as long as it must be checked. Such a body is read from its start to its end.
    hasher: Option<Box<Sha256>>,
    /// The state that the file was in before any of it was read: only that one can be found to be right.
    begun: FileId,
    job: Option<Job<Result<Piece, StoreError>>>,
    trailers: Option<HeaderMap>,
}

struct Piece {
    data: Bytes,
    hasher: Option<Box<Sha256>>,
}

/// Bodies up to this length are read whole, and checked before the first byte goes out.
pub(crate) const WHOLE: u64 = 1024 * 1024;

/// Bodies up to this length are even read for the first time without another thread.
const AT_ONCE: u64 = 64 * 1024;

/// How much of a longer body is read at once.
const PIECE: u64 = 256 * 1024;

/// Opens the body of an entry, or a part of it.
pub(crate) fn open(shared: &Arc<Shared>, key: &Key, entry: &Entry, range: Option<Range<u64>>) -> Answer<StoredBody> {
    let Some(attached) = entry.attachment::<Attached>() else { return Answer::Ready(Err(StoreError::Gone)) };
    entry.note_use(shared.clock.now());
    let trailers = if range.is_some() { None } else { attached.trailers.clone() };
    let range = range.unwrap_or_else(|| 0..entry.length());
    if range.start > range.end || range.end > entry.length() {
        return Answer::Ready(Err(StoreError::Damaged));
    }
    if range.is_empty() {
        return Answer::Ready(Ok(StoredBody::whole(Bytes::new(), trailers)));
    }
    Asked::new(shared, key, entry.id(), &attached.content).open(range, trailers)
}

// === impl Asked ===

impl Asked {
    pub(crate) fn new(shared: &Arc<Shared>, key: &Key, id: EntryId, content: &Arc<Content>) -> Self {
        Self { shared: Arc::clone(shared), key: key.clone(), id, content: Arc::clone(content) }
    }

    /// Checks the content, although it may have been checked before. It blocks.
    pub(crate) fn check_anew(&self) -> Result<(), StoreError> {
        self.shared.descriptors.forget(self.content.digest);
        self.check(&self.file()?)
    }

    fn open(self, range: Range<u64>, trailers: Option<HeaderMap>) -> Answer<StoredBody> {
        let opened = match self.file() {
            Ok(opened) => opened,
            Err(error) => return Answer::Ready(Err(error)),
        };
        let length = self.content.length;
        if !opened.is_checked && length > WHOLE {
            if range == (0..length) {
                let reading = Reading::new(self, opened, range, true, trailers);
                return Answer::Ready(Ok(StoredBody::streaming(reading, length)));
            }
            // A part says nothing of the whole.
            return Answer::pending(async move {
                let job = Job::start(move || self.check(&opened).map(|()| (self, opened)));
                let (asked, opened) = job.await??;
                let length = range.end - range.start;
                Ok(StoredBody::streaming(Reading::new(asked, opened, range, false, trailers), length))
            });
        }
        if range.end - range.start > WHOLE {
            let length = range.end - range.start;
            let reading = Reading::new(self, opened, range, false, trailers);
            return Answer::Ready(Ok(StoredBody::streaming(reading, length)));
        }
        // What must be checked is read whole.
        let wanted = if opened.is_checked { range.clone() } else { 0..length };
        if (opened.is_checked || length <= AT_ONCE)
            && let Some(data) = read_at::if_cached(&opened.file, wanted.clone())
            && let Ok(body) = self.body_of(&opened, &data, &range, trailers.clone())
        {
            return Answer::Ready(Ok(body));
        }
        let job = Job::start(move || {
            let data = read_at(&opened.file, wanted)?;
            let body = self.body_of(&opened, &data, &range, trailers);
            if let Err(StoreError::Damaged) = body {
                self.damaged();
            }
            body
        });
        Answer::pending(async move { job.await? })
    }

    /// Makes a body of what was read: of this range, or of the whole content if that was not checked before.
    fn body_of(
        &self,
        opened: &Opened,
        data: &Bytes,
        range: &Range<u64>,
        trailers: Option<HeaderMap>,
    ) -> Result<StoredBody, StoreError> {
        if opened.is_checked {
            let is_whole = data.len() as u64 == range.end - range.start;
            return if is_whole { Ok(StoredBody::whole(data.clone(), trailers)) } else { Err(StoreError::Damaged) };
        }
        if data.len() as u64 != self.content.length || Digest::of(data) != self.content.digest {
            return Err(StoreError::Damaged);
        }
        self.note_checked(opened);
        // The range lies within the content, which is as long as the data.
        Ok(StoredBody::whole(data.slice(range.start as usize..range.end as usize), trailers))
    }

    /// The file with the content. Fails with `Gone` when there is none.
    fn file(&self) -> Result<Opened, StoreError> {
        if let Some(file) = self.shared.descriptors.find(self.content.digest)
            && let Ok(metadata) = file.metadata()
        {
            let id = FileId::of(&metadata);
            if self.content.is_checked(&id) {
                return Ok(Opened { file, id, is_checked: true });
            }
            self.shared.descriptors.forget(self.content.digest);
        }
        let path = self.shared.files.content(self.content.digest);
        let opened = files::open(&path).map_err(|error| {
            self.shared.descriptors.forget_all_if_short(&error);
            self.shared.warn("a body could not be opened", &error);
            StoreError::Io(error)
        })?;
        let (file, id) = opened.ok_or(StoreError::Gone)?;
        let opened = Opened { file: Arc::new(file), id, is_checked: self.content.is_checked(&id) };
        if opened.is_checked {
            self.shared.descriptors.keep(self.content.digest, &opened.file);
        }
        Ok(opened)
    }

    /// Reads a whole content and compares it with its digest. What is damaged is removed.
    fn check(&self, opened: &Opened) -> Result<(), StoreError> {
        let mut hasher = Sha256::new();
        let mut at = 0;
        while at < self.content.length {
            let end = self.content.length.min(at + PIECE);
            let data = read_at(&opened.file, at..end)?;
            if data.len() as u64 != end - at {
                break;
            }
            hasher.update(&data);
            at = end;
        }
        if at != self.content.length || Digest::finish(hasher) != self.content.digest {
            self.damaged();
            return Err(StoreError::Damaged);
        }
        self.note_checked(opened);
        Ok(())
    }

    fn note_checked(&self, opened: &Opened) {
        self.content.note_checked(opened.id);
        self.shared.descriptors.keep(self.content.digest, &opened.file);
    }

    fn damaged(&self) {
        self.shared.drop_damaged(&self.key, self.id, self.content.digest);
    }
}

// === impl Reading ===

impl Reading {
    fn new(asked: Asked, opened: Opened, range: Range<u64>, checks: bool, trailers: Option<HeaderMap>) -> Self {
        let (hasher, file) = (checks.then(Box::default), opened.file);
        read_at::expect_all(&file);
        Self { asked, file, at: range.start, end: range.end, hasher, begun: opened.id, job: None, trailers }
    }

    /// Has a thread read the next piece. The last one is handed out only if the whole is right.
    fn read_on(&mut self) {
        let (asked, file, hasher) = (self.asked.clone(), Arc::clone(&self.file), self.hasher.take());
        let (piece, is_last) = (self.next_piece(), self.at + PIECE >= self.end);
        let begun = self.begun;
        self.job = Some(Job::start(move || {
            let data = read_at(&file, piece.clone())?;
            if data.len() as u64 != piece.end - piece.start {
                asked.damaged();
                return Err(StoreError::Damaged);
            }
            let Some(mut hasher) = hasher else { return Ok(Piece { data, hasher: None }) };
            hasher.update(&data);
            if !is_last {
                return Ok(Piece { data, hasher: Some(hasher) });
            }
            if Digest::finish(*hasher) != asked.content.digest {
                asked.damaged();
                return Err(StoreError::Damaged);
            }
            asked.content.note_checked(begun);
            Ok(Piece { data, hasher: None })
        }));
    }

    fn next_piece(&self) -> Range<u64> {
        self.at..self.end.min(self.at + PIECE)
    }

    /// Stops, so that nothing comes after an error.
    fn end(&mut self) {
        (self.at, self.job, self.trailers) = (self.end, None, None);
    }
}

impl Body for Reading {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        let this = &mut *self;
        if this.job.is_none() {
            if this.at >= this.end {
                return Poll::Ready(this.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))));
            }
            let piece = this.next_piece();
            if this.hasher.is_none()
                && let Some(data) = read_at::if_cached(&this.file, piece.clone())
                && data.len() as u64 == piece.end - piece.start
            {
                this.at = piece.end;
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            this.read_on();
        }
        let Some(job) = &mut this.job else { return Poll::Ready(None) };
        match ready!(Pin::new(job).poll(cx)).and_then(|piece| piece) {
            Ok(Piece { data, hasher }) => {
                this.at += data.len() as u64;
                let is_checking = hasher.is_some();
                (this.job, this.hasher) = (None, hasher);
                if is_checking && this.at < this.end {
                    // One piece ahead of the one who reads.
                    this.read_on();
                }
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Err(error) => {
                this.end();
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.at >= self.end && self.job.is_none() && self.trailers.is_none()
    }
}
