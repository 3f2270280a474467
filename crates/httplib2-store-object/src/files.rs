//! httplib2's directory of files.

mod disk;
mod name;
mod room;

use std::{
    fmt, io,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use httplib2_core::context::{Clock, SystemClock};
use httplib2_store::{StoreError, Usage};

use self::room::Room;
use crate::BlockingObject;

pub use self::name::safename;

/// Keeps one file per key in a directory, under httplib2's names: its `FileCache` (H-CACHE-04, H-CACHE-05).
///
/// It makes whoever calls it wait for the disk; [`Blocking`](crate::Blocking) makes a
/// [`CacheObject`](crate::CacheObject) of it.
///
/// A file is written under another name and then moved to its own, so that a reader, also one in another process, sees
/// all of the old bytes or all of the new ones. httplib2 rewrites a file in place: one that changes while it is read is
/// read again, and what does not come to rest, or cannot be read, is not there. Symbolic links in the directory are
/// not followed. The directory, where it has to be made, is for nobody but its owner (0700), and each file too (0600).
/// The rights of a directory that is there stay as they are.
///
/// Nothing is forced onto the disk: after a power failure there may be anything, and what is no whole response is not
/// read as one.
///
/// ```
/// use bytes::Bytes;
/// use httplib2_store_object::{BlockingObject, FileCache};
///
/// # let temporary = tempfile::tempdir()?;
/// # let directory = temporary.path().join("cache");
/// let files = FileCache::new(&directory)?.max_bytes(100 * 1024 * 1024);
/// files.set("http://example.org/", &Bytes::from_static(b"status: 200\r\n\r\nhello"))?;
/// assert!(directory.join("example.org,d0d92cdc9b30c1300fbc3c7ebd304be0").is_file());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FileCache {
    dir: PathBuf,
    safe: Safe,
    max_file: u64,
    limit: Option<u64>,
    room: Mutex<Room>,
    clock: Arc<dyn Clock>,
}

type Safe = Box<dyn Fn(&str) -> String + Send + Sync>;

const MAX_FILE: u64 = 64 * 1024 * 1024;

// === impl FileCache ===

impl FileCache {
    /// A cache in this directory, which is made if it is not there, with all directories above it.
    ///
    /// # Errors
    ///
    /// The directory cannot be made, or what is there is no directory.
    pub fn new(dir: impl Into<PathBuf>) -> io::Result<Self> {
        let dir = dir.into();
        disk::make_dir(&dir)?;
        Ok(Self {
            dir,
            safe: Box::new(safename),
            max_file: MAX_FILE,
            limit: None,
            room: Mutex::default(),
            clock: Arc::new(SystemClock),
        })
    }

    /// Makes file names of keys with another function: httplib2's `safe=`. Default: [`safename`].
    ///
    /// Two keys must not have one name. What is no name of a file in the directory, such as `..` or `a/b`, keeps nothing.
    #[must_use]
    pub fn safe(mut self, name: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.safe = Box::new(name);
        self
    }

    /// How many bytes the files of the directory may have together. Default: no limit, as in httplib2.
    ///
    /// The files that were written the longest time ago give way, an eighth of the limit at a time, whoever wrote them.
    /// A file that does not begin like a stored response is never removed, but it counts. Several processes
    /// with a limit each look at the directory now and then, so together they may go over it for a while.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.limit = Some(bytes);
        self
    }

    /// The largest file that is read, in bytes. Default: 64 MiB. A larger one is not there.
    #[must_use]
    pub fn max_file(mut self, bytes: u64) -> Self {
        self.max_file = bytes;
        self
    }

    /// The clock that says which half-written files somebody left behind: those of more than an hour ago, and which
    /// files were written just now, so that they are read twice. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn path(&self, key: &str) -> io::Result<PathBuf> {
        let name = (self.safe)(key);
        let mut components = Path::new(&name).components();
        let is_name = matches!((components.next(), components.next()), (Some(Component::Normal(only)), None)
            if only.len() == name.len());
        if !is_name || name.contains('\0') || disk::is_temporary(&name) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "what was made of the key is no name of a file"));
        }
        Ok(self.dir.join(name))
    }
}

impl BlockingObject for FileCache {
    fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        // Whatever stands in the way, httplib2 goes to the network (H-CACHE-04).
        Ok(self.path(key).and_then(|path| disk::read(&path, self.max_file, self.clock.now())).ok())
    }

    fn set(&self, key: &str, blob: &Bytes) -> Result<(), StoreError> {
        let path = self.path(key)?;
        // Held while it is written, so that the files together are within the limit at any moment.
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        room.sweep_once(&self.dir, self.clock.now());
        match self.limit {
            Some(limit) => {
                room.take(&self.dir, &path, blob.len() as u64, limit, self.clock.now())?;
                let written = disk::write(&path, blob);
                room.settle(written.is_ok());
                Ok(written?)
            }
            None => {
                drop(room);
                Ok(disk::write(&path, blob)?)
            }
        }
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        match std::fs::remove_file(self.path(key)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn clear(&self) -> Result<(), StoreError> {
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(room.clear(&self.dir)?)
    }

    fn usage(&self) -> Result<Usage, StoreError> {
        let files = disk::files(&self.dir)?;
        Ok(Usage::new(files.iter().map(|file| file.length).sum(), self.limit, files.len() as u64))
    }
}

impl fmt::Debug for FileCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileCache")
            .field("dir", &self.dir)
            .field("max_file", &self.max_file)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
