//! Where the files are, and how they are opened: never through a symbolic link, closed to everybody else.

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    sync::LazyLock,
    thread,
    time::{Duration, SystemTime},
};

use httplib2_core::context::{Clock, SystemClock};
use httplib2_store::Key;
use sha1::Sha1;

use crate::{
    bucket::LARGEST,
    digest::{Digest, hex},
    numbers::Numbers,
};

/// A directory in cacache's layout, below the one that the caller named.
#[derive(Debug)]
pub(crate) struct Files {
    root: PathBuf,
    base: PathBuf,
}

/// What tells one state of a file from another: a file with the same one was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
    pub(crate) length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Names temporary files. The number of the process alone would not do: processes in containers share numbers.
static NAMES: LazyLock<Numbers> = LazyLock::new(Numbers::new);

/// The directory of this version of the format. Those of others lie beside it.
pub(crate) const BASE: &str = "httplib2-1";

/// What the name of a directory begins with that is being removed.
pub(crate) const ASIDE: &str = "cleared-";

/// A second in all: whoever holds the lock writes a few files.
pub(crate) const LOCK_TRIES: u32 = 2_000;
/// Where that was in vain, it is not waited for as long again: everybody else here waits, too.
pub(crate) const LOCK_TRIES_STUCK: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_micros(500);

/// How often a file is read that changes meanwhile.
const READ_TRIES: u32 = 8;

/// What a key begins with in the index, so that the entries of other versions are never found.
const KEY_PREFIX: &str = "httplib2/1 ";

// === impl Files ===

impl Files {
    pub(crate) fn new(root: PathBuf) -> Self {
        let base = root.join(BASE);
        Self { root, base }
    }

    /// The directory that the caller named.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The directory that cacache is given.
    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.base.join("index-v5")
    }

    pub(crate) fn contents(&self) -> PathBuf {
        self.base.join("content-v2").join("sha256")
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.base.join("tmp")
    }

    pub(crate) fn bucket(&self, key: &Key) -> PathBuf {
        let name = hex(&<Sha1 as sha1::Digest>::digest(disk_key(key)));
        self.index().join(&name[..2]).join(&name[2..4]).join(&name[4..])
    }

    pub(crate) fn content(&self, digest: Digest) -> PathBuf {
        let name = digest.to_hex();
        self.contents().join(&name[..2]).join(&name[2..4]).join(&name[4..])
    }

    /// Makes the directory if it is not there, and sees to it that it belongs to us and to nobody else.
    pub(crate) fn ensure(&self) -> io::Result<()> {
        match private_directory(&self.base) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            checked => return checked,
        }
        directory(&self.root, true)?;
        match directory(&self.base, false) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        private_directory(&self.base)
    }

    /// Whether there is a directory. One that is a link or belongs to somebody else is an error, and nothing in it is
    /// read: whoever could write to it could have us hand out anything.
    pub(crate) fn is_there(&self) -> io::Result<bool> {
        match fs::symlink_metadata(&self.base) {
            Ok(metadata) => is_private(&metadata).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A path that nothing has, for what is to be removed.
    pub(crate) fn aside(&self) -> PathBuf {
        self.base.join(format!("{ASIDE}{:016x}", NAMES.next(SystemClock.now())))
    }

    /// Waits until no other process changes index files, for as long as so many tries take. The lock ends with the file,
    /// or with this process. `None` where there are no locks.
    #[cfg(unix)]
    pub(crate) fn lock(&self, tries: u32) -> io::Result<Option<File>> {
        use rustix::fs::{FlockOperation, flock};
        let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(self.base.join("lock"))?;
        for tried in 0..tries {
            if tried > 0 {
                thread::sleep(LOCK_PAUSE);
            }
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Some(file)),
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {}
                // Not all file systems can do this. Then processes may undo each other's changes.
                Err(rustix::io::Errno::NOTSUP | rustix::io::Errno::NOSYS | rustix::io::Errno::INVAL) => {
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    #[cfg(not(unix))]
    pub(crate) fn lock(&self, _: u32) -> io::Result<Option<File>> {
        Ok(None)
    }

    /// Appends to an index file, or begins one. What could be written only in part is taken back.
    pub(crate) fn append(&self, path: &Path, line: &[u8]) -> io::Result<FileId> {
        let mut file = match open_to_append(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), |parent| directory(parent, true))?;
                open_to_append(path)?
            }
            opened => opened?,
        };
        let before = file.metadata()?.len();
        if let Err(error) = file.write_all(line) {
            // A torn line would spoil the lines before it.
            if file.set_len(before).is_err() {
                remove(path)?;
            }
            return Err(error);
        }
        Ok(FileId::of(&file.metadata()?))
    }

    /// Puts a file in the place of another one, all at once.
    pub(crate) fn replace(&self, path: &Path, data: &[u8]) -> io::Result<FileId> {
        let temporary = self.temporary();
        directory(&temporary, true)?;
        path.parent().map_or(Ok(()), |parent| directory(parent, true))?;
        let temporary = temporary.join(format!("bucket-{:016x}", NAMES.next(SystemClock.now())));
        let written = (|| {
            let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&temporary)?;
            file.write_all(data)?;
            let id = FileId::of(&file.metadata()?);
            fs::rename(&temporary, path)?;
            // A rename changes the time of the last change on most file systems.
            Ok(identify(path)?.filter(|now| now.inode == id.inode).unwrap_or(id))
        })();
        if written.is_err() {
            drop(remove(&temporary));
        }
        written
    }

    /// Calls `each` for every file of the index or of the contents, as it was found.
    ///
    /// # Errors
    ///
    /// Of a directory that cannot be read. It is skipped, so these were not all.
    pub(crate) fn each_file(&self, directory: &Path, each: &mut dyn FnMut(PathBuf)) -> io::Result<()> {
        let mut result = Ok(());
        let mut entries = |directory: &Path| {
            list(directory).unwrap_or_else(|error| {
                result = Err(error);
                Vec::new()
            })
        };
        for first in entries(directory) {
            for second in entries(&first) {
                entries(&second).into_iter().for_each(&mut *each);
            }
        }
        result
    }
}

// === impl FileId ===

impl FileId {
    /// Whether this is a state of the same file, under whatever name.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    #[cfg(unix)]
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        let seconds = |time: io::Result<SystemTime>| {
            let since = time.ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
            (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), i64::from(since.subsec_nanos()))
        };
        Self {
            device: 0,
            inode: 0,
            length: metadata.len(),
            modified: seconds(metadata.modified()),
            changed: seconds(metadata.created()),
        }
    }
}

/// What a key is called in the index.
pub(crate) fn disk_key(key: &Key) -> String {
    format!("{KEY_PREFIX}{}", key.as_str())
}

/// The key that is called so in the index. `None` for what is not of this version.
pub(crate) fn key_of(text: &str) -> Option<Key> {
    text.strip_prefix(KEY_PREFIX).map(Key::from_text)
}

/// Opens a file to be read, if it is there. What is no file, or somebody else's, is
/// [`InvalidData`](io::ErrorKind::InvalidData).
pub(crate) fn open(path: &Path) -> io::Result<Option<(File, FileId)>> {
    let file = match no_link(OpenOptions::new().read(true)).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A file that is somebody else's may be closed to us.
        Err(error) => return Err(if is_no_file(path) { no_file() } else { error }),
        Ok(file) => file,
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || !is_ours(&metadata) {
        return Err(no_file());
    }
    Ok(Some((file, FileId::of(&metadata))))
}

/// Reads an index file, if it is there. Of one that is too large, only so much that it can be told.
///
/// Of a line that is just being appended, there may be a part, but not where that can be seen from the file.
pub(crate) fn read(path: &Path) -> io::Result<Option<(Vec<u8>, FileId)>> {
    let Some((mut file, mut id)) = open(path)? else { return Ok(None) };
    let mut data = Vec::new();
    for _ in 0..READ_TRIES {
        data.clear();
        data.reserve(usize::try_from(id.length.min(LARGEST + 1)).unwrap_or(0));
        (&file).take(LARGEST + 1).read_to_end(&mut data)?;
        let now = FileId::of(&file.metadata()?);
        if now == id {
            break;
        }
        id = now;
        file.rewind()?;
    }
    Ok(Some((data, id)))
}

/// What state a file is in, if it is there. Of a symbolic link, that of the link.
pub(crate) fn identify(path: &Path) -> io::Result<Option<FileId>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(FileId::of(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes a file. That it is not there is no error.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The length of a file or a link, and when it was last written to.
pub(crate) fn measure(path: &Path) -> Option<(u64, SystemTime)> {
    let metadata = fs::symlink_metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// The paths in a directory; none of one that is not there, or is none.
fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let absent = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let listed = fs::symlink_metadata(directory).and_then(|metadata| {
        if !metadata.is_dir() {
            return Ok(Vec::new());
        }
        fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect()
    });
    listed.or_else(|error| if absent(&error) { Ok(Vec::new()) } else { Err(error) })
}

/// The paths in a directory; none of one that cannot be read, or is a symbolic link.
pub(crate) fn entries(directory: &Path) -> Vec<PathBuf> {
    read_dir(directory).collect()
}

/// The same, read as far as it is asked for.
pub(crate) fn read_dir(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let is_directory = fs::symlink_metadata(directory).is_ok_and(|metadata| metadata.is_dir());
    let read = is_directory.then(|| fs::read_dir(directory).ok()).flatten();
    read.into_iter().flatten().flatten().map(|entry| entry.path())
}

/// The last part of a path as text, empty if it is none.
pub(crate) fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

/// The space that a file takes: whole blocks of the usual size.
pub(crate) fn blocks(length: u64) -> u64 {
    length.div_ceil(BLOCK).saturating_mul(BLOCK)
}

const BLOCK: u64 = 4096;

fn is_no_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_file() || !is_ours(&metadata))
}

fn no_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "this is no file")
}

fn open_to_append(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().append(true).create(true)).open(path)
}

/// Makes a directory that is closed to everybody else.
fn directory(path: &Path, recursive: bool) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(recursive);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Checks that this is a directory of ours, and closes it to everybody else.
#[cfg(unix)]
fn private_directory(path: &Path) -> io::Result<()> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
    // What was checked is what is changed, even if something else has its name by then.
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let metadata = directory.metadata()?;
    is_private(&metadata)?;
    if metadata.mode() & 0o077 != 0 {
        directory.set_permissions(fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn private_directory(path: &Path) -> io::Result<()> {
    is_private(&fs::symlink_metadata(path)?)
}

/// Checks that this is a directory, and ours.
fn is_private(metadata: &fs::Metadata) -> io::Result<()> {
    if !metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "the cache directory is no directory"));
    }
    if !is_ours(metadata) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the cache directory belongs to somebody else"));
    }
    Ok(())
}

#[cfg(unix)]
fn is_ours(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_ours(_: &fs::Metadata) -> bool {
    true
}

/// Opens nothing through a symbolic link, and waits for no pipe.
fn no_link(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags.bits().cast_signed());
    }
    options
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    no_link(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_are_those_of_cacache() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::new(directory.path().to_owned());
        let key = Key::from_text("http://example.org/");
        let integrity = cacache::write_sync(files.base(), disk_key(&key), b"hello").unwrap();
        assert!(files.bucket(&key).is_file());
        assert!(files.content(Digest::of_integrity(&integrity).unwrap()).is_file());
        assert_eq!(key_of(&disk_key(&key)), Some(key));
        assert_eq!(key_of("httplib2/2 http://example.org/"), None);
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_opened_through_a_symbolic_link() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("target"), directory.path().join("link"));
        fs::write(&target, b"text").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let files = Files::new(directory.path().to_owned());
        assert!(open(&target).unwrap().is_some());
        assert!(open(&link).is_err() && read(&link).is_err() && files.append(&link, b"more").is_err());
        files.ensure().unwrap();
        files.replace(&link, b"other").unwrap();
        assert_eq!((fs::read(&target).unwrap(), fs::read(&link).unwrap()), (b"text".to_vec(), b"other".to_vec()));
    }

    #[cfg(unix)]
    #[test]
    fn a_linked_base_is_refused_and_an_open_one_is_closed() {
        use std::os::unix::fs::PermissionsExt;
        let (directory, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = Files::new(directory.path().to_owned());
        std::os::unix::fs::symlink(elsewhere.path(), files.base()).unwrap();
        assert!(files.ensure().is_err());
        remove(files.base()).unwrap();
        fs::create_dir(files.base()).unwrap();
        fs::set_permissions(files.base(), fs::Permissions::from_mode(0o755)).unwrap();
        files.ensure().unwrap();
        assert_eq!(fs::metadata(files.base()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
