//! Reading a part of a file.

use std::{fs::File, io, ops::Range};

use bytes::Bytes;

/// Reads a part of a file, or less where the file ends. It blocks.
pub(crate) fn read_at(file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let mut data = room(&range)?;
    let mut read = 0;
    while read < data.len() {
        match read_some(file, &mut data[read..], range.start + read as u64) {
            Ok(0) => break,
            Ok(some) => read += some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    data.truncate(read);
    Ok(data.into())
}

/// Reads a part of a file if that takes no waiting for the disk. `None` if it does, or if something is wrong.
#[cfg(all(target_os = "linux", not(target_env = "uclibc")))]
pub(crate) fn if_cached(file: &File, range: Range<u64>) -> Option<Bytes> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};
    let mut data = room(&range).ok()?;
    let mut read = 0;
    while read < data.len() {
        let buffer = io::IoSliceMut::new(&mut data[read..]);
        match preadv2(file, &mut [buffer], range.start + read as u64, ReadWriteFlags::NOWAIT) {
            Ok(0) => return None,
            Ok(some) => read += some,
            Err(Errno::INTR) => {}
            // A file system without this, such as an old tmpfs, is one in memory or over a network. What is small is
            // read plainly.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) if data.len() <= PLAIN => {
                return read_at(file, range).ok().filter(|all| all.len() == data.len());
            }
            Err(_) => return None,
        }
    }
    Some(data.into())
}

/// Reads a small part of a file: it is in memory, as a rule.
#[cfg(not(all(target_os = "linux", not(target_env = "uclibc"))))]
pub(crate) fn if_cached(file: &File, range: Range<u64>) -> Option<Bytes> {
    let length = range.end - range.start;
    let all = (length <= PLAIN as u64).then(|| read_at(file, range).ok()).flatten()?;
    (all.len() as u64 == length).then_some(all)
}

/// Tells the operating system that a file is read from its start to its end.
pub(crate) fn expect_all(file: &File) {
    #[cfg(target_os = "linux")]
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::Sequential);
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

/// How much is read in place where the operating system cannot say beforehand whether that waits.
const PLAIN: usize = 64 * 1024;

fn room(range: &Range<u64>) -> io::Result<Vec<u8>> {
    let length = usize::try_from(range.end - range.start).map_err(|_| io::ErrorKind::OutOfMemory)?;
    Ok(vec![0; length])
}

#[cfg(unix)]
fn read_some(file: &File, data: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, data, at)
}

#[cfg(windows)]
fn read_some(file: &File, data: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, data, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_part_is_read_where_it_is_and_ends_with_the_file() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        assert_eq!(&read_at(&file, 0..10).unwrap()[..], b"0123456789");
        assert_eq!(&read_at(&file, 3..5).unwrap()[..], b"34");
        assert_eq!(&read_at(&file, 8..12).unwrap()[..], b"89");
        assert!(read_at(&file, 20..21).unwrap().is_empty());
        // Just written, so it is in memory.
        assert_eq!(if_cached(&file, 3..5).as_deref(), Some(&b"34"[..]));
        assert_eq!(if_cached(&file, 8..12), None);
    }
}
