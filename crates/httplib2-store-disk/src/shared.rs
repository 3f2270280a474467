//! What all clones of a store, its writers and its open bodies share.

use std::{
    collections::HashSet,
    fmt, io,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use httplib2_core::context::Clock;
use httplib2_store::{Entry, EntryId, Generation, Generations, Head, Key, Room, StoreError, UnderWay};

use crate::{
    bucket::read_bucket,
    content::{Attached, lock},
    descriptors::Descriptors,
    digest::Digest,
    files::{self, FileId, Files, disk_key},
    index::{Index, Loaded, View},
    numbers::Numbers,
    record::{Variant, read_record},
    save::Exclusive,
    trouble::Trouble,
    upkeep::Signal,
};

pub(crate) struct Shared {
    pub(crate) files: Files,
    pub(crate) limits: Limits,
    pub(crate) generations: Arc<Generations>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) index: Index,
    pub(crate) descriptors: Descriptors,
    pub(crate) trouble: Trouble,
    pub(crate) signal: Signal,
    /// Held by whoever changes index files. Look-ups hold nothing.
    pub(crate) saving: Mutex<()>,
    /// Whether another process did not let go of the index files when that was last waited for.
    pub(crate) stuck: AtomicBool,
    /// Held by whoever saves all that is unsaved, so that others who want that wait for it.
    pub(crate) saving_all: Mutex<()>,
    /// Held while contents give way, so that two threads do not drive out twice as much.
    pub(crate) evicting: Mutex<()>,
    /// Read while a content is put in place, written while one is removed that nobody has: it is either or.
    pub(crate) placing: RwLock<()>,
    /// How many times everything is being removed now.
    pub(crate) clearing: AtomicUsize,
    pub(crate) under_way: UnderWay,
    /// The bytes of bodies that are in memory on their way to the disk.
    pub(crate) writing: Room,
    /// The space that bodies take on the disk that belong to no entry yet.
    pub(crate) spooled: AtomicU64,
    /// The space that files take which belong to no entry, when that was last measured.
    pub(crate) strays: AtomicU64,
    /// Contents that no entry has any more.
    pub(crate) trash: Mutex<Vec<Digest>>,
    /// The same, and the states of their files, from before all that is on the disk was seen.
    pub(crate) trash_of_start: Mutex<Vec<(Digest, FileId)>>,
    /// Keys of which memory is ahead of the disk.
    pub(crate) unsaved: Mutex<HashSet<Key>>,
    /// Held by whoever takes in what is on the disk.
    pub(crate) walking: Mutex<()>,
    /// Whether all that is on the disk was seen once.
    pub(crate) knows_all: AtomicBool,
    pub(crate) numbers: Numbers,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most bytes on the disk.
    pub(crate) capacity: u64,
    /// The largest response, in bytes of body, head and key together.
    pub(crate) object: u64,
    /// The most variants of a key.
    pub(crate) variants: usize,
    /// About the most bytes of heads in memory.
    pub(crate) heads: u64,
    /// How long another process's change may go unnoticed.
    pub(crate) notice: Duration,
}

/// How often a look-up begins anew because this process changed what it reads.
const TRIES: usize = 16;

/// Some milliseconds in all, for a line that is about to be whole, or a thread here that has the right for a moment.
const APPENDING_TRIES: u32 = 20;
const APPENDING_PAUSE: Duration = Duration::from_micros(250);

/// What is on the disk under a key.
pub(crate) enum OnDisk {
    Absent,
    There(Loaded),
    /// Something that is not whole.
    Damaged(FileId),
}

// === impl Shared ===

impl Shared {
    /// The variants of a key: from memory where that was compared with the disk lately, otherwise from there.
    pub(crate) fn variants(&self, key: &Key) -> Arc<[Entry]> {
        let now = self.clock.instant();
        let view = self.index.view(key);
        if let Some(heads) = &view.heads
            && view.compared.is_some_and(|compared| now.saturating_duration_since(compared) < self.limits.notice)
        {
            return Arc::clone(heads);
        }
        if self.clearing.load(Ordering::Acquire) > 0 {
            return view.heads.unwrap_or_default();
        }
        match self.compare(key, view, now, None) {
            Ok(heads) => {
                self.bound_heads();
                heads
            }
            Err(error) => {
                self.note_unread(&error);
                Arc::default()
            }
        }
    }

    /// Brings memory up to what other processes did, and returns the variants.
    ///
    /// What is damaged counts only with the right to change index files: it may be a line that is just being appended.
    pub(crate) fn compare(
        &self,
        key: &Key,
        mut view: View,
        now: Instant,
        right: Option<&Exclusive<'_>>,
    ) -> io::Result<Arc<[Entry]>> {
        // Whatever comes in between comes from this process, so it is soon over.
        for _ in 0..TRIES {
            match self.compare_once(key, view, now, right)? {
                Some(heads) => return Ok(heads),
                None => view = self.index.view(key),
            }
        }
        view.heads.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    /// `None` when something came in between.
    fn compare_once(
        &self,
        key: &Key,
        view: View,
        now: Instant,
        right: Option<&Exclusive<'_>>,
    ) -> io::Result<Option<Arc<[Entry]>>> {
        if let (Some(heads), Some(seen)) = (&view.heads, view.seen)
            && files::identify(&self.files.bucket(key))? == Some(seen)
        {
            self.index.note_compared(key, view.change, now);
            return Ok(Some(Arc::clone(heads)));
        }
        let on_disk = self.load(key)?;
        if matches!(on_disk, OnDisk::Absent) && view.change == 0 {
            return Ok(Some(Arc::default()));
        }
        let is_damaged = matches!(on_disk, OnDisk::Damaged(_));
        if is_damaged && right.is_none() {
            return self.compare_damaged(key, now);
        }
        let changed = self.index.change(key, |slot| {
            // What happened in this process meanwhile may be newer than what was read, or it may not.
            if slot.change_number() != view.change {
                return None;
            }
            let (heads, invalidated) = match on_disk {
                OnDisk::There(loaded) => {
                    // Where nothing was known, something may have been stored and invalidated since then.
                    let invalidated = slot.epoch != loaded.epoch;
                    (slot.take_over(loaded, now), invalidated)
                }
                OnDisk::Absent => {
                    // That an index file without entries was swept means nothing.
                    let invalidated = !slot.is_empty();
                    slot.forget();
                    (Arc::default(), invalidated)
                }
                OnDisk::Damaged(seen) => {
                    slot.forget();
                    // What it says no more may have been an invalidation.
                    slot.epoch = self.number();
                    (slot.seen, slot.compared) = (Some(seen), Some(now));
                    (slot.set(Vec::new()), true)
                }
            };
            if invalidated {
                // Whatever is under way here began before that.
                self.generations.end(key);
            }
            Some(heads)
        });
        // The space of a removed file is free only when nobody has it open any more.
        changed.released.iter().for_each(|digest| self.descriptors.forget(*digest));
        if is_damaged {
            lock(&self.trash).extend(changed.released);
        }
        // Otherwise whoever changed it removes what nobody has any more, and may be about to put it in place again.
        Ok(changed.result)
    }

    /// The same where a look-up found something that is not whole: damage, or a line that is just being appended.
    ///
    /// Only where nobody can be appending it is damage. Otherwise nothing is found, and everything stays as it is.
    fn compare_damaged(&self, key: &Key, now: Instant) -> io::Result<Option<Arc<[Entry]>>> {
        for _ in 0..APPENDING_TRIES {
            if let Some(right) = self.exclusive_now() {
                return self.compare_once(key, self.index.view(key), now, Some(&right));
            }
            thread::sleep(APPENDING_PAUSE);
            if !matches!(self.load(key)?, OnDisk::Damaged(_)) {
                return Ok(None);
            }
        }
        Ok(Some(Arc::default()))
    }

    /// Reads what is on the disk under a key.
    pub(crate) fn load(&self, key: &Key) -> io::Result<OnDisk> {
        if !self.files.is_there()? {
            return Ok(OnDisk::Absent);
        }
        let path = self.files.bucket(key);
        match files::read(&path) {
            Ok(Some((bytes, seen))) => Ok(self.parse(key, &bytes, seen)),
            Ok(None) => Ok(OnDisk::Absent),
            // A link, or a directory.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Ok(files::identify(&path)?.map_or(OnDisk::Absent, OnDisk::Damaged))
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn parse(&self, key: &Key, bytes: &[u8], seen: FileId) -> OnDisk {
        let bucket = read_bucket(bytes);
        if bucket.damaged {
            return OnDisk::Damaged(seen);
        }
        let mut loaded = Loaded { seen, lines: bucket.lines.len(), epoch: 0, entries: Vec::new() };
        // Another key with the same hash, perhaps.
        let Some(line) = bucket.last(&disk_key(key)) else { return OnDisk::There(loaded) };
        let Some(record) = read_record(line.metadata.as_bytes()) else { return OnDisk::Damaged(seen) };
        loaded.epoch = record.epoch;
        if line.live {
            loaded.entries = record.variants.into_iter().map(|variant| self.entry(variant)).collect();
        }
        OnDisk::There(loaded)
    }

    /// Gives an entry another head in memory. The disk follows later.
    pub(crate) fn update(
        &self,
        key: &Key,
        id: EntryId,
        head: Head,
        generation: Generation,
    ) -> Result<Entry, StoreError> {
        if self.index.view(key).heads.is_none() {
            self.variants(key);
        }
        let updated = self.index.change(key, |slot| {
            // Heads that leave memory just now are looked up again by whoever wants to refresh them.
            // Whoever invalidates ends the generation while he holds this slot.
            if !self.generations.is_current(key, generation) {
                return Err(StoreError::Superseded);
            }
            let known: &[Entry] = slot.heads().map(|heads| &**heads).unwrap_or_default();
            let old = known.iter().find(|entry| entry.id() == id).ok_or(StoreError::Gone)?;
            let new = old.with_head(head);
            if self.weight(key, new.head(), new.length()) > self.limits.object {
                return Err(StoreError::TooLarge { limit: self.limits.object });
            }
            let mut variants = known.to_vec();
            let is_replaced = |entry: &Entry| entry.id() != id && entry.head().selects_same(new.head());
            let replaced: Vec<_> = variants.iter().filter(|entry| is_replaced(entry)).map(Entry::id).collect();
            variants.retain(|entry| entry.id() != id && !replaced.contains(&entry.id()));
            variants.push(new.clone());
            slot.set(variants);
            slot.ahead.removed.extend(replaced);
            slot.ahead.updated.retain(|other| *other != id);
            slot.ahead.updated.push(id);
            Ok(new)
        });
        lock(&self.trash).extend(updated.released);
        if updated.result.is_ok() {
            self.save_later(key);
        }
        updated.result
    }

    /// Removes an entry in memory. Returns whether the disk is to follow.
    pub(crate) fn remove(&self, key: &Key, id: EntryId) -> bool {
        if self.index.view(key).heads.is_none() {
            self.variants(key);
        }
        let removed = self.index.change(key, |slot| {
            let mut variants = slot.heads().map(|heads| heads.to_vec()).unwrap_or_default();
            let before = variants.len();
            variants.retain(|entry| entry.id() != id);
            if variants.len() == before {
                return false;
            }
            slot.set(variants);
            slot.ahead.removed.push(id);
            true
        });
        lock(&self.trash).extend(removed.released);
        removed.result
    }

    /// Ends the generation of a key and removes all that is stored under it, in memory. Returns whether the disk is to
    /// follow.
    pub(crate) fn invalidate(&self, key: &Key) -> bool {
        // One that is being stored now looks at the generation once more when its file is written.
        let is_on_disk = !matches!(files::identify(&self.files.bucket(key)), Ok(None));
        let follows = self.index.change(key, |slot| {
            self.generations.end(key);
            let is_known = slot.change_number() != 0;
            if is_known || is_on_disk {
                slot.set(Vec::new());
                slot.ahead.emptied = true;
                slot.epoch = self.number();
                return true;
            }
            false
        });
        lock(&self.trash).extend(follows.released);
        follows.result
    }

    /// Ends all generations and forgets everything, in memory.
    pub(crate) fn clear(&self) {
        self.generations.end_all();
        self.index.clear();
        self.descriptors.forget_all();
    }

    /// Has heads leave memory when they are too many.
    pub(crate) fn bound_heads(&self) {
        if self.index.head_bytes() > self.limits.heads {
            self.signal.unload();
        }
    }

    /// Notes that memory is ahead of the disk.
    pub(crate) fn save_later(&self, key: &Key) {
        let is_new = lock(&self.unsaved).insert(key.clone());
        if is_new {
            self.signal.save_soon();
        }
    }

    /// What was removed from the disk, or is not what was written, is no entry any more.
    pub(crate) fn drop_damaged(&self, key: &Key, id: EntryId, digest: Digest) {
        tracing::debug!(target: "httplib2", layer = "store", "a stored response is damaged and was removed");
        self.remove(key, id);
        self.descriptors.forget(digest);
        // Other entries with this content find nothing and are removed, too.
        drop(files::remove(&self.files.content(digest)));
        drop(self.save(key, false));
    }

    /// The space that is taken on the disk: by entries, and by what is being stored.
    pub(crate) fn bytes(&self) -> u64 {
        self.index.bytes().saturating_add(self.spooled.load(Ordering::Acquire))
    }

    /// A number that nothing else has.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.next(self.clock.now())
    }

    /// What counts towards the limit of one response.
    pub(crate) fn weight(&self, key: &Key, head: &Head, length: u64) -> u64 {
        length.saturating_add(head.weight()).saturating_add(key.as_str().len() as u64)
    }

    pub(crate) fn new_entry(&self, head: Head, now: SystemTime, attached: Attached) -> Entry {
        let length = attached.content.length;
        Entry::new(EntryId::new(self.number()), head, length, now, Arc::new(attached))
    }

    /// Says that the index could not be read, or not all of it.
    pub(crate) fn note_unread(&self, error: &io::Error) {
        self.descriptors.forget_all_if_short(error);
        self.warn("the index could not be read", error);
    }

    pub(crate) fn warn(&self, what: &'static str, cause: &dyn fmt::Display) {
        self.trouble.warn(self.clock.instant(), self.files.root(), what, cause);
    }

    fn entry(&self, variant: Variant) -> Entry {
        let content = self.index.contents.named(variant.digest, variant.length);
        let attached = Attached { content, trailers: variant.trailers };
        Entry::new(EntryId::new(variant.id), variant.head, variant.length, variant.stored_at, Arc::new(attached))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("directory", &self.files.root())
            .field("limits", &self.limits)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
