//! A file that is opened when it is read.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Reads exactly the length that the file had when it was first looked at.
pub(super) struct FileReader {
    path: PathBuf,
    length: u64,
    left: u64,
    file: Option<File>,
}

// === impl FileReader ===

impl FileReader {
    /// Looks at the file, so that one that cannot be read is an error at once.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = File::open(path)?.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "a directory cannot be a request body"));
        }
        Ok(Self::with_length(path.to_owned(), metadata.len()))
    }

    /// A reader of the same file from its start.
    pub(super) fn anew(&self) -> Self {
        Self::with_length(self.path.clone(), self.length)
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    fn with_length(path: PathBuf, length: u64) -> Self {
        Self { path, length, left: length, file: None }
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(File::open(&self.path)?),
        };
        let read = file.take(self.left).read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter while it was sent"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}
