//! The decoders, through the layer: whatever bytes in whatever pieces under whatever codings never panic, never
//! pass a limit, and end.
#![no_main]

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, header::CONTENT_ENCODING};
use http_body_util::{BodyExt, Empty, StreamBody};
use httplib2_decompression::DecompressionLayer;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Builder;
use tower::{Layer, ServiceExt, service_fn};

const LIMIT: u64 = 1 << 20;
const CODINGS: [&str; 8] =
    ["gzip", "deflate", "br", "zstd", "gzip, gzip", "deflate, br", "zstd, gzip", "identity, x-gzip"];

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (coding, size, data) = input;
    let coding = CODINGS[usize::from(coding) % CODINGS.len()];
    let pieces: Vec<_> = data.chunks(usize::from(size).max(1)).map(Bytes::copy_from_slice).collect();
    let server = service_fn(move |_: Request<Empty<Bytes>>| {
        let frames = pieces.clone().into_iter().map(|piece| Ok::<_, Infallible>(http_body::Frame::data(piece)));
        let body = StreamBody::new(futures_util::stream::iter(frames));
        let response = Response::builder().header(CONTENT_ENCODING, coding).body(body).expect("a response");
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let client = DecompressionLayer::new().decode_limit_hard(LIMIT).layer(server);
    let request = Request::get("http://a.example/").body(Empty::new()).expect("a request");
    Builder::new_current_thread().build().expect("a runtime").block_on(async {
        let response = client.oneshot(request).await.expect("an answer");
        let mut body = std::pin::pin!(response.into_body());
        let mut length = 0;
        while let Some(Ok(frame)) = body.frame().await {
            length += frame.data_ref().map_or(0, Bytes::len) as u64;
            assert!(length <= LIMIT, "{length} bytes came out of {}", data.len());
        }
        assert!(body.frame().await.is_none(), "something came behind the end");
    });
});
