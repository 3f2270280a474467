//! Bringing the disk up to what is in memory.

use std::{
    fs::{self, File},
    io, mem,
    sync::{Arc, MutexGuard, PoisonError, TryLockError, atomic::Ordering},
};

use http::HeaderMap;
use httplib2_store::{Entry, Generation, Head, Key, StoreError};

use crate::{
    bucket::{LARGEST, write_line},
    content::{Attached, Content, lock},
    digest::Digest,
    files::{self, FileId, LOCK_TRIES, LOCK_TRIES_STUCK, blocks, disk_key},
    index::{Ahead, Candidate, Slot},
    record::{Writable, nanoseconds, write_record, written_length},
    shared::Shared,
    trouble::store_error,
};

/// The right to change index files: nobody else in this process does, nor in another one.
pub(crate) struct Exclusive<'a> {
    /// Let go of first, so that no other thread here waits for what this one still holds.
    _others: Option<File>,
    _process: MutexGuard<'a, ()>,
}

/// A slot as it is to be written.
#[derive(Default)]
struct Draft {
    variants: Vec<Entry>,
    change: u64,
    epoch: u64,
    seen: Option<FileId>,
    lines: usize,
    is_ahead: bool,
}

/// An index file with more lines is written anew: each look-up after a start reads them all.
const MOST_LINES: usize = 8;

/// Nor is it worth while to append to a file that is so long and mostly of the past.
const LONG_FILE: u64 = 64 * 1024;

/// The longest line, which holds all heads of a key.
const LONGEST_LINE: usize = 4 * 1024 * 1024;

/// How much of that the heads take when one is added. The rest is for the key, and for heads that grow.
const LONGEST_HEADS: usize = LONGEST_LINE / 4 * 3;

/// How much is left when something has to give way, in parts of 16.
const LOW_WATER: u64 = 15;

/// How many keys give way before others may change index files, too.
const EVICTED_AT_ONCE: usize = 32;

// === impl Shared ===

impl Shared {
    /// Makes a new entry visible, whose content is in place, on the disk and then in memory.
    pub(crate) fn store(
        &self,
        key: &Key,
        head: Head,
        content: Arc<Content>,
        trailers: Option<HeaderMap>,
        generation: Generation,
    ) -> Result<Entry, StoreError> {
        let limit = self.limits.object;
        if self.weight(key, &head, content.length) > limit {
            return Err(StoreError::TooLarge { limit });
        }
        // An index file takes at least as much.
        self.make_room(blocks(head.weight()), None);
        let now = self.clock.now();
        let new = self.new_entry(head, now, Attached { content, trailers });
        let exclusive = self.exclusive(false).map_err(|error| self.failed(error))?;
        let stored = self.change(&exclusive, key, |variants| {
            if self.clearing.load(Ordering::Acquire) > 0 || !self.generations.is_current(key, generation) {
                return Err(StoreError::Superseded);
            }
            let is_same = |entry: &Entry| entry.head().selects_same(new.head());
            if variants.iter().any(|entry| is_same(entry) && new.head().is_older_than(entry.head(), now)) {
                return Err(StoreError::Superseded);
            }
            variants.retain(|entry| !is_same(entry) && entry.id() != new.id());
            variants.push(new.clone());
            self.shorten(variants);
            Ok(())
        });
        drop(exclusive);
        stored?;
        self.make_room(0, Some(key));
        self.empty_trash();
        self.bound_heads();
        self.trouble.note_write();
        Ok(new)
    }

    /// Brings the disk up to what is in memory of a key. With `force` even when another process holds the lock for too
    /// long.
    pub(crate) fn save(&self, key: &Key, force: bool) -> Result<(), StoreError> {
        let saved = self.exclusive(force).map_err(|error| self.failed(error)).and_then(|exclusive| {
            let mut saved = self.change(&exclusive, key, |_| Ok(()));
            if matches!(saved, Err(StoreError::TooLarge { .. })) {
                self.drop_updated(key);
                saved = self.change(&exclusive, key, |_| Ok(()));
            }
            drop(exclusive);
            saved
        });
        if saved.is_err() {
            // Upkeep tries again.
            self.save_later(key);
        }
        self.empty_trash();
        saved
    }

    /// Saves all keys of which memory is ahead, those that another thread is saving now included.
    pub(crate) fn save_all(&self) -> Result<(), StoreError> {
        let _saving_all = lock(&self.saving_all);
        let mut keys = mem::take(&mut *lock(&self.unsaved)).into_iter();
        let mut result = Ok(());
        while let Some(key) = keys.next() {
            let Err(error) = self.save(&key, false) else { continue };
            // Whoever does not let go of the lock would be waited for with each key.
            let is_locked = matches!(&error, StoreError::Io(error) if error.kind() == io::ErrorKind::WouldBlock);
            result = Err(error);
            if is_locked {
                lock(&self.unsaved).extend(keys);
                break;
            }
        }
        result
    }

    /// Removes everything, on the disk.
    pub(crate) fn clear_disk(&self) -> Result<(), StoreError> {
        let exclusive = self.exclusive(true).map_err(|error| self.failed(error))?;
        let mut result = Ok(());
        let mut cleared = Vec::new();
        // The index first: what is not in it is not there.
        for part in [self.files.index(), self.files.contents()] {
            let aside = self.files.aside();
            match fs::rename(&part, &aside) {
                Ok(()) => cleared.push(aside),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => result = Err(self.failed(error)),
            }
        }
        // What was looked up while it was still there.
        self.index.clear();
        lock(&self.trash).clear();
        lock(&self.trash_of_start).clear();
        lock(&self.unsaved).clear();
        drop(exclusive);
        for aside in cleared {
            if let Err(error) = fs::remove_dir_all(&aside) {
                self.failed(error);
            }
        }
        result
    }

    /// Lets others give way until there is room for so many bytes more. `keep` stays.
    pub(crate) fn make_room(&self, bytes: u64, keep: Option<&Key>) {
        let strays = self.strays.load(Ordering::Relaxed).min(self.limits.capacity / 2);
        let capacity = self.limits.capacity - strays;
        let is_full = |room: u64| self.bytes().saturating_add(bytes) > room;
        if !is_full(capacity) {
            return;
        }
        let _evicting = lock(&self.evicting);
        let low_water = capacity / 16 * LOW_WATER;
        let now = nanoseconds(self.clock.now());
        let mut candidates = self.index.candidates();
        // What is large and was not used for long gives way first.
        candidates.sort_by_cached_key(|candidate| {
            let age = u128::from(now.saturating_sub(candidate.used)) + 1;
            std::cmp::Reverse(age * u128::from(candidate.bytes))
        });
        candidates.retain(|candidate| Some(&candidate.key) != keep);
        for some in candidates.chunks(EVICTED_AT_ONCE) {
            if !is_full(low_water) || !self.evict(some, &|| is_full(low_water)) {
                break;
            }
        }
        self.empty_trash();
    }

    /// Removes the files of contents that nobody has any more.
    ///
    /// Before all that is on the disk was seen, nobody can say that of any content.
    pub(crate) fn empty_trash(&self) {
        let mut trash = mem::take(&mut *lock(&self.trash));
        let state = |digest: Digest| files::identify(&self.files.content(digest)).ok().flatten();
        if !self.knows_all.load(Ordering::Acquire) {
            let states = trash.into_iter().filter_map(|digest| Some((digest, state(digest)?)));
            lock(&self.trash_of_start).extend(states);
            return;
        }
        let of_start = mem::take(&mut *lock(&self.trash_of_start));
        // What was put in place anew meanwhile, another process has.
        trash.extend(
            of_start.into_iter().filter(|(digest, then)| state(*digest) == Some(*then)).map(|(digest, _)| digest),
        );
        for digest in trash {
            let _placing = self.placing.write().unwrap_or_else(PoisonError::into_inner);
            if !self.index.contents.is_held(digest) {
                self.descriptors.forget(digest);
                drop(files::remove(&self.files.content(digest)));
            }
        }
    }

    /// Waits for the right to change index files. With `force` it is had after a while in any case.
    pub(crate) fn exclusive(&self, force: bool) -> io::Result<Exclusive<'_>> {
        let process = lock(&self.saving);
        self.files.ensure()?;
        let tries = if self.stuck.load(Ordering::Relaxed) { LOCK_TRIES_STUCK } else { LOCK_TRIES };
        let locked = self.files.lock(tries);
        let is_stuck = matches!(&locked, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        self.stuck.store(is_stuck, Ordering::Relaxed);
        let others = match locked {
            Err(error) if force => {
                self.warn("another process does not let go of the lock", &error);
                None
            }
            locked => locked?,
        };
        Ok(Exclusive { _process: process, _others: others })
    }

    /// The right to change index files if nobody has it now. `None` too where that cannot be told of other processes.
    pub(crate) fn exclusive_now(&self) -> Option<Exclusive<'_>> {
        let process = match self.saving.try_lock() {
            Ok(process) => process,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let others = self.files.lock(1).ok()??;
        Some(Exclusive { _process: process, _others: Some(others) })
    }

    /// Says that something failed, and what that means for whoever asked.
    pub(crate) fn failed(&self, error: io::Error) -> StoreError {
        self.trouble.note_failed_write(self.clock.instant());
        self.descriptors.forget_all_if_short(&error);
        self.warn("nothing can be written", &error);
        store_error(error, self.limits.capacity)
    }

    /// Changes the variants of a key, the newest one last: on the disk and then in memory.
    ///
    /// `change` may be asked twice, since what needs no file may happen meanwhile.
    fn change<T>(
        &self,
        right: &Exclusive<'_>,
        key: &Key,
        change: impl Fn(&mut Vec<Entry>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut draft = self.draft(right, key).map_err(|error| self.failed(error))?;
        // What is in memory, when the heads are not there: they leave only if they are those on the disk.
        let mut base = draft.variants.clone();
        let mut result = change(&mut draft.variants);
        if result.is_err() && !draft.is_ahead {
            return result;
        }
        // Twice is enough: what happens to it after that is saved later.
        for _ in 0..2 {
            let (seen, lines) = self.write(key, &draft)?;
            let changed = self.index.change(key, |slot| {
                (slot.seen, slot.lines, slot.compared) = (seen, lines, Some(self.clock.instant()));
                let mut variants = slot.heads().map_or_else(|| mem::take(&mut base), |heads| heads.to_vec());
                let was_ok = result.is_ok();
                if was_ok {
                    // An invalidation may have come meanwhile.
                    result = change(&mut variants);
                }
                let is_settled = slot.change_number() == draft.change && was_ok == result.is_ok();
                if is_settled {
                    slot.ahead = Ahead::default();
                }
                (draft.variants, draft.epoch) = (slot.set(variants).to_vec(), slot.epoch);
                (draft.seen, draft.lines) = (seen, lines);
                is_settled
            });
            lock(&self.trash).extend(changed.released);
            draft.change = changed.number;
            base.clone_from(&draft.variants);
            if changed.result {
                return result;
            }
        }
        self.save_later(key);
        result
    }

    /// What memory has of a key, after it was brought up to what other processes did.
    fn draft(&self, right: &Exclusive<'_>, key: &Key) -> io::Result<Draft> {
        loop {
            let view = self.index.view(key);
            self.compare(key, view, self.clock.instant(), Some(right))?;
            let draft = self.index.read(key, |slot| {
                // They may have left memory just now.
                let variants = slot.heads()?.to_vec();
                let (change, epoch, seen, lines) = (slot.change_number(), slot.epoch, slot.seen, slot.lines);
                Some(Draft { variants, change, epoch, seen, lines, is_ahead: !slot.ahead.is_empty() })
            });
            match draft {
                Some(Some(draft)) => return Ok(draft),
                Some(None) => {}
                None => return Ok(Draft::default()),
            }
        }
    }

    /// Writes the index file of a key: appends to it, or writes it anew when it is long.
    fn write(&self, key: &Key, draft: &Draft) -> Result<(Option<FileId>, usize), StoreError> {
        if draft.variants.is_empty() && draft.seen.is_none() {
            return Ok((None, 0));
        }
        let contents = draft.variants.iter().filter_map(|entry| Some((entry, entry.attachment::<Attached>()?)));
        let writable = contents.map(|(entry, attached)| Writable {
            id: entry.id().as_u64(),
            head: entry.head(),
            stored_at: entry.stored_at(),
            length: entry.length(),
            trailers: attached.trailers.as_ref(),
            digest: attached.content.digest,
        });
        let record = write_record(draft.epoch, writable);
        let first = draft.variants.first().and_then(|entry| entry.attachment::<Attached>());
        let first = first.map(|attached| (&attached.content.digest, attached.content.length));
        let time = nanoseconds(self.clock.now()) / 1_000_000;
        let too_large = StoreError::TooLarge { limit: self.limits.object };
        let Some(line) = write_line(&disk_key(key), first, time, record) else { return Err(too_large) };
        if line.len() > LONGEST_LINE {
            return Err(too_large);
        }
        let path = self.files.bucket(key);
        let length = draft.seen.map_or(0, |seen| seen.length);
        let added = line.len() as u64;
        let is_long =
            draft.lines >= MOST_LINES || length + added > LARGEST || (length > LONG_FILE && length > 4 * added);
        let is_appended = draft.seen.is_none() || (draft.lines > 0 && !is_long);
        let written = if is_appended { self.files.append(&path, &line) } else { self.files.replace(&path, &line) };
        let lines = if is_appended { draft.lines + 1 } else { 1 };
        match written {
            Ok(seen) => Ok((Some(seen), lines)),
            // That nothing is left can be said without a line, for which the disk may have no room.
            Err(error) if draft.variants.is_empty() && files::remove(&path).is_ok() => {
                self.failed(error);
                Ok((None, 0))
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Removes the entries whose new heads are only in memory, and do not fit into an index file.
    ///
    /// What a refresh says cannot be kept, so what it was said of must not stay as it was.
    fn drop_updated(&self, key: &Key) {
        tracing::debug!(target: "httplib2", layer = "store", "refreshed heads are too long, and were removed");
        let dropped = self.index.change(key, |slot| {
            let updated = mem::take(&mut slot.ahead.updated);
            let mut variants = slot.heads().map(|heads| heads.to_vec()).unwrap_or_default();
            variants.retain(|entry| !updated.contains(&entry.id()));
            slot.set(variants);
            slot.ahead.removed.extend(updated);
        });
        lock(&self.trash).extend(dropped.released);
    }

    /// Drops the variants that were not used for the longest time, but for the newest, until the rest may stay.
    fn shorten(&self, variants: &mut Vec<Entry>) {
        let space = |entry: &Entry| blocks(entry.length()) + entry.head().weight();
        let written = |entry: &Entry| {
            let trailers = entry.attachment::<Attached>().and_then(|attached| attached.trailers.as_ref());
            written_length(entry.head(), trailers)
        };
        let mut spaces: u64 = variants.iter().map(space).sum();
        let mut line: usize = variants.iter().map(written).sum();
        let most = self.limits.capacity / 2;
        while variants.len() > self.limits.variants || spaces > most || line > LONGEST_HEADS {
            let older = variants.split_last().map_or(&[][..], |(_, older)| older);
            let Some((at, _)) = older.iter().enumerate().min_by_key(|(_, entry)| entry.last_used()) else { return };
            let gone = variants.remove(at);
            spaces -= space(&gone);
            line -= written(&gone);
        }
    }

    /// Removes keys while `is_needed`. Returns whether that is possible at all.
    fn evict(&self, candidates: &[Candidate], is_needed: &dyn Fn() -> bool) -> bool {
        let Ok(exclusive) = self.exclusive(false) else { return false };
        for Candidate { key, .. } in candidates {
            if !is_needed() {
                break;
            }
            if let Err(error) = self.remove_key(&exclusive, key) {
                self.failed(error);
                return false;
            }
        }
        true
    }

    fn remove_key(&self, right: &Exclusive<'_>, key: &Key) -> io::Result<()> {
        let path = self.files.bucket(key);
        let view = self.index.view(key);
        if files::identify(&path)? != view.seen {
            // What another process wrote may be an invalidation, which is not to be lost with the file.
            self.compare(key, view, self.clock.instant(), Some(right))?;
        }
        files::remove(&path)?;
        let forgotten = self.index.change(key, Slot::forget);
        lock(&self.trash).extend(forgotten.released);
        Ok(())
    }
}
