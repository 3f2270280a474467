//! What sweeping and checking found.

use std::fmt;

/// What [`gc`](crate::DiskStore::gc) removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Index files that held nothing any more.
    pub removed: u64,
    /// Index files that were damaged, or not where they belong.
    pub damaged: u64,
    /// Contents that no entry has.
    pub contents: u64,
    /// Temporary files that somebody left behind.
    pub temporary: u64,
    /// Directories that were empty, or of an earlier format.
    pub directories: u64,
    /// The bytes of the contents and temporary files.
    pub bytes: u64,
}

/// What [`verify`](crate::DiskStore::verify) found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The entries whose bodies are as they were written.
    pub whole: u64,
    /// The bytes of those.
    pub bytes: u64,
    /// The entries that were removed because their bodies were not as they were written.
    pub damaged: u64,
    /// The entries that were removed because their bodies were not there.
    pub missing: u64,
}

// === impl Swept ===

impl fmt::Display for Swept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { removed, damaged, contents, temporary, directories, bytes } = self;
        write!(
            f,
            "removed {removed} empty and {damaged} damaged index files, {contents} contents and {temporary} temporary \
             files ({bytes} bytes), {directories} directories"
        )
    }
}

// === impl Verified ===

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { whole, bytes, damaged, missing } = self;
        write!(f, "{whole} whole ({bytes} bytes), removed {damaged} damaged and {missing} missing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_sentences() {
        let swept = Swept { contents: 2, bytes: 7, ..Swept::default() };
        assert!(swept.to_string().contains("2 contents and 0 temporary files (7 bytes)"));
        let verified = Verified { whole: 3, bytes: 9, damaged: 1, missing: 0 };
        assert_eq!(verified.to_string(), "3 whole (9 bytes), removed 1 damaged and 0 missing");
    }
}
