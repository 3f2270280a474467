//! Encoders, and a server that answers with what they make.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "these are tests too")]

use std::io::Write;

use bytes::Bytes;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use http::Response;
use httplib2_core::error::{BoxError, cause_ref};
use httplib2_decompression::{Coding, DecodeError, DecodedBody, DecompressionLayer};
use httplib2_testing::{Body, Server, reply, request};
use tower::{Layer, ServiceExt};

pub(crate) type Answer = Response<DecodedBody<Body>>;

/// All codings that this build can decode.
pub(crate) fn codings() -> Vec<Coding> {
    let all = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];
    all.into_iter().filter(|coding| coding.is_available()).collect()
}

pub(crate) fn encode(coding: Coding, data: &[u8]) -> Vec<u8> {
    match coding {
        Coding::Gzip => gzip(data),
        Coding::Deflate => zlib(data),
        Coding::Brotli => brotli(data),
        Coding::Zstd => zstd(data),
        _ => unreachable!("there is an encoder for every coding"),
    }
}

pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn raw_deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn brotli(data: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    encoder.write_all(data).unwrap();
    encoder.into_inner()
}

pub(crate) fn zstd(data: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Text that compresses as texts do: not the same word again and again.
pub(crate) fn prose(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut text = Vec::with_capacity(length + 16);
    while text.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let words: [&[u8]; 8] = [b"the ", b"quick ", b"brown ", b"fox ", b"jumps ", b"over ", b"lazy ", b"dogs\n"];
        text.extend_from_slice(words[(state >> 29) as usize]);
        text.push(b'a' + (state >> 24) as u8 % 26);
    }
    text.truncate(length);
    text
}

/// What comes through the layer when a server answers with this coding and body.
pub(crate) async fn get(layer: &DecompressionLayer, coding: &str, body: impl Into<Body>) -> Answer {
    let server =
        Server::new().on("GET http://a.example/", reply(200).header("content-encoding", coding).body(body.into()));
    layer.layer(server).oneshot(request("GET http://a.example/")).await.unwrap()
}

/// The whole body that comes through a layer with the default settings.
pub(crate) async fn decoded(coding: &str, body: impl Into<Body>) -> Result<Bytes, BoxError> {
    collect(get(&DecompressionLayer::new(), coding, body).await).await
}

pub(crate) async fn collect(answer: Answer) -> Result<Bytes, BoxError> {
    use http_body_util::BodyExt;
    Ok(answer.into_body().collect().await?.to_bytes())
}

/// The typed cause of a failure.
pub(crate) fn failure<T: std::fmt::Debug>(result: &Result<T, BoxError>) -> &DecodeError {
    cause_ref(&**result.as_ref().unwrap_err()).expect("the failure is one of decoding")
}
