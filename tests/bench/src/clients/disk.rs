//! Caches in a directory, and what they are measured by.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use http_cache::CACacheManager;
use http_cache_tower::{HttpCacheLayer, HttpCacheService};
use httplib2_cache::{Cache, CacheLayer};
use httplib2_core::context::Spawn;
use httplib2_store::{MemoryStore, Store, Tiers};
use httplib2_store_disk::{DiskStore, DiskStoreBuilder};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tower::Layer;

use super::{Answer, Client, HyperUtil, Over, Reader, Target, stream::Pieces};
use crate::{
    BoxError,
    origin::cached::{PERIOD, number},
};

/// A client with a directory, which is removed with it.
#[derive(Debug)]
pub struct InDirectory<C> {
    client: C,
    _directory: TempDir,
}

/// Reads a file, and asks the origin only where there is none: what a cache does without being one.
#[derive(Clone, Debug)]
pub struct Files {
    client: HyperUtil,
    directory: PathBuf,
    hashes: bool,
}

/// Room for all that is measured.
const CAPACITY: u64 = 8 << 30;

/// The cache layer alone, with the store on a disk.
///
/// # Errors
///
/// Where the directory is no good.
pub fn disk<S>(service: S, directory: &Path) -> Result<Over<Cache<S>>, BoxError> {
    Ok(caching(service, Arc::new(settings(directory).open()?)))
}

/// The same with no file kept open.
///
/// # Errors
///
/// Where the directory is no good.
pub fn disk_without_descriptors<S>(service: S, directory: &Path) -> Result<Over<Cache<S>>, BoxError> {
    Ok(caching(service, Arc::new(settings(directory).descriptors(0).open()?)))
}

/// The cache layer alone, with a store in memory over one on a disk.
///
/// # Errors
///
/// Where the directory is no good.
pub fn tiers<S>(service: S, directory: &Path) -> Result<Over<Cache<S>>, BoxError> {
    Ok(caching(service, Arc::new(two_tiers(directory)?)))
}

/// Memory over a disk with room for all that is measured.
///
/// # Errors
///
/// Where the directory is no good.
pub(super) fn two_tiers(directory: &Path) -> Result<Tiers, BoxError> {
    Ok(Tiers::new(Arc::new(MemoryStore::new()), Arc::new(settings(directory).open()?)))
}

/// http-cache-tower with cacache.
pub fn cacache<S>(service: S, directory: &Path) -> Over<HttpCacheService<S, CACacheManager>> {
    Over(HttpCacheLayer::new(CACacheManager::new(directory.to_owned(), false)).layer(service))
}

fn settings(directory: &Path) -> DiskStoreBuilder {
    DiskStore::builder(directory).capacity(CAPACITY)
}

fn caching<S>(service: S, store: Arc<dyn Store>) -> Over<Cache<S>> {
    // As in `httplib2`: without an executor the caller would wait for the disk.
    let executor = Spawn::new(|work| drop(tokio::spawn(work)));
    Over(CacheLayer::private(store).executor(executor).layer(service))
}

// === impl InDirectory ===

impl<C> InDirectory<C> {
    /// Makes a client in a new directory.
    ///
    /// # Errors
    ///
    /// Where there is none, or the client cannot be made.
    pub fn new(make: impl FnOnce(&Path) -> Result<C, BoxError>) -> Result<Self, BoxError> {
        let directory = TempDir::new()?;
        Ok(Self { client: make(directory.path())?, _directory: directory })
    }
}

impl<C: Client> Client for InDirectory<C> {
    async fn get(&self, target: &Target) -> Result<Answer, BoxError> {
        self.client.get(target).await
    }
}

// === impl Files ===

impl Files {
    /// A client that keeps each answer in a file of this directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self { client: HyperUtil::default(), directory: directory.to_owned(), hashes: false }
    }

    /// The same, and hashes what it reads, as one must who checks it.
    #[must_use]
    pub fn hashing(directory: &Path) -> Self {
        Self { hashes: true, ..Self::new(directory) }
    }

    fn file(&self, target: &Target) -> PathBuf {
        self.directory.join(number(&target.text).to_string())
    }
}

impl Client for Files {
    async fn get(&self, target: &Target) -> Result<Answer, BoxError> {
        let file = self.file(target);
        match fs::read(&file) {
            Ok(content) => {
                if self.hashes {
                    std::hint::black_box(Sha256::digest(&content));
                }
                Ok((StatusCode::OK, content.into()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let answer = self.client.get(target).await?;
                fs::write(file, &answer.1)?;
                Ok(answer)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Reader for Files {
    async fn read(&self, target: &Target) -> Result<u64, BoxError> {
        let mut pieces = Pieces::default();
        match File::open(self.file(target)) {
            Ok(mut file) => loop {
                // Each piece is handed out, so it has memory of its own.
                let mut piece = vec![0; PERIOD];
                let length = file.read(&mut piece)?;
                if length == 0 {
                    return Ok(pieces.length());
                }
                piece.truncate(length);
                pieces.add(&Bytes::from(piece))?;
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut body = self.client.0.get(target.uri.clone()).await?.into_body();
                let mut file = File::create(self.file(target))?;
                while let Some(frame) = body.frame().await {
                    let Ok(data) = frame?.into_data() else { continue };
                    file.write_all(&data)?;
                    pieces.add(&data)?;
                }
                Ok(pieces.length())
            }
            Err(error) => Err(error.into()),
        }
    }
}
