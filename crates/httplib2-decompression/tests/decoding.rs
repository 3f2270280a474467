//! Codings and their formats.

mod coded;

use bytes::Bytes;
use http::header;
use httplib2_decompression::{Coding, DecodeErrorKind, DecompressionLayer};
use httplib2_testing::{Body, Server, reply, request, text};
use proptest::prelude::*;
use tower::{Layer, ServiceExt};

use coded::{brotli, collect, decoded, encode, failure, gzip, prose, raw_deflate, zlib, zstd};

#[tokio::test]
async fn every_coding_is_decoded_whatever_the_case_of_its_name() {
    // Trap 33, H-DEC-02, DEC-16.
    for coding in coded::codings() {
        let body = encode(coding, b"hello");
        for name in [coding.to_string(), coding.to_string().to_uppercase()] {
            assert_eq!(decoded(&name, body.clone()).await.unwrap(), "hello", "{name}");
        }
    }
    assert_eq!(decoded("x-gzip", gzip(b"hello")).await.unwrap(), "hello");
    assert_eq!(decoded("X-GZIP", gzip(b"hello")).await.unwrap(), "hello");
    assert_eq!(decoded("identity, gzip", gzip(b"hello")).await.unwrap(), "hello");
}

#[tokio::test]
async fn deflate_is_zlib_or_bare_deflate_data() {
    // H-DEC-04, DEC-10, trap 33, RFC 9110 §8.4.1.2. Also when the two bytes that tell it come one by one.
    for text in ["", "hello", &"hello ".repeat(10_000)] {
        for body in [zlib(text.as_bytes()), raw_deflate(text.as_bytes())] {
            let in_bytes: Vec<_> = body.iter().map(|byte| Bytes::copy_from_slice(&[*byte])).collect();
            assert_eq!(decoded("deflate", body).await.unwrap(), text);
            assert_eq!(decoded("deflate", Body::chunks(in_bytes)).await.unwrap(), text);
        }
    }
}

#[tokio::test]
async fn gzip_is_not_anything_else() {
    // H-DEC-04, DEC-12.
    for body in [b"not gzip at all".to_vec(), zlib(b"hello"), raw_deflate(b"hello"), brotli(b"hello")] {
        let result = decoded("gzip", body).await;
        assert_eq!(failure(&result).kind, DecodeErrorKind::Corrupt);
        assert_eq!(failure(&result).coding, Coding::Gzip);
    }
}

#[tokio::test]
async fn stacked_codings_are_removed_in_reverse_order() {
    for outer in coded::codings() {
        for inner in coded::codings() {
            let body = encode(outer, &encode(inner, &prose(300_000)));
            assert_eq!(decoded(&format!("{inner}, {outer}"), body).await.unwrap(), prose(300_000));
        }
    }
}

#[tokio::test]
async fn stacked_codings_may_stand_in_several_fields() {
    let server = Server::new().on(
        "GET http://a.example/",
        reply(200)
            .header(header::CONTENT_ENCODING, "br, identity")
            .header(header::CONTENT_ENCODING, "gzip")
            .body(gzip(&brotli(b"hello"))),
    );
    let response = DecompressionLayer::new().layer(server).oneshot(request("GET http://a.example/")).await.unwrap();
    assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
    assert_eq!(text(response).await.unwrap(), "hello");
}

#[tokio::test]
async fn more_codings_are_decoded_where_the_layer_allows_them() {
    let body = gzip(&gzip(&gzip(b"deep")));
    let answer = coded::get(&DecompressionLayer::new().max_codings(3), "gzip, gzip, gzip", body).await;
    assert_eq!(collect(answer).await.unwrap(), "deep");
}

#[tokio::test]
async fn all_members_of_gzip_are_joined() {
    // Trap 34, H-DEC-08, RFC 1952 §2.2: in one frame, in one for each, and cut within the next header.
    let (first, second) = (gzip(b"one, "), gzip(b"two"));
    let joined = [&first[..], &gzip(b""), &second].concat();
    assert_eq!(decoded("gzip", joined.clone()).await.unwrap(), "one, two");
    assert_eq!(decoded("gzip", Body::chunks([first.clone(), second.clone()])).await.unwrap(), "one, two");
    for at in 0..joined.len() {
        let chunks = [joined[..at].to_vec(), joined[at..].to_vec()];
        assert_eq!(decoded("gzip", Body::chunks(chunks).pausing()).await.unwrap(), "one, two");
    }
}

#[tokio::test]
async fn all_frames_of_zstd_are_joined() {
    // RFC 8878 §3.1. A skippable frame (§3.1.2) has no content.
    if !Coding::Zstd.is_available() {
        return;
    }
    let skippable = [&0x184D_2A50_u32.to_le_bytes()[..], &3_u32.to_le_bytes(), b"abc"].concat();
    let joined = [zstd(b"one, "), skippable.clone(), zstd(b"two"), skippable.clone()].concat();
    assert_eq!(decoded("zstd", joined).await.unwrap(), "one, two");
    assert_eq!(decoded("zstd", skippable).await.unwrap(), "");
}

#[tokio::test]
async fn few_bytes_that_decode_to_many_windows_are_decoded_whole() {
    // All the input is taken in long before all the output was given out.
    let data = vec![b'A'; 30_000_000];
    let layer = DecompressionLayer::new().decode_limit_ratio(0);
    for coding in coded::codings() {
        let answer = coded::get(&layer, coding.as_str(), encode(coding, &data)).await;
        assert!(collect(answer).await.unwrap() == data, "{coding}");
    }
}

#[tokio::test]
async fn zstd_with_a_window_over_8_mib_is_refused() {
    // RFC 9659.
    if !Coding::Zstd.is_available() {
        return;
    }
    let with_window = |log| {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(log).unwrap();
        std::io::Write::write_all(&mut encoder, b"hello").unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(decoded("zstd", with_window(23)).await.unwrap(), "hello");
    let result = decoded("zstd", with_window(24)).await;
    assert_eq!(failure(&result).kind, DecodeErrorKind::Corrupt);
}

#[tokio::test]
async fn brotli_with_a_window_over_16_mib_is_refused() {
    // RFC 7932 §9.1 has windows of up to 16 MiB; larger ones are an extension that needs up to 1 GiB.
    let mut settings = brotli::enc::BrotliEncoderParams { lgwin: 28, large_window: true, ..Default::default() };
    let mut large = Vec::new();
    brotli::BrotliCompress(&mut &b"hello"[..], &mut large, &settings).unwrap();
    let result = decoded("br", large).await;
    assert_eq!(failure(&result).kind, DecodeErrorKind::Corrupt);

    (settings.lgwin, settings.large_window) = (24, false);
    let mut largest = Vec::new();
    brotli::BrotliCompress(&mut &b"hello"[..], &mut largest, &settings).unwrap();
    assert_eq!(decoded("br", largest).await.unwrap(), "hello");
}

#[tokio::test]
async fn an_empty_body_is_empty_under_any_coding() {
    // H-DEC-06, DEC-11.
    for coding in coded::codings() {
        for name in [coding.to_string(), format!("{coding}, gzip")] {
            assert_eq!(decoded(&name, Body::empty()).await.unwrap(), "");
            assert_eq!(decoded(&name, Body::chunks(["", ""])).await.unwrap(), "");
        }
        assert_eq!(decoded(coding.as_str(), encode(coding, b"")).await.unwrap(), "");
    }
}

/// Cuts data into pieces whose lengths repeat in the given order.
fn pieces(data: &[u8], lengths: &[usize]) -> Vec<Vec<u8>> {
    let mut left = data;
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if left.is_empty() {
            break;
        }
        let (piece, rest) = left.split_at((*length).min(left.len()));
        pieces.push(piece.to_vec());
        left = rest;
    }
    pieces
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

fn any_coding() -> impl Strategy<Value = Coding> {
    proptest::sample::select(coded::codings())
}

fn any_data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..3_000),
        (0_usize..400_000).prop_map(prose),
        (any::<u8>(), 0_usize..300_000).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_encoded_is_decoded_to_the_same_in_any_chunks(
        data in any_data(),
        codings in proptest::collection::vec(any_coding(), 1..4),
        lengths in proptest::collection::vec(prop_oneof![1_usize..9, 1_usize..40_000], 1..5),
        step in prop_oneof![Just(0_usize), 1_usize..20, Just(64 << 10)],
        pausing in any::<bool>(),
    ) {
        let mut body = data.clone();
        for coding in &codings {
            body = encode(*coding, &body);
        }
        let names: Vec<_> = codings.iter().map(|coding| coding.as_str()).collect();
        let chunks = Body::chunks(pieces(&body, &lengths));
        let chunks = if pausing { chunks.pausing() } else { chunks };
        let layer = DecompressionLayer::new().max_codings(3).decode_limit_chunk(step).decode_limit_ratio(0);
        let result = run(async { collect(coded::get(&layer, &names.join(", "), chunks).await).await });
        prop_assert_eq!(result.unwrap(), data);
    }

    #[test]
    fn random_bytes_never_panic_and_end(
        data in proptest::collection::vec(any::<u8>(), 0..400),
        coding in any_coding(),
        prefix in 0_usize..40,
        step in 0_usize..5,
    ) {
        // With a good beginning, so that decoders get past their headers.
        let mut body = encode(coding, &prose(200));
        body.truncate(prefix);
        body.extend_from_slice(&data);
        let layer = DecompressionLayer::new().decode_limit_chunk(step);
        let _ = run(async { collect(coded::get(&layer, coding.as_str(), body).await).await });
    }
}
