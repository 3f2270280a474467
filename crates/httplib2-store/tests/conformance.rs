//! The store in memory keeps the laws of all stores.

use std::sync::Arc;

use httplib2_store::{MemoryStore, Store, conformance};

async fn memory(bytes: u64) -> Arc<dyn Store> {
    Arc::new(MemoryStore::builder().capacity(bytes).build())
}

async fn memory_of_small_objects(bytes: u64) -> Arc<dyn Store> {
    Arc::new(MemoryStore::builder().capacity(bytes).max_object(bytes / 4).max_variants(16).build())
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_laws_of_every_store() {
    conformance::every_store(memory).await;
    conformance::every_store(memory_of_small_objects).await;
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_laws_of_variants_and_streaming() {
    conformance::streaming(memory).await;
    conformance::streaming(memory_of_small_objects).await;
}
