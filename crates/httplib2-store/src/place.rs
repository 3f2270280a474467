//! Where a client is told to keep responses.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::Store;

/// Where responses are to be kept: in a store, or in a directory that a client makes a store of.
///
/// For methods that take either, as httplib2's `cache` argument does: `cache(MemoryStore::new())`, `cache(".cache")`.
#[derive(Clone)]
pub enum Place {
    /// This store.
    Store(Arc<dyn Store>),
    /// A directory.
    Dir(PathBuf),
}

// === impl Place ===

impl<S: Store> From<S> for Place {
    fn from(store: S) -> Self {
        Self::Store(Arc::new(store))
    }
}

impl From<Arc<dyn Store>> for Place {
    fn from(store: Arc<dyn Store>) -> Self {
        Self::Store(store)
    }
}

impl From<PathBuf> for Place {
    fn from(dir: PathBuf) -> Self {
        Self::Dir(dir)
    }
}

impl From<&PathBuf> for Place {
    fn from(dir: &PathBuf) -> Self {
        Self::Dir(dir.clone())
    }
}

impl From<&Path> for Place {
    fn from(dir: &Path) -> Self {
        Self::Dir(dir.to_owned())
    }
}

impl From<String> for Place {
    fn from(dir: String) -> Self {
        Self::Dir(dir.into())
    }
}

impl From<&str> for Place {
    fn from(dir: &str) -> Self {
        Self::Dir(dir.into())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(store) => store.fmt(f),
            Self::Dir(dir) => f.debug_tuple("Dir").field(dir).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    #[test]
    fn a_store_is_taken_as_it_is_and_a_path_as_a_directory() {
        let shared: Arc<dyn Store> = Arc::new(MemoryStore::new());
        for store in [Place::from(MemoryStore::new()), shared.into()] {
            assert!(matches!(store, Place::Store(_)), "{store:?}");
        }
        let path = PathBuf::from("a/b");
        for dir in ["a/b".into(), "a/b".to_owned().into(), Place::from(&*path), (&path).into(), path.clone().into()] {
            assert!(matches!(&dir, Place::Dir(dir) if *dir == path), "{dir:?}");
        }
    }
}
