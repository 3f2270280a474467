//! Files, as a cache needs them.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use bytes::Bytes;

/// A file of the directory.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) length: u64,
    pub(super) modified: SystemTime,
}

/// What begins and ends the name of a file that is being written.
const TEMPORARY: (&str, &str) = (".httplib2-", ".tmp");

/// How often another name is tried when somebody has taken one.
const TRIES: usize = 16;

/// How often a file is read that somebody rewrites meanwhile.
const READS: usize = 4;

/// The coarsest times of files are those of FAT.
const TICK: Duration = Duration::from_secs(2);

/// How every file begins that httplib2 or we have written (H-CACHE-14).
const BEGINNING: &[u8] = b"status: ";

/// Tells the files apart that this process is writing.
static NEXT: AtomicU64 = AtomicU64::new(0);

pub(super) fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1)
}

/// Makes a directory, and those above it, for nobody but the owner. One that is there is left as it is.
pub(super) fn make_dir(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Reads a plain file. What is no such file, is larger than `most` bytes, or changes each time, is an error. `now` is
/// the time.
pub(super) fn read(path: &Path, most: u64, now: SystemTime) -> io::Result<Bytes> {
    for _ in 0..READS {
        if let Some(data) = read_once(path, most, now)? {
            return Ok(data);
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// `None` when it changed meanwhile.
fn read_once(path: &Path, most: u64, now: SystemTime) -> io::Result<Option<Bytes>> {
    // A pipe would be waited for when it is opened, and a link could lead anywhere, so it is looked at first; and
    // afterwards too, in case it has become another one.
    let seen = fs::symlink_metadata(path)?;
    if !seen.is_file() || seen.len() > most {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let file = File::open(path)?;
    if !is_same(&seen, &file.metadata()?) {
        return Ok(None);
    }
    content(&file, &seen, now)
}

/// What is in a file, if that is what was there when it was `seen`.
///
/// httplib2 writes in place (H-CACHE-04): without this, the head of one response and the body of another one might be
/// read. `ctime` is not compared, since it changes too when the file gives way to another one as a whole.
fn content(mut file: &File, seen: &Metadata, now: SystemTime) -> io::Result<Option<Bytes>> {
    let data = up_to(file, seen.len())?;
    let age = seen.modified().ok().and_then(|modified| now.duration_since(modified).ok());
    if age.is_none_or(|age| age <= TICK) {
        // Its time may not tell the next change from this one. Where two were mixed, the first has gone.
        file.rewind()?;
        if up_to(file, seen.len())? != data {
            return Ok(None);
        }
    }
    let after = file.metadata()?;
    let is_unchanged = after.len() == seen.len() && after.modified().ok() == seen.modified().ok();
    Ok((is_unchanged && data.len() as u64 == seen.len()).then(|| data.into()))
}

/// So many bytes, and one if there are more.
fn up_to(file: &File, length: u64) -> io::Result<Vec<u8>> {
    let mut data = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(length.saturating_add(1)).read_to_end(&mut data)?;
    Ok(data)
}

/// Writes a file so that whoever reads it sees the old one or the new one.
pub(super) fn write(path: &Path, data: &[u8]) -> io::Result<()> {
    let dir = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let (mut file, temporary) = match create(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Somebody has removed the directory.
            make_dir(dir)?;
            create(dir)?
        }
        created => created?,
    };
    let written = file.write_all(data).and_then(|()| {
        drop(file);
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        // What cannot be removed either is swept away later.
        let _ = fs::remove_file(temporary);
    }
    written
}

/// The plain files of a directory that are not being written.
pub(super) fn files(dir: &Path) -> io::Result<Vec<Found>> {
    scan(dir, false)
}

/// Removes what is being written since before `moment`, by somebody who has gone.
pub(super) fn sweep(dir: &Path, moment: SystemTime) -> io::Result<()> {
    for file in scan(dir, true)? {
        if file.modified < moment {
            // What cannot be removed now is tried another time.
            let _ = fs::remove_file(file.path);
        }
    }
    Ok(())
}

/// Whether a file begins as what is stored does: others are not ours to remove.
pub(super) fn is_stored(path: &Path) -> bool {
    let mut beginning = [0; BEGINNING.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut beginning)).is_ok() && beginning == BEGINNING
}

fn create(dir: &Path) -> io::Result<(File, PathBuf)> {
    let mut options = OpenOptions::new();
    // It must not be there, not even as a link.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut taken = io::ErrorKind::AlreadyExists.into();
    for _ in 0..TRIES {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (begin, end) = TEMPORARY;
        let path = dir.join(format!("{begin}{}-{number}{end}", process::id()));
        match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => taken = error,
            opened => return opened.map(|file| (file, path)),
        }
    }
    Err(taken)
}

fn scan(dir: &Path, temporary: bool) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for file in fs::read_dir(dir)? {
        let file = file?;
        // What is gone meanwhile is not there. Links are not followed here.
        let Ok(metadata) = file.metadata() else { continue };
        if metadata.is_file() && file.file_name().to_str().is_some_and(is_temporary) == temporary {
            let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            found.push(Found { path: file.path(), length: metadata.len(), modified });
        }
    }
    Ok(found)
}

#[cfg(unix)]
fn is_same(seen: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (seen.dev(), seen.ino()) == (opened.dev(), opened.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, opened: &Metadata) -> bool {
    opened.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_rewritten_in_place_while_it_was_read_is_not_taken() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "aaaa").unwrap();
        let seen = fs::metadata(&path).unwrap();
        let modified = seen.modified().unwrap();
        let content = |now| content(&File::open(&path).unwrap(), &seen, now).unwrap();
        for now in [modified, modified + 2 * TICK] {
            assert_eq!(content(now).as_deref(), Some(&b"aaaa"[..]));
        }
        // Whoever reads it now may have got some of the old content.
        for (text, later) in [("bbbb", 1), ("bbbbb", 0), ("bbb", 0), ("", 0)] {
            fs::write(&path, text).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(modified + Duration::from_secs(later)).unwrap();
            for now in [modified, modified + 2 * TICK] {
                assert_eq!(content(now), None, "{text}");
                assert_eq!(read(&path, 5, now).unwrap(), text, "another time it is read");
            }
        }
    }
}
