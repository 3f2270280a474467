//! The index files of the disk store and what their lines hold: never a panic, whatever is on the disk.
#![no_main]

use httplib2_store_disk::fuzzing::{read_bucket, read_record};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

fuzz_target!(|data: &[u8]| {
    look(data);
    // Lines whose digests are right are looked at more closely.
    let mut signed = Vec::new();
    for line in data.split(|byte| *byte == b'\n') {
        let digest = Sha256::digest(line);
        signed.extend(digest.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()));
        signed.push(b'\t');
        signed.extend_from_slice(line);
        signed.push(b'\n');
    }
    look(&signed);
});

fn look(bytes: &[u8]) {
    let bucket = read_bucket(bytes);
    for line in &bucket.lines {
        assert!(bucket.last(&line.key).is_some_and(|last| last.key == line.key));
        drop(read_record(line.metadata.as_bytes()));
    }
}
