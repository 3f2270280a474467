//! Bodies that decode to more than anybody wants.

mod coded;

use bytes::Bytes;
use http_body_util::BodyExt;
use httplib2_decompression::{Coding, DecodeErrorKind, DecodeLimits, DecompressionLayer};
use httplib2_testing::{Body, Server, reply, request};
use tower::{Layer, ServiceExt};

use coded::{collect, decoded, encode, failure, get, gzip, prose, raw_deflate};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_bomb_is_an_error_of_the_body() {
    // Trap 35, DEC-01, DEC-21, CWE-409: 50 MB out of 48 kB, and out of less with the other codings.
    for coding in coded::codings() {
        let result = decoded(coding.as_str(), encode(coding, &vec![0; 50_000_000])).await;
        let failure = failure(&result);
        assert_eq!((failure.kind, failure.coding), (DecodeErrorKind::RatioLimit(100), coding));
        // Seen as soon as the safe size was passed: one output step is at most 256 KiB.
        assert!(failure.decoded as usize <= 10 * MIB + 256 * 1024, "{failure}");
    }
}

#[tokio::test]
async fn a_bomb_in_two_layers_is_an_error_of_the_body() {
    // DEC-02.
    let result = decoded("gzip, gzip", gzip(&gzip(&vec![b'A'; 30_000_000]))).await;
    assert_eq!(failure(&result).kind, DecodeErrorKind::RatioLimit(100));
}

#[tokio::test]
async fn a_bomb_between_two_codings_does_not_hide_behind_a_small_end() {
    // Empty members compress well, and decode to nothing: the limits hold for each coding.
    let nothing = gzip(b"").repeat(600_000);
    let result = decoded("gzip, gzip", gzip(&nothing)).await;
    let failure = failure(&result);
    assert_eq!((failure.kind, failure.coding), (DecodeErrorKind::RatioLimit(100), Coding::Gzip));
}

#[tokio::test]
async fn the_ratio_is_not_looked_at_below_the_safe_size() {
    let body = gzip(&vec![0; 10 * MIB - 1]);
    assert_eq!(decoded("gzip", body).await.unwrap().len(), 10 * MIB - 1);
}

#[tokio::test]
async fn the_hard_limit_is_the_last_size_that_is_allowed() {
    // H-DEC-15: strictly more is an error, and nobody gets more than the limit.
    let body = gzip(&prose(1_000_000));
    let allowed = DecompressionLayer::new().decode_limit_hard(1_000_000);
    assert_eq!(collect(get(&allowed, "gzip", body.clone()).await).await.unwrap().len(), 1_000_000);

    let refused = DecompressionLayer::new().decode_limit_hard(999_999);
    let mut response = get(&refused, "gzip", body).await;
    let mut read = 0;
    let result = loop {
        match response.body_mut().frame().await.expect("an error comes before the end") {
            Ok(frame) => read += frame.into_data().unwrap().len(),
            Err(error) => break Err::<(), _>(error),
        }
    };
    assert!(read <= 999_999);
    assert_eq!(failure(&result).kind, DecodeErrorKind::HardLimit(999_999));
    assert!(failure(&result).kind.is_limit());
    assert!(response.body_mut().frame().await.is_none());
}

#[tokio::test]
async fn the_hard_limit_comes_before_the_others() {
    // H-DEC-10.
    let layer = DecompressionLayer::new().decode_limit_hard(10).decode_limit_safe(1_000_000).decode_limit_ratio(1);
    let result = collect(get(&layer, "gzip", gzip(&[0; 1_000])).await).await;
    assert_eq!(failure(&result).kind, DecodeErrorKind::HardLimit(10));
}

#[tokio::test]
async fn zero_means_without_limit() {
    // H-DEC-10.
    let layer = DecompressionLayer::new().decode_limit_hard(0).decode_limit_safe(0).decode_limit_ratio(0);
    let body = gzip(&vec![0; 50_000_000]);
    assert_eq!(collect(get(&layer, "gzip", body.clone()).await).await.unwrap().len(), 50_000_000);

    // A safe size of zero: the ratio is always looked at.
    let layer = DecompressionLayer::new().decode_limit_safe(0);
    let result = collect(get(&layer, "gzip", gzip(&[0; 100_000])).await).await;
    assert_eq!(failure(&result).kind, DecodeErrorKind::RatioLimit(100));
}

#[tokio::test]
async fn a_step_of_zero_takes_all_that_has_arrived() {
    // H-DEC-14: httplib2 looped for ever.
    for step in [0, 1, 3, usize::MAX] {
        let layer = DecompressionLayer::new().decode_limit_chunk(step);
        assert_eq!(collect(get(&layer, "gzip", gzip(&prose(70_000))).await).await.unwrap(), prose(70_000));
    }
}

#[tokio::test]
async fn the_limits_of_the_request_replace_those_of_the_layer() {
    let body = gzip(&vec![0; 20 * MIB]);
    let server = Server::new().on("GET http://a.example/", reply(200).header("content-encoding", "gzip").body(body));
    let client = DecompressionLayer::new().layer(server);
    assert!(collect(client.clone().oneshot(request("GET http://a.example/")).await.unwrap()).await.is_err());

    let mut generous = request("GET http://a.example/");
    let mut limits = DecodeLimits::default();
    limits.ratio = 0;
    generous.extensions_mut().insert(limits);
    assert_eq!(collect(client.oneshot(generous).await.unwrap()).await.unwrap().len(), 20 * MIB);
}

#[tokio::test]
async fn a_slow_stream_of_tiny_blocks_costs_no_more_than_its_bytes() {
    // DEC-22: a flushed deflate block of two bytes, in frames of one byte; and empty members of gzip. A step that
    // cost a whole buffer would make gigabytes of these.
    let start = tokio::time::Instant::now();
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..20_000 {
        std::io::Write::write_all(&mut encoder, b"x").unwrap();
        std::io::Write::flush(&mut encoder).unwrap();
    }
    let body = encoder.finish().unwrap();
    let bytes: Vec<_> = body.iter().map(|byte| Bytes::copy_from_slice(&[*byte])).collect();
    assert_eq!(decoded("deflate", Body::chunks(bytes).pausing()).await.unwrap().len(), 20_000);
    assert_eq!(decoded("gzip", gzip(b"").repeat(20_000)).await.unwrap(), "");
    assert_eq!(decoded("deflate", raw_deflate(b"")).await.unwrap(), "");
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
