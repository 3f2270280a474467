//! The store on a disk keeps the laws of all stores.

mod common;

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use httplib2_store::{
    Answer, Entry, EntryId, Found, Generation, Generations, Head, Key, Listed, MemoryStore, Store, StoreError,
    StoredBody, Tiers, Usage, Writer, conformance,
};
use httplib2_store_disk::DiskStore;

use common::builder;

/// A store that is closed and opened again before each look-up.
#[derive(Debug)]
struct Reopening {
    directory: PathBuf,
    bytes: u64,
    generations: Arc<Generations>,
    current: Mutex<Option<DiskStore>>,
}

/// Two stores in one directory: one is written to, the other one is read from.
#[derive(Debug)]
struct Two {
    written: DiskStore,
    read: DiskStore,
}

#[tokio::test]
async fn memory_over_a_disk_keeps_the_laws_of_all_stores() {
    let directory = tempfile::tempdir().unwrap();
    let tiers = async |bytes| {
        let memory = MemoryStore::builder().capacity(bytes / 4).build();
        Arc::new(Tiers::new(Arc::new(memory), fresh(directory.path(), bytes))) as Arc<dyn Store>
    };
    conformance::every_store(tiers).await;
    conformance::streaming(tiers).await;
}

#[tokio::test]
async fn the_store_on_a_disk_keeps_the_laws_of_all_stores() {
    let directory = tempfile::tempdir().unwrap();
    conformance::every_store(async |bytes| fresh(directory.path(), bytes)).await;
    conformance::streaming(async |bytes| fresh(directory.path(), bytes)).await;
}

#[tokio::test]
async fn it_keeps_the_laws_of_every_store_when_it_is_opened_again_before_each_look_up() {
    let directory = tempfile::tempdir().unwrap();
    conformance::every_store(async |bytes| Reopening::fresh(directory.path(), bytes)).await;
}

#[tokio::test]
async fn it_keeps_the_laws_of_streaming_when_it_is_opened_again_before_each_look_up() {
    let directory = tempfile::tempdir().unwrap();
    conformance::streaming(async |bytes| Reopening::fresh(directory.path(), bytes)).await;
}

#[tokio::test]
async fn it_keeps_the_laws_of_all_stores_when_one_store_writes_and_another_one_reads() {
    let directory = tempfile::tempdir().unwrap();
    conformance::every_store(async |bytes| Two::fresh(directory.path(), bytes)).await;
    conformance::streaming(async |bytes| Two::fresh(directory.path(), bytes)).await;
}

#[test]
fn without_a_runtime_it_does_its_work_in_place() {
    let directory = tempfile::tempdir().unwrap();
    let store = common::store(directory.path());
    let (key, data) = (common::key("a"), common::data(1, 700_000));
    let now = |answer: Answer<Entry>| {
        let mut answer = std::pin::pin!(answer);
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match answer.as_mut().poll(&mut cx) {
            std::task::Poll::Ready(entry) => entry.unwrap(),
            std::task::Poll::Pending => panic!("nothing would wake it"),
        }
    };
    let Answer::Ready(Ok(found)) = store.lookup(&key) else { panic!("a look-up") };
    let mut writer = store.write(key, common::head("1"), None, found.generation).unwrap();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    for at in 0..7 {
        assert!(writer.poll_ready(&mut cx).is_ready());
        writer.write(data.slice(at * 100_000..(at + 1) * 100_000)).unwrap();
    }
    let entry = now(writer.commit(None));
    assert_eq!(entry.length(), 700_000);
}

/// An empty store in a directory of its own.
fn fresh(below: &Path, bytes: u64) -> Arc<dyn Store> {
    Arc::new(builder(&directory(below)).capacity(bytes).open().expect("the directory can be used"))
}

fn directory(below: &Path) -> PathBuf {
    tempfile::tempdir_in(below).expect("the directory can be used").keep()
}

// === impl Reopening ===

impl Reopening {
    fn fresh(below: &Path, bytes: u64) -> Arc<dyn Store> {
        let (directory, current) = (directory(below), Mutex::new(None));
        Arc::new(Self { directory, bytes, generations: Arc::default(), current })
    }

    fn current(&self) -> DiskStore {
        self.current.lock().expect("nobody panicked").get_or_insert_with(|| self.open()).clone()
    }

    fn open(&self) -> DiskStore {
        let generations = Arc::clone(&self.generations);
        builder(&self.directory)
            .capacity(self.bytes)
            .generations(generations)
            .open()
            .expect("the directory can be used")
    }
}

impl Store for Reopening {
    fn lookup(&self, key: &Key) -> Answer<Found> {
        *self.current.lock().expect("nobody panicked") = None;
        self.current().lookup(key)
    }

    fn open(&self, key: &Key, entry: &Entry) -> Answer<StoredBody> {
        self.current().open(key, entry)
    }

    fn open_range(&self, key: &Key, entry: &Entry, range: Range<u64>) -> Answer<StoredBody> {
        self.current().open_range(key, entry, range)
    }

    fn write(
        &self,
        key: Key,
        head: Head,
        length: Option<u64>,
        generation: Generation,
    ) -> Result<Box<dyn Writer>, StoreError> {
        self.current().write(key, head, length, generation)
    }

    fn update(&self, key: &Key, id: EntryId, head: Head, generation: Generation) -> Answer<Entry> {
        self.current().update(key, id, head, generation)
    }

    fn remove(&self, key: &Key, id: EntryId) -> Answer<()> {
        self.current().remove(key, id)
    }

    fn invalidate(&self, key: &Key) -> Answer<()> {
        self.current().invalidate(key)
    }

    fn clear(&self) -> Answer<()> {
        self.current().clear()
    }

    fn list(&self) -> Answer<Vec<Listed>> {
        self.current().list()
    }

    fn usage(&self) -> Answer<Usage> {
        self.current().usage()
    }
}

// === impl Two ===

impl Two {
    fn fresh(below: &Path, bytes: u64) -> Arc<dyn Store> {
        let (directory, generations) = (directory(below), Arc::new(Generations::new()));
        let open = || {
            builder(&directory)
                .capacity(bytes)
                .generations(Arc::clone(&generations))
                .open()
                .expect("the directory can be used")
        };
        Arc::new(Self { written: open(), read: open() })
    }
}

impl Store for Two {
    fn lookup(&self, key: &Key) -> Answer<Found> {
        self.read.lookup(key)
    }

    fn open(&self, key: &Key, entry: &Entry) -> Answer<StoredBody> {
        self.read.open(key, entry)
    }

    fn open_range(&self, key: &Key, entry: &Entry, range: Range<u64>) -> Answer<StoredBody> {
        self.read.open_range(key, entry, range)
    }

    fn write(
        &self,
        key: Key,
        head: Head,
        length: Option<u64>,
        generation: Generation,
    ) -> Result<Box<dyn Writer>, StoreError> {
        self.written.write(key, head, length, generation)
    }

    fn update(&self, key: &Key, id: EntryId, head: Head, generation: Generation) -> Answer<Entry> {
        let (store, updated) = (self.written.clone(), self.written.update(key, id, head, generation));
        Answer::pending(async move {
            let updated = updated.await?;
            // Otherwise the other one sees it only a moment later.
            store.flush().await?;
            Ok(updated)
        })
    }

    fn remove(&self, key: &Key, id: EntryId) -> Answer<()> {
        self.written.remove(key, id)
    }

    fn invalidate(&self, key: &Key) -> Answer<()> {
        self.written.invalidate(key)
    }

    fn clear(&self) -> Answer<()> {
        self.written.clear()
    }

    fn list(&self) -> Answer<Vec<Listed>> {
        self.written.list()
    }

    fn usage(&self) -> Answer<Usage> {
        self.written.usage()
    }
}
