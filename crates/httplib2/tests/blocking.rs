//! The client without async.

use std::{io::Read, thread};

use httplib2::{Body, ErrorKind, Http, blocking};
use httplib2_testing::{Server, reply};

fn over(server: Server) -> blocking::Http {
    Http::builder().build_over(server).expect("a client").into()
}

fn server() -> Server {
    Server::answering(|_, _| reply(200).chunks(["one", "two", "three"]))
}

#[test]
fn a_request_is_sent_and_its_content_collected() {
    let server = server();
    let (response, content) = over(server.clone())
        .request("http://a.example/")
        .method("PUT")
        .body(Body::reader(&b"text"[..]))
        .send()
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(content, "onetwothree");
    assert_eq!(server.requests()[0].body(), "text");
}

#[test]
fn a_streamed_body_is_read_like_any_reader() {
    let (_, mut body) = over(server()).request("http://a.example/").stream().unwrap();
    let mut first = [0; 4];
    body.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"onet");
    assert_eq!(body.chunk().unwrap().unwrap(), "wo");
    let mut rest = String::new();
    body.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "three");
    assert_eq!(body.chunk().unwrap(), None);
}

#[test]
fn the_client_may_go_before_the_body_is_read() {
    let (_, mut body) = over(server()).request("http://a.example/").stream().unwrap();
    let mut text = String::new();
    body.read_to_string(&mut text).unwrap();
    assert_eq!(text, "onetwothree");
}

#[test]
fn a_body_that_breaks_off_is_an_io_error_with_the_typed_one_inside() {
    let broken = Server::answering(|_, _| reply(200).chunks(["half"]).breaking());
    let (_, mut body) = over(broken).request("http://a.example/").stream().unwrap();
    let error = body.read_to_end(&mut Vec::new()).unwrap_err();
    let typed = error.get_ref().unwrap().downcast_ref::<httplib2::Error>().unwrap();
    assert_eq!(typed.uri().unwrap(), "http://a.example/");
}

#[test]
fn errors_are_the_same_as_without_blocking() {
    let http = over(server());
    assert_eq!(http.request("relative").send().unwrap_err().kind(), ErrorKind::RelativeUri);
    let looping = over(Server::answering(|_, _| reply(302).header("location", "/")));
    assert_eq!(looping.request("http://a.example/").send().unwrap_err().kind(), ErrorKind::RedirectLimit);
    assert!(looping.request("http://a.example/").stream().is_err());
}

#[tokio::test]
async fn it_works_inside_of_a_runtime_too() {
    let http = over(server());
    assert_eq!(http.request("http://a.example/").send().unwrap().1, "onetwothree");
    let (_, mut body) = http.request("http://a.example/").stream().unwrap();
    assert_eq!(body.chunk().unwrap().unwrap(), "one");
}

#[test]
fn one_client_serves_many_threads() {
    // H-MISC-07.
    let http = over(Server::answering(|received, _| reply(200).body(received.uri().path().to_owned())));
    thread::scope(|scope| {
        for thread in 0..8 {
            let http = http.clone();
            scope.spawn(move || {
                for n in 0..50 {
                    let path = format!("/{thread}/{n}");
                    let (_, content) = http.request(format!("http://a.example{path}")).send().unwrap();
                    assert_eq!(content, path);
                }
            });
        }
    });
}

#[test]
fn a_request_that_panics_in_the_background_is_an_error_and_the_next_one_works() {
    let http = over(Server::answering(|_, n| if n == 0 { panic!("the server's own fault") } else { reply(200) }));
    assert_eq!(http.request("http://a.example/").send().unwrap_err().kind(), ErrorKind::Other);
    // What the panicking program held is poisoned or not; the thread and its runtime go on.
    assert!(over(server()).request("http://a.example/").send().is_ok());
}

#[test]
fn a_body_whose_delivery_dies_is_an_error_and_not_an_end() {
    struct Dies(bool);
    impl http_body::Body for Dies {
        type Data = bytes::Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
            assert!(!self.0, "the body's own fault");
            self.0 = true;
            std::task::Poll::Ready(Some(Ok(http_body::Frame::data(bytes::Bytes::from_static(b"half")))))
        }
    }
    let server = tower::service_fn(async |_: http::Request<Body>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(Dies(false)))
    });
    let http = blocking::Http::from(Http::builder().build_over(server).unwrap());
    let (_, mut body) = http.request("http://a.example/").stream().unwrap();
    assert!(body.read_to_string(&mut String::new()).is_err());
}

#[test]
fn a_request_from_within_its_own_thread_is_an_error_and_does_not_hang() {
    let http = over(server());
    let inner = http.clone();
    let (said, hears) = std::sync::mpsc::channel();
    let body = Body::chunks(std::iter::once_with(move || {
        said.send(inner.request("http://a.example/").send().map(|_| ()).map_err(|error| error.kind())).unwrap();
        "text"
    }));
    http.request("http://a.example/").method("PUT").body(body).send().unwrap();
    assert_eq!(hears.recv().unwrap(), Err(ErrorKind::Other));
}
