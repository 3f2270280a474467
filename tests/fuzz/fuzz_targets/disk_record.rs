//! What the disk store keeps of the heads of a key: never a panic, whatever is on the disk.
#![no_main]

use httplib2_store_disk::fuzzing::read_record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(record) = read_record(data) else { return };
    for variant in &record.variants {
        // What a look-up does with it.
        assert!(variant.head.selects_same(&variant.head.clone()) && variant.head.weight() > 0);
    }
});
