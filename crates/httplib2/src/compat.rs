//! What can be had as Python's httplib2 had it.

/// In which things a client does as Python's httplib2 did, where it otherwise does better.
///
/// [`HttpBuilder::compat`](crate::HttpBuilder::compat) takes it. Default: in none.
///
/// ```
/// use httplib2::{Compat, Http};
///
/// # let temporary = tempfile::tempdir()?;
/// # let directory = temporary.path().join("cache");
/// // The directory holds what Python's httplib2 reads and writes.
/// let http = Http::builder().compat(Compat::httplib2()).cache(&directory).build()?;
/// # let _ = http;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compat {
    /// A [cache](crate::HttpBuilder::cache) that is given as a directory is a `FileCache`, and a directory that
    /// cannot be used fails when the client is built; one that is given as a directory or a store goes by httplib2's
    /// rules ([`Rules::httplib2`](crate::cache::policy::Rules::httplib2)).
    pub cache: bool,
}

// === impl Compat ===

impl Compat {
    /// In everything that can be had.
    #[must_use]
    pub fn httplib2() -> Self {
        Self { cache: true }
    }
}
