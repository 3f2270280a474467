//! Bodies that are cut off, damaged, or longer than their coding.

mod coded;

use bytes::Bytes;
use http_body_util::BodyExt;
use httplib2_core::{context::Journal, error::is_caused_by};
use httplib2_decompression::{Coding, DecodeError, DecodeErrorKind, DecompressionLayer};
use httplib2_testing::{Body, Broken, Server, reply, request};
use proptest::prelude::*;
use tower::{Layer, ServiceExt};

use coded::{brotli, decoded, encode, failure, gzip, prose, raw_deflate, zlib, zstd};

/// A body in each format that there is.
fn formats(data: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut formats =
        vec![("gzip", gzip(data)), ("deflate", zlib(data)), ("deflate", raw_deflate(data)), ("br", brotli(data))];
    if Coding::Zstd.is_available() {
        formats.push(("zstd", zstd(data)));
    }
    formats
}

#[tokio::test]
async fn a_body_that_is_cut_anywhere_is_an_error_and_never_a_short_body() {
    // H-DEC-07, DEC-06. Cut to nothing it is an empty body, under any coding (H-DEC-06).
    for (coding, body) in formats(&prose(400)) {
        for length in 1..body.len() {
            let result = decoded(coding, body[..length].to_vec()).await;
            assert_eq!(failure(&result).kind, DecodeErrorKind::Truncated, "{coding} cut to {length}");
        }
    }
}

#[tokio::test]
async fn a_cut_between_two_members_or_frames_cannot_be_seen() {
    // The only places: there the body is a whole one.
    let mut joined = vec![("gzip", gzip(b"one"))];
    if Coding::Zstd.is_available() {
        joined.push(("zstd", zstd(b"one")));
    }
    for (coding, first) in joined {
        let whole = [&first[..], &first].concat();
        for length in 1..whole.len() {
            let result = decoded(coding, whole[..length].to_vec()).await;
            // The first byte of a further gzip member is not yet one.
            let is_whole = length == first.len() || (coding == "gzip" && length == first.len() + 1);
            assert_eq!(result.is_ok(), is_whole, "{coding} cut to {length}");
        }
    }
}

#[tokio::test]
async fn a_wrong_checksum_or_length_is_an_error() {
    // H-DEC-09, DEC-05.
    let data = prose(1_000);
    let mut checked = vec![("gzip", gzip(&data), 8), ("deflate", zlib(&data), 4)];
    if Coding::Zstd.is_available() {
        checked.push(("zstd", zstd(&data), 4));
    }
    for (coding, body, trailer) in checked {
        for from_end in 1..=trailer {
            let mut damaged = body.clone();
            let at = damaged.len() - from_end;
            damaged[at] ^= 1;
            let result = decoded(coding, damaged).await;
            assert_eq!(failure(&result).kind, DecodeErrorKind::Corrupt, "{coding}, {from_end} from the end");
        }
    }
}

#[tokio::test]
async fn zeros_after_the_last_member_of_gzip_are_padding() {
    let padded = [gzip(b"hello"), vec![0; 512]].concat();
    assert_eq!(decoded("gzip", padded.clone()).await.unwrap(), "hello");
    let between = [padded.clone(), padded].concat();
    assert_eq!(decoded("gzip", between).await.unwrap(), "hellohello");
}

#[tokio::test]
async fn junk_after_data_with_a_checksum_is_passed_over_and_told() {
    // H-DEC-08, DEC-08.
    for (coding, body) in [("gzip", gzip(b"hello")), ("deflate", zlib(b"hello"))] {
        for junk in [&b"rubbish rubbish rubb"[..], b"\x1f", b"\x1frubbish"] {
            let journal = Journal::default();
            let junked = Body::chunks([body.clone(), junk.to_vec()]).trailers([("x-end", "1")]);
            let server =
                Server::new().on("GET http://a.example/", reply(200).header("content-encoding", coding).body(junked));
            let mut explained = request("GET http://a.example/");
            explained.extensions_mut().insert(journal.clone());
            let response = DecompressionLayer::new().layer(server).oneshot(explained).await.unwrap();
            let collected = response.into_body().collect().await.unwrap();
            assert_eq!(collected.trailers().unwrap()["x-end"], "1");
            assert_eq!(collected.to_bytes(), "hello");
            assert_eq!(
                journal.lines()[1].text,
                format!("{} bytes after the end of the coded data were passed over", junk.len())
            );
        }
    }
}

#[tokio::test]
async fn junk_after_data_without_a_checksum_is_an_error() {
    let kinds = [
        ("deflate", raw_deflate(b"hello"), DecodeErrorKind::TrailingData),
        ("br", brotli(b"hello"), DecodeErrorKind::TrailingData),
        // What follows a frame can only be a frame.
        ("zstd", zstd(b"hello"), DecodeErrorKind::Corrupt),
    ];
    for (coding, body, expected) in kinds {
        if coding == "zstd" && !Coding::Zstd.is_available() {
            continue;
        }
        for junk in ["rubbish", "\0\0\0\0\0\0\0"] {
            for junked in [Body::chunks([body.clone(), junk.into()]), [&body[..], junk.as_bytes()].concat().into()] {
                let result = decoded(coding, junked).await;
                assert_eq!(failure(&result).kind, expected, "{coding}");
            }
        }
    }
}

#[tokio::test]
async fn junk_without_end_is_an_error() {
    for filling in [0, b'x'] {
        let endless = vec![vec![filling; 1_000]; 100];
        let body = Body::chunks([vec![gzip(b"hello")], endless].concat());
        let result = decoded("gzip", body).await;
        assert_eq!(failure(&result).kind, DecodeErrorKind::TrailingData);
    }
}

#[tokio::test]
async fn what_was_decoded_before_the_damage_is_handed_on_first() {
    let good = prose(100_000);
    let mut body = gzip(&good);
    let last = body.len() - 1;
    body[last] ^= 1;
    let mut response = coded::get(&DecompressionLayer::new(), "gzip", body).await;
    let mut read = Vec::new();
    let error = loop {
        match response.body_mut().frame().await.expect("an error comes before the end") {
            Ok(frame) => read.extend_from_slice(&frame.into_data().unwrap()),
            Err(error) => break error,
        }
    };
    assert_eq!(read, good);
    let error = error.downcast::<DecodeError>().unwrap();
    assert_eq!((error.kind, error.coding, error.decoded), (DecodeErrorKind::Corrupt, Coding::Gzip, 100_000));
    assert!(std::error::Error::source(&*error).is_some());
    // Nothing comes after it.
    assert!(response.body_mut().frame().await.is_none());
}

#[tokio::test]
async fn an_error_of_the_inner_body_passes_through_unwrapped() {
    let body = gzip(&prose(1_000));
    let broken = Body::from(body[..body.len() / 2].to_vec()).breaking();
    let mut response = coded::get(&DecompressionLayer::new(), "gzip", broken).await;
    assert!(response.body_mut().frame().await.unwrap().unwrap().is_data());
    let error = response.body_mut().frame().await.unwrap().unwrap_err();
    assert!(error.is::<Broken>());
    assert!(!is_caused_by::<DecodeError>(&*error));
    assert!(response.body_mut().frame().await.is_none());
}

#[tokio::test]
async fn a_failure_of_an_inner_coding_names_it() {
    let result = decoded("br, gzip", gzip(b"\xff\xff\xff")).await;
    let failure = failure(&result);
    assert_eq!((failure.kind, failure.coding), (DecodeErrorKind::Corrupt, Coding::Brotli));
    assert_eq!(failure.to_string(), "the br body is corrupt (after 23 bytes, decoded to 0)");
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cut_is_seen_whatever_the_data_the_chunks_and_the_stack(
        data in prop_oneof![proptest::collection::vec(any::<u8>(), 0..2_000), (0_usize..300_000).prop_map(prose)],
        codings in proptest::collection::vec(proptest::sample::select(coded::codings()), 1..3),
        at in any::<proptest::sample::Index>(),
        chunk in 1_usize..5_000,
    ) {
        let body = codings.iter().fold(data, |body, coding| encode(*coding, &body));
        // Nothing at all may be one byte of brotli, of which no cut is left but the empty body.
        prop_assume!(body.len() > 1);
        let cut = &body[..at.index(body.len() - 1) + 1];
        let names: Vec<_> = codings.iter().map(|coding| coding.as_str()).collect();
        let chunks = Body::chunks(cut.chunks(chunk).map(Bytes::copy_from_slice));
        let result = run(decoded(&names.join(", "), chunks));
        prop_assert_eq!(failure(&result).kind, DecodeErrorKind::Truncated);
    }
}
