//! How many allocations the facade adds to a call: as many as are written here, and not one more.
//!
//! A server that answers at once is called bare and through the facade. What the facade's calls allocate more is its
//! own: nothing of the network, nothing of the server.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use bytes::Bytes;
use dhat::{HeapStats, Profiler};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use httplib2::{Body, Http};
use tokio::runtime::Builder;
use tower::{Service, service_fn};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Allocations of `http.request(uri).await` beyond those of one call of the server: the URI, the header fields that
/// are added and the copy of them that retry would need, what lost-update would remember of them, the boxes around
/// futures and body.
const ONE_REQUEST: u64 = 14;

/// The same for a chain of three redirects, beyond four calls of the server: each hop resolves a URI, keeps a request
/// in case it must be sent once more, and keeps the response that it gives up.
const THREE_REDIRECTS: u64 = 58;

const CALLS: u64 = 16;
const ROUNDS: usize = 16;

// The only test of this file: another one would run at the same time, and be counted too.
#[test]
fn a_call_allocates_as_often_as_is_written_here() {
    let _profiler = Profiler::builder().testing().build();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let http = Http::builder().build_over(service_fn(answer)).unwrap();
    let counted = |paths: &[&str]| {
        let uris: Vec<Uri> = paths.iter().map(|path| format!("http://mock.example{path}").parse().unwrap()).collect();
        let first = uris[0].to_string();
        let bare = runtime.block_on(each(async || {
            for uri in &uris {
                call(uri).await;
            }
        }));
        let facade = runtime.block_on(each(async || {
            let (response, content) = http.request(&first).await.unwrap();
            assert_eq!((response.history().count(), content), (uris.len() - 1, CONTENT));
        }));
        facade - bare
    };
    let found = (counted(&["/"]), counted(&["/3", "/2", "/1", "/"]));
    let written = (ONE_REQUEST, THREE_REDIRECTS);
    assert_eq!(found, written, "if there are fewer allocations now, write that down");
}

const CONTENT: Bytes = Bytes::from_static(b"Hello");

/// Redirects from `/3` to `/2` to `/1` to `/`.
fn answer(request: Request<Body>) -> Ready<Result<Response<Full<Bytes>>, Infallible>> {
    let location = match request.uri().path() {
        "/3" => "/2",
        "/2" => "/1",
        "/1" => "/",
        _ => return ready(Ok(response(StatusCode::OK, header::CONTENT_TYPE, "text/plain", CONTENT))),
    };
    ready(Ok(response(StatusCode::FOUND, header::LOCATION, location, Bytes::new())))
}

fn response(status: StatusCode, name: HeaderName, value: &'static str, content: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(content));
    *response.status_mut() = status;
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

/// Calls the server with nothing in between.
async fn call(uri: &Uri) {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri.clone();
    let mut response = service_fn(answer).call(request).await.unwrap();
    while let Some(frame) = response.body_mut().frame().await {
        frame.unwrap();
    }
}

/// How often one of many equal calls allocates.
///
/// The first ones may still fill what is kept. Of the rounds after, the least counts: the thread that runs the tests
/// may allocate as well.
async fn each(call: impl AsyncFn()) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..ROUNDS {
        let before = HeapStats::get().total_blocks;
        for _ in 0..CALLS {
            call().await;
        }
        least = least.min(HeapStats::get().total_blocks - before);
    }
    assert_eq!(least % CALLS, 0, "not every call allocates as often as the others");
    least / CALLS
}
