//! How much room there is in the directory.

use std::{
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use httplib2_store::StoreError;

use super::disk;

/// What this process knows of the size of the directory.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// The bytes of all files when they were last counted, and of those that were written since then.
    known: Option<u64>,
    /// How many files were written since then.
    written: u32,
    is_swept: bool,
}

/// How long writing one file takes at most. What was not finished by then, nobody is writing any more.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// After so many writes the files are counted again, because others write too.
const COUNTED_AGAIN: u32 = 64;

// === impl Room ===

impl Room {
    /// Removes what others have left half written, the first time.
    pub(super) fn sweep_once(&mut self, dir: &Path, now: SystemTime) {
        if !std::mem::replace(&mut self.is_swept, true) {
            sweep(dir, now);
        }
    }

    /// Makes room for a file of so many bytes.
    pub(super) fn take(
        &mut self,
        dir: &Path,
        path: &Path,
        length: u64,
        limit: u64,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        if length > limit {
            return Err(StoreError::TooLarge { limit });
        }
        let known = self.known.filter(|known| known + length <= limit && self.written < COUNTED_AGAIN);
        let before = match known {
            Some(known) => known,
            None => {
                self.written = 0;
                sweep(dir, now);
                evict(dir, length, limit)?
            }
        };
        // While the new file is written, the one that it takes the place of is still there.
        let replaced = fs::symlink_metadata(path).map_or(0, |metadata| metadata.len());
        self.known = Some((before + length).saturating_sub(replaced));
        if before + length > limit { Err(StoreError::Full { limit }) } else { Ok(()) }
    }

    /// Notes whether the file for which room was taken is there now.
    pub(super) fn settle(&mut self, is_written: bool) {
        self.written += 1;
        if !is_written {
            self.known = None;
        }
    }

    /// Removes all that was stored.
    pub(super) fn clear(&mut self, dir: &Path) -> io::Result<()> {
        self.known = None;
        for file in disk::files(dir)? {
            if disk::is_stored(&file.path) {
                remove(&file.path)?;
            }
        }
        Ok(())
    }
}

fn sweep(dir: &Path, now: SystemTime) {
    if let Some(moment) = now.checked_sub(ABANDONED) {
        // If the directory cannot be read, writing will say so.
        let _ = disk::sweep(dir, moment);
    }
}

/// Removes the oldest files until there is room for so many bytes, and returns how many bytes those have that remain.
fn evict(dir: &Path, length: u64, limit: u64) -> io::Result<u64> {
    let mut files = match disk::files(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        files => files?,
    };
    let mut bytes: u64 = files.iter().map(|file| file.length).sum();
    if bytes + length <= limit {
        return Ok(bytes);
    }
    // Some more than needed, so that the files are not counted again at once.
    let target = (limit - limit / 8).max(length) - length;
    files.sort_by_key(|file| file.modified);
    for file in files {
        if bytes <= target {
            break;
        }
        if disk::is_stored(&file.path) {
            remove(&file.path)?;
            bytes -= file.length;
        }
    }
    Ok(bytes)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
