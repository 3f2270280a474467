//! The files of Python's httplib2: never a panic, and the body is what stands behind the head.
#![no_main]

use httplib2_store_object::read_blob;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(blob) = read_blob(data) else { return };
    assert!(blob.body.start <= blob.body.end && blob.body.end == data.len());
    assert!(!blob.headers.keys().any(|name| name.as_str().starts_with('-')));
});
