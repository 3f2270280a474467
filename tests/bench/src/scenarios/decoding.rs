//! Decoding 1 MiB of JSON, without a network.

use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::SocketAddr,
};

use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use httplib2_decompression::DecompressionLayer;
use tower::Layer;
use tower_http::decompression;

use super::{Contender, Scenario};
use crate::{
    BoxError,
    clients::{Coded, Decoder, Httplib2, Over, Target},
};

pub(super) const GZIP: Scenario = scenario("gzip-1m", "1 MiB of JSON in gzip, decoded and collected", gzip);
pub(super) const BROTLI: Scenario = scenario("br-1m", "1 MiB of JSON in br, decoded and collected", brotli);
pub(super) const ZSTD: Scenario = scenario("zstd-1m", "1 MiB of JSON in zstd, decoded and collected", zstd);

const fn scenario(
    name: &'static str,
    about: &'static str,
    contenders: fn(SocketAddr) -> Result<Vec<Contender>, BoxError>,
) -> Scenario {
    Scenario::in_a_row(name, about, 8, contenders)
}

fn gzip(_: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&json())?;
    contenders("gzip", encoder.finish()?, |coded, length| read(GzDecoder::new(coded), length))
}

fn brotli(_: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let mut coded = Vec::new();
    brotli::BrotliCompress(&mut &*json(), &mut coded, &brotli::enc::BrotliEncoderParams::default())?;
    contenders("br", coded, |coded, length| read(brotli::Decompressor::new(coded, 64 * 1024), length))
}

fn zstd(_: SocketAddr) -> Result<Vec<Contender>, BoxError> {
    let coded = zstd::encode_all(&*json(), 3)?;
    contenders("zstd", coded, |coded, length| read(zstd::Decoder::new(coded)?, length))
}

fn contenders(
    coding: &'static str,
    coded: Vec<u8>,
    decode: fn(&[u8], usize) -> io::Result<Vec<u8>>,
) -> Result<Vec<Contender>, BoxError> {
    let (content, target) = (json(), Target::new("http://mock.example/json".to_owned())?);
    let service = Coded { coding, content: coded.into() };
    let raw = Decoder { content: service.content.clone(), decode, length: content.len() };
    let layer = Over(DecompressionLayer::new().layer(service.clone()));
    let tower_http = Over(decompression::DecompressionLayer::new().layer(service.clone()));
    Ok(vec![
        Contender::expecting("the decoder", raw, &target, &content),
        Contender::expecting("httplib2-decompression", layer, &target, &content),
        Contender::expecting("httplib2", Httplib2::over(service)?, &target, &content),
        Contender::expecting("tower-http", tower_http, &target, &content),
    ])
}

fn read(mut decoder: impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(length);
    decoder.read_to_end(&mut content)?;
    Ok(content)
}

/// Rows as an API would list them, about four times as long as their gzip.
fn json() -> Bytes {
    let mut text = String::from("[");
    let mut random = 1_u64;
    while text.len() < 1 << 20 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (id, score) = (random >> 40, (random >> 20) % 1_000);
        let _ = write!(text, r#"{{"id":{id},"name":"user-{}","active":{},"score":0.{score}}},"#, id % 977, id % 3 == 0);
    }
    text.truncate(1 << 20);
    text.into()
}
