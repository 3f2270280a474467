//! What is done in the background: seeing what is on the disk, saving what is ahead of it, sweeping.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError, atomic::Ordering},
    thread,
    time::{Duration, SystemTime},
};

use httplib2_store::{Key, StoreError};

use crate::{
    bucket::read_bucket,
    content::lock,
    digest::Digest,
    files::{self, ASIDE, BASE, LOCK_TRIES, blocks, entries, key_of, measure, name},
    index::Loaded,
    report::Swept,
    shared::{OnDisk, Shared},
    trouble::store_error,
};

/// What the thread in the background is to do.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    wanted: Mutex<Wanted>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Wanted {
    save: bool,
    unload: bool,
    end: bool,
}

/// What a walk finds in the place of an index file.
enum Found {
    Absent,
    There(Key, Loaded),
    /// Something that is not whole, or not where it belongs.
    Damaged,
}

/// Refreshes that come one after the other are written once.
const SAVE_AFTER: Duration = Duration::from_millis(250);

/// What could not be written is tried again after so long.
const SAVE_AGAIN: Duration = Duration::from_secs(30);

/// The first hits come before the index is read as a whole, which takes a processor for a while.
const WALK_AFTER: Duration = Duration::from_millis(50);

/// When the directory is swept for the first time.
const SWEEP_AFTER: Duration = Duration::from_secs(1);

/// When what could not be read is read again.
const WALK_AGAIN: Duration = Duration::from_secs(30);

/// How often the directory is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// What belongs to nobody for so long is not about to belong to somebody.
const OLD: Duration = Duration::from_secs(60 * 60);

/// The same when there is no room.
const OLD_WHEN_FULL: Duration = Duration::from_secs(60);

// === impl Shared ===

impl Shared {
    /// Begins the work in the background. Without a thread, the work is done when somebody asks for it.
    pub(crate) fn begin_upkeep(self: &Arc<Self>) {
        let shared = Arc::clone(self);
        let name = "httplib2-store".to_owned();
        if let Err(error) = thread::Builder::new().name(name).spawn(move || shared.keep_up()) {
            self.warn("there is no thread for its upkeep", &error);
        }
    }

    /// Sees to it that all that is on the disk is known.
    pub(crate) fn walk_once(&self) {
        let _walking = lock(&self.walking);
        if !self.knows_all.load(Ordering::Acquire) {
            if let Err(error) = self.walk(&mut Swept::default()) {
                self.note_unread(&error);
            }
            self.make_room(0, None);
            // Until now nobody knew whether others have what was released.
            self.empty_trash();
        }
    }

    /// Removes what belongs to no entry.
    ///
    /// `walks` also where all that is on the disk was seen before. Where it could not be seen as a whole, nobody can
    /// say of any content that it belongs to no entry.
    pub(crate) fn sweep(&self, walks: bool) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        if !matches!(self.files.is_there(), Ok(true)) {
            return Ok(swept);
        }
        // What cannot be saved is no reason to leave everything else.
        drop(self.save_all());
        if walks || !self.knows_all.load(Ordering::Acquire) {
            let _walking = lock(&self.walking);
            let is_whole = self.walk(&mut swept).map_err(|error| {
                self.note_unread(&error);
                store_error(error, self.limits.capacity)
            })?;
            if !is_whole {
                return Ok(swept);
            }
            self.notice_absent();
        }
        let mut strays = self.sweep_strays(&mut swept, OLD);
        if self.bytes().saturating_add(strays) > self.limits.capacity {
            strays = self.sweep_strays(&mut swept, OLD_WHEN_FULL);
        }
        self.strays.store(strays, Ordering::Relaxed);
        self.make_room(0, None);
        self.sweep_directories(&mut swept);
        Ok(swept)
    }

    fn keep_up(&self) {
        if self.signal.rest(WALK_AFTER) {
            return;
        }
        self.walk_once();
        // Nobody waits for this, and programs that end soon need none of it.
        if !self.signal.rest(SWEEP_AFTER) {
            drop(self.sweep(false));
        }
        let mut swept_at = self.clock.instant();
        while let Some(saves) = self.signal.wait(self.sweep_every()) {
            if self.index.head_bytes() > self.limits.heads {
                self.index.unload(self.limits.heads / 4 * 3);
            }
            if saves {
                if self.signal.rest(SAVE_AFTER) {
                    return;
                }
                if self.save_all().is_err() {
                    // Somebody may have to mend the disk first.
                    if self.signal.rest(SAVE_AGAIN) {
                        return;
                    }
                    self.signal.save_soon();
                }
            }
            let now = self.clock.instant();
            if now.saturating_duration_since(swept_at) >= self.sweep_every() {
                drop(self.sweep(true));
                swept_at = now;
            }
        }
    }

    /// Until all is known, what nobody has any more stays where it is.
    fn sweep_every(&self) -> Duration {
        if self.knows_all.load(Ordering::Acquire) { SWEEP_EVERY } else { WALK_AGAIN }
    }

    /// Reads all index files, and takes in those that are not known. Returns whether these were all: not when the store
    /// was dropped meanwhile.
    fn walk(&self, swept: &mut Swept) -> io::Result<bool> {
        let (mut paths, mut result) = (Vec::new(), Ok(()));
        if self.files.is_there()? {
            result = self.files.each_file(&self.files.index(), &mut |path| paths.push(path));
        }
        for path in paths {
            if self.signal.is_over() {
                return Ok(false);
            }
            // One that cannot be read now says nothing about the others.
            result = self.take_in(&path, swept).and(result);
        }
        result?;
        self.knows_all.store(true, Ordering::Release);
        self.empty_trash();
        Ok(true)
    }

    fn take_in(&self, path: &Path, swept: &mut Swept) -> io::Result<()> {
        let mut found = self.read_bucket(path)?;
        if self.is_useless(path, &found) {
            match self.exclusive(false) {
                Ok(_exclusive) => {
                    // Somebody may just have been writing it.
                    found = self.read_bucket(path)?;
                    if self.is_useless(path, &found) {
                        self.remove_bucket(path, found, swept);
                        return Ok(());
                    }
                }
                Err(error) if matches!(found, Found::Damaged) => return Err(error),
                Err(_) => {}
            }
        }
        let Found::There(key, loaded) = found else { return Ok(()) };
        let now = self.clock.instant();
        let changed = self.index.change(&key, |slot| {
            // What was looked up is compared with the disk when it is looked up again.
            if slot.heads().is_none() && slot.seen != Some(loaded.seen) {
                // Another process may have invalidated it.
                if slot.epoch != loaded.epoch {
                    self.generations.end(&key);
                }
                slot.take_over(loaded, now);
                slot.unload();
            }
        });
        lock(&self.trash).extend(changed.released);
        Ok(())
    }

    /// What is in an index file. That it could not be read says nothing of it, and is an error.
    fn read_bucket(&self, path: &Path) -> io::Result<Found> {
        let (bytes, seen) = match files::read(path) {
            Ok(Some(read)) => read,
            Ok(None) => return Ok(Found::Absent),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(Found::Damaged),
            Err(error) => return Err(error),
        };
        let Some(key) = read_bucket(&bytes).lines.last().and_then(|line| key_of(&line.key)) else {
            return Ok(Found::Damaged);
        };
        Ok(match self.parse(&key, &bytes, seen) {
            OnDisk::There(loaded) if self.files.bucket(&key) == path => Found::There(key, loaded),
            _ => Found::Damaged,
        })
    }

    fn is_useless(&self, path: &Path, found: &Found) -> bool {
        match found {
            Found::Absent => false,
            Found::Damaged => true,
            Found::There(_, loaded) => loaded.entries.is_empty() && is_older(path, OLD, self.clock.now()),
        }
    }

    /// Removes a useless index file. The caller has the right to.
    fn remove_bucket(&self, path: &Path, found: Found, swept: &mut Swept) {
        if files::remove(path).is_err() {
            return;
        }
        let Found::There(key, _) = found else {
            swept.damaged += 1;
            return;
        };
        swept.removed += 1;
        // A look-up finds out by itself.
        self.index.change(&key, |slot| {
            if slot.is_empty() && slot.ahead.is_empty() {
                slot.forget();
            }
        });
    }

    /// Forgets what other processes removed.
    fn notice_absent(&self) {
        let now = self.clock.instant();
        for key in self.index.keys() {
            if self.signal.is_over() {
                return;
            }
            if matches!(files::identify(&self.files.bucket(&key)), Ok(None)) {
                let view = self.index.view(&key);
                drop(self.compare(&key, view, now, None));
            }
        }
    }

    /// Removes contents that no entry has and temporary files, when they are old. Returns the space that others take.
    fn sweep_strays(&self, swept: &mut Swept, old: Duration) -> u64 {
        let now = self.clock.now();
        let mut strays: u64 = 0;
        let mut contents = Vec::new();
        // What is not found is not removed.
        drop(self.files.each_file(&self.files.contents(), &mut |path| contents.push(path)));
        for path in contents {
            let digest = self.digest_of(&path);
            if digest.is_some_and(|digest| self.index.contents.is_held(digest)) {
                continue;
            }
            let Some((length, _)) = measure(&path) else { continue };
            if !is_older(&path, old, now) {
                strays = strays.saturating_add(blocks(length));
                continue;
            }
            let _placing = self.placing.write().unwrap_or_else(PoisonError::into_inner);
            if digest.is_none_or(|digest| !self.index.contents.is_held(digest)) && files::remove(&path).is_ok() {
                swept.contents += 1;
                swept.bytes += length;
            }
        }
        // One of them may be of a response that is being stored here and comes slowly.
        let old = if self.spooled.load(Ordering::Acquire) > 0 { OLD } else { old };
        for path in entries(&self.files.temporary()) {
            let Some((length, _)) = measure(&path) else { continue };
            if !is_older(&path, old, now) {
                strays = strays.saturating_add(blocks(length));
            } else if files::remove(&path).is_ok() {
                swept.temporary += 1;
                swept.bytes += length;
            }
        }
        strays
    }

    /// Removes empty directories, what is left of cleared ones, and those of older formats.
    fn sweep_directories(&self, swept: &mut Swept) {
        let is_old = |path: &PathBuf| is_older(path, OLD, self.clock.now());
        for directory in [self.files.index(), self.files.contents()] {
            let first = entries(&directory);
            let second = first.iter().flat_map(|first| entries(first)).collect();
            for level in [second, first] {
                for path in level.into_iter().filter(is_old) {
                    // Somebody who puts a file there has just seen to it that the directory is there.
                    let _placing = self.placing.write().unwrap_or_else(PoisonError::into_inner);
                    let Ok(_exclusive) = self.exclusive(false) else { return };
                    swept.directories += u64::from(fs::remove_dir(path).is_ok());
                }
            }
        }
        let cleared = entries(self.files.base()).into_iter().filter(|path| name(path).starts_with(ASIDE));
        let earlier = entries(self.files.root()).into_iter().filter(|path| is_earlier(name(path)));
        for path in cleared.filter(is_old).chain(earlier.filter(is_old)) {
            swept.directories += u64::from(fs::remove_dir_all(path).is_ok());
        }
    }

    fn digest_of(&self, path: &Path) -> Option<Digest> {
        let second = path.parent()?;
        let text = [name(second.parent()?), name(second), name(path)].concat();
        Digest::from_hex(&text)
    }
}

// === impl Signal ===

impl Signal {
    pub(crate) fn save_soon(&self) {
        lock(&self.wanted).save = true;
        self.changed.notify_all();
    }

    pub(crate) fn unload(&self) {
        lock(&self.wanted).unload = true;
        self.changed.notify_all();
    }

    pub(crate) fn end(&self) {
        lock(&self.wanted).end = true;
        self.changed.notify_all();
    }

    /// Waits for so long, or until it is over, which is returned.
    fn rest(&self, time: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(lock(&self.wanted), time, |wanted| !wanted.end);
        let (wanted, _) = waited.unwrap_or_else(PoisonError::into_inner);
        wanted.end
    }

    fn is_over(&self) -> bool {
        lock(&self.wanted).end
    }

    /// Waits until there is something to do, but not for longer than this. Returns whether something is to be saved,
    /// `None` when it is over.
    fn wait(&self, time: Duration) -> Option<bool> {
        let wanted = lock(&self.wanted);
        let waited =
            self.changed.wait_timeout_while(wanted, time, |wanted| !wanted.save && !wanted.unload && !wanted.end);
        let (mut wanted, _) = waited.unwrap_or_else(PoisonError::into_inner);
        wanted.unload = false;
        (!wanted.end).then(|| std::mem::take(&mut wanted.save))
    }
}

/// Whether a file or a directory was not changed for so long. One from the future was changed now.
fn is_older(path: &Path, age: Duration, now: SystemTime) -> bool {
    measure(path).is_some_and(|(_, modified)| now.duration_since(modified).is_ok_and(|since| since >= age))
}

/// Whether this is the directory of an earlier format.
fn is_earlier(name: &str) -> bool {
    let number = |name: &str| name.strip_prefix("httplib2-").and_then(|number| number.parse::<u32>().ok());
    number(name).is_some_and(|earlier| Some(earlier) < number(BASE))
}

/// What the operating system says of a directory that is to be used, before it is.
pub(crate) fn check(shared: &Shared) -> io::Result<()> {
    shared.files.ensure()?;
    drop(shared.files.lock(LOCK_TRIES)?);
    Ok(())
}
