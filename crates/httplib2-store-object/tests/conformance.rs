//! The store keeps the laws of all stores, over objects that know all that they keep.

mod common;

use std::{path::PathBuf, sync::Arc};

use httplib2_core::context::Spawn;
use httplib2_store::{Store, conformance};
use httplib2_store_object::{Blocking, FileCache, ObjectStore};

use crate::common::Dictionary;

async fn dictionary(bytes: u64) -> Arc<dyn Store> {
    Arc::new(ObjectStore::new(Dictionary::bounded(bytes)))
}

#[tokio::test]
async fn a_store_in_a_dictionary_keeps_the_laws_of_every_store() {
    conformance::every_store(dictionary).await;
}

#[tokio::test]
async fn a_store_whose_changes_run_on_an_executor_keeps_the_laws_of_every_store() {
    let make = async |bytes| {
        let spawn = Spawn::new(|task| drop(tokio::spawn(task)));
        Arc::new(ObjectStore::builder(Dictionary::bounded(bytes)).executor(spawn).build()) as Arc<dyn Store>
    };
    conformance::every_store(make).await;
}

#[tokio::test]
async fn a_store_in_files_keeps_the_laws_of_every_store() {
    let directory = tempfile::tempdir().unwrap();
    let next = std::cell::Cell::new(0);
    let dir = || -> PathBuf { directory.path().join(next.replace(next.get() + 1).to_string()) };
    let files = |bytes| FileCache::new(dir()).unwrap().max_bytes(bytes);
    conformance::every_store(async |bytes| {
        Arc::new(ObjectStore::new(Blocking::inline(files(bytes)))) as Arc<dyn Store>
    })
    .await;
    conformance::every_store(async |bytes| {
        let on_threads = Blocking::on(files(bytes), |job| drop(std::thread::spawn(job)));
        Arc::new(ObjectStore::new(on_threads)) as Arc<dyn Store>
    })
    .await;
}
