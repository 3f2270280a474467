//! Frames, trailers, and what a body says beforehand.

mod coded;

use std::io::Write;

use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt;
use httplib2_decompression::{Coding, DecompressionLayer};
use httplib2_testing::{Body, Size};

use coded::{encode, get, gzip, prose};

/// An encoder that gives out all that it has after each line.
enum Flushing {
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
    Deflate(flate2::write::ZlibEncoder<Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Flushing {
    fn new(coding: Coding) -> Self {
        let fast = flate2::Compression::fast();
        match coding {
            Coding::Gzip => Self::Gzip(flate2::write::GzEncoder::new(Vec::new(), fast)),
            Coding::Deflate => Self::Deflate(flate2::write::ZlibEncoder::new(Vec::new(), fast)),
            Coding::Brotli => Self::Brotli(Box::new(brotli::CompressorWriter::new(Vec::new(), 4096, 3, 20))),
            _ => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder")),
        }
    }

    fn line(&mut self, line: &str) -> Vec<u8> {
        fn flushed(encoder: &mut impl Write, line: &str) {
            encoder.write_all(line.as_bytes()).expect("a vector takes all");
            encoder.flush().expect("a vector takes all");
        }
        match self {
            Self::Gzip(encoder) => {
                flushed(encoder, line);
                std::mem::take(encoder.get_mut())
            }
            Self::Deflate(encoder) => {
                flushed(encoder, line);
                std::mem::take(encoder.get_mut())
            }
            Self::Brotli(encoder) => {
                flushed(encoder, line);
                std::mem::take(encoder.get_mut())
            }
            Self::Zstd(encoder) => {
                flushed(encoder, line);
                std::mem::take(encoder.get_mut())
            }
        }
    }
}

#[tokio::test]
async fn a_flushed_line_reaches_the_reader_although_the_next_one_never_comes() {
    for coding in coded::codings() {
        let mut encoder = Flushing::new(coding);
        let lines: Vec<_> = (0..50).map(|number| format!("data: {number}\n")).collect();
        let flushes: Vec<_> = lines.iter().map(|line| encoder.line(line)).collect();
        // Pauses between the flushes, and then nothing for ever.
        let body = Body::chunks(flushes).pausing().stalling();
        let mut response = get(&DecompressionLayer::new(), coding.as_str(), body).await;
        for line in lines {
            let frame = response.body_mut().frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), line, "{coding}");
        }
        assert!(!response.body().is_end_stream());
    }
}

#[tokio::test]
async fn frames_are_large_where_the_data_are_at_hand() {
    // Performance, point 18: 64 KiB growing to 256 KiB, whatever the size of the pieces that arrive.
    let data = prose(2 << 20);
    for coding in coded::codings() {
        let body = encode(coding, &data);
        let pieces: Vec<_> = body.chunks(1_400).map(Bytes::copy_from_slice).collect();
        let mut response = get(&DecompressionLayer::new(), coding.as_str(), Body::chunks(pieces)).await;
        let mut lengths = Vec::new();
        while let Some(frame) = response.body_mut().frame().await {
            lengths.push(frame.unwrap().into_data().unwrap().len() >> 10);
        }
        assert_eq!(lengths, [64, 128, 256, 256, 256, 256, 256, 256, 256, 64], "{coding}");
    }
}

#[tokio::test]
async fn trailers_stay() {
    for coding in ["gzip", "br, gzip"] {
        let inner = if coding == "gzip" { b"text".to_vec() } else { coded::brotli(b"text") };
        let body = Body::from(gzip(&inner)).trailers([("x-sum", "4")]);
        let collected = get(&DecompressionLayer::new(), coding, body).await.into_body().collect().await.unwrap();
        assert_eq!(collected.trailers().unwrap()["x-sum"], "4");
        assert_eq!(collected.to_bytes(), "text");
    }
}

#[tokio::test]
async fn trailers_of_a_body_that_was_cut_off_do_not_arrive() {
    let body = gzip(b"text");
    let cut = Body::from(body[..body.len() - 1].to_vec()).trailers([("x-sum", "4")]);
    assert!(coded::decoded("gzip", cut).await.is_err());
}

#[tokio::test]
async fn a_decoded_body_promises_no_length_and_no_end_before_its_end() {
    for size in [Size::Exact, Size::Unknown] {
        let body = Body::from(gzip(b"text")).announcing(size);
        let mut response = get(&DecompressionLayer::new(), "gzip", body).await;
        assert_eq!((response.body().size_hint().lower(), response.body().size_hint().upper()), (0, None));
        assert!(!response.body().is_end_stream());
        response.body_mut().frame().await.unwrap().unwrap();
        assert!(response.body_mut().frame().await.is_none());
        assert!(response.body().is_end_stream());
        assert_eq!(response.body().size_hint().exact(), Some(0));
        assert!(response.body_mut().frame().await.is_none());
    }
}

#[tokio::test]
async fn the_end_is_told_with_the_last_frame_where_the_coded_body_tells_it() {
    for coding in coded::codings() {
        let mut response = get(&DecompressionLayer::new(), coding.as_str(), encode(coding, b"text")).await;
        response.body_mut().frame().await.unwrap().unwrap();
        assert!(response.body().is_end_stream(), "{coding}");
    }
    // Not where trailers or an error are still to come.
    let with_trailers = Body::from(gzip(b"text")).trailers([("x-sum", "4")]);
    let cut = Body::from(gzip(&prose(1_000))[..100].to_vec());
    for body in [with_trailers, cut] {
        let mut response = get(&DecompressionLayer::new(), "gzip", body).await;
        response.body_mut().frame().await.unwrap().unwrap();
        assert!(!response.body().is_end_stream());
        assert!(response.body_mut().frame().await.is_some());
        assert!(response.body().is_end_stream());
    }
}

#[tokio::test]
async fn an_empty_coded_body_is_at_its_end() {
    let response = get(&DecompressionLayer::new(), "gzip", Body::empty()).await;
    assert!(response.body().is_end_stream());
    assert_eq!(response.body().size_hint().exact(), Some(0));
}

#[tokio::test]
async fn an_untouched_body_keeps_its_length() {
    let response = get(&DecompressionLayer::new(), "identity", "text").await;
    assert_eq!(response.body().size_hint().exact(), Some(4));
    assert!(!response.body().is_end_stream());
}
