//! The facade with its own client, over loopback: runtimes, threads, TLS.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use httplib2::{ErrorKind, Http, blocking};
use httplib2_testing::loopback::Loopback;
use tokio::runtime::{Builder, Runtime};

fn path(request: &Request<Bytes>) -> Response<Full<Bytes>> {
    Response::new(Full::from(request.uri().path().to_owned()))
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_client_outlives_the_runtime_that_it_was_first_used_on() {
    let serving = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let origin = serving.block_on(async { Loopback::plain(async |request: Request<Bytes>| path(&request)) });
    let http = Http::new();
    for n in 0..3 {
        let uri = origin.url(&format!("/{n}"));
        let (_, content) = runtime().block_on(http.request(uri).into_future()).unwrap();
        assert_eq!(content, format!("/{n}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_share_one_client_and_each_gets_its_own_answer() {
    // H-MISC-07.
    let origin = Loopback::plain(async |request: Request<Bytes>| path(&request));
    let http = Http::new();
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let (http, base) = (http.clone(), origin.url(""));
            tokio::spawn(async move {
                for n in 0..25 {
                    let path = format!("/{task}/{n}");
                    let (_, content) = http.request(format!("{base}{path}")).await.unwrap();
                    assert_eq!(content, path);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(origin.requests(), 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocking_requests_in_a_row_share_one_connection() {
    let origin = Loopback::plain(async |request: Request<Bytes>| path(&request));
    let http = blocking::Http::new();
    for _ in 0..50 {
        http.request(origin.url("/")).send().unwrap();
    }
    assert_eq!(origin.connections(), 1);
}

#[cfg(feature = "tls")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_verified_and_speaks_http_2() {
    let origin = Loopback::tls(async |request: Request<Bytes>| path(&request));
    let http = Http::builder().ca_certs(origin.ca_pem()).build().unwrap();
    let (response, content) = http.request(origin.url("/x")).await.unwrap();
    assert_eq!((response.version(), &*content), (20, &b"/x"[..]));
    let stranger = Http::builder().deadline(Duration::from_secs(10)).build().unwrap();
    assert_eq!(stranger.request(origin.url("/x")).await.unwrap_err().kind(), ErrorKind::Tls);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_unreachable() {
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = Http::new().request(format!("http://{refused}/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    // H-CONN-08.
    let resolver = httplib2::connect::Resolver::new(async |_| Err("there is no such name".into()));
    let http = Http::builder().connect(|connect| connect.resolver(resolver)).build().unwrap();
    let error = http.request("http://nowhere.example/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerNotFound);
    assert_eq!(error.to_string(), "unable to find the server at nowhere.example");
}
