//! Alone in its process, because it looks at the memory of all of it.
#![cfg(target_os = "linux")]

mod coded;

use http_body_util::BodyExt;
use httplib2_decompression::DecompressionLayer;
use httplib2_testing::Body;

/// The most memory that this process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[tokio::test]
async fn a_large_body_is_decoded_in_little_memory() {
    // DEC-01: 300 MB of one letter, read to the end, through each coding and a stack.
    let layer = DecompressionLayer::new().decode_limit_ratio(0);
    let mut bodies: Vec<_> = coded::codings()
        .into_iter()
        .map(|coding| {
            // Made in parts, so that making it takes no memory either.
            let part = vec![b'A'; 30_000_000];
            (coding.to_string(), coded::encode(coding, &part), 30_000_000)
        })
        .collect();
    let ten_members = coded::gzip(&vec![b'A'; 30_000_000]).repeat(10);
    bodies.push(("gzip, gzip".into(), coded::gzip(&ten_members), 300_000_000));
    bodies.push(("gzip".into(), ten_members, 300_000_000));
    let before = peak();
    for (coding, body, length) in bodies {
        let mut response = coded::get(&layer, &coding, Body::from(body)).await;
        let (mut read, mut largest) = (0, 0);
        while let Some(frame) = response.body_mut().frame().await {
            let data = frame.unwrap().into_data().unwrap();
            read += data.len();
            largest = largest.max(data.len());
        }
        assert_eq!(read, length, "{coding}");
        assert!(largest <= 256 << 10, "{coding}: a frame of {largest}");
    }
    assert!(peak() - before < 64 << 10, "it grew by {} KiB", peak() - before);
}
