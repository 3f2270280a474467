//! Files that stay open, so that what is often read need not be found each time.

use std::{
    collections::HashMap,
    fmt,
    fs::File,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{content::lock, digest::Digest};

/// The contents that were read last, open.
pub(crate) struct Descriptors {
    open: Mutex<HashMap<Digest, Kept>>,
    most: usize,
    uses: AtomicU64,
}

struct Kept {
    file: Arc<File>,
    used: u64,
}

// === impl Descriptors ===

impl Descriptors {
    pub(crate) fn new(most: usize) -> Self {
        Self { open: Mutex::default(), most, uses: AtomicU64::new(0) }
    }

    pub(crate) fn find(&self, digest: Digest) -> Option<Arc<File>> {
        let used = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut open = lock(&self.open);
        let kept = open.get_mut(&digest)?;
        kept.used = used;
        Some(Arc::clone(&kept.file))
    }

    pub(crate) fn keep(&self, digest: Digest, file: &Arc<File>) {
        if self.most == 0 {
            return;
        }
        let used = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut open = lock(&self.open);
        if open.len() >= self.most
            && let Some(oldest) = open.iter().min_by_key(|(_, kept)| kept.used).map(|(digest, _)| *digest)
        {
            open.remove(&oldest);
        }
        open.insert(digest, Kept { file: Arc::clone(file), used });
    }

    pub(crate) fn forget(&self, digest: Digest) {
        lock(&self.open).remove(&digest);
    }

    pub(crate) fn forget_all(&self) {
        lock(&self.open).clear();
    }

    /// Closes all when there are none left for other purposes.
    pub(crate) fn forget_all_if_short(&self, error: &io::Error) {
        #[cfg(unix)]
        {
            use rustix::io::Errno;
            let shortages = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
            if error.raw_os_error().is_some_and(|error| shortages.contains(&error)) {
                self.forget_all();
            }
        }
        #[cfg(not(unix))]
        let _ = error;
    }
}

impl fmt::Debug for Descriptors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Descriptors({} of {})", lock(&self.open).len(), self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_was_not_used_for_the_longest_time_is_closed() {
        let descriptors = Descriptors::new(2);
        let file = Arc::new(tempfile::tempfile().unwrap());
        let digests = [b"1", b"2", b"3"].map(|name| Digest::of(name));
        descriptors.keep(digests[0], &file);
        descriptors.keep(digests[1], &file);
        assert!(descriptors.find(digests[0]).is_some());
        descriptors.keep(digests[2], &file);
        assert_eq!(digests.map(|digest| descriptors.find(digest).is_some()), [true, false, true]);
        descriptors.forget(digests[0]);
        assert!(descriptors.find(digests[0]).is_none());
    }
}
