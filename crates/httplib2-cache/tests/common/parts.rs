//! A text in ten bytes, of which a server gives parts.

use http::{Request, header};
use httplib2_cache::CacheMode;
use httplib2_core::error::BoxError;
use httplib2_testing::{Body, Reply, Server, reply, request};

use super::{GET, Got, Site, cached, with};

pub(crate) const TEXT: &str = "0123456789";

/// A 206 of the text in version `"a"`.
pub(crate) fn part(from: usize, to: usize) -> Reply {
    part_of("\"a\"", TEXT, from, to)
}

pub(crate) fn part_of(tag: &str, text: &'static str, from: usize, to: usize) -> Reply {
    let content_range = format!("bytes {from}-{}/{}", to - 1, text.len());
    bare(content_range.as_str(), &text[from..to]).header("etag", tag)
}

pub(crate) fn bare(content_range: &str, text: &'static str) -> Reply {
    reply(206).header("cache-control", "max-age=60").header("content-range", content_range).body(text)
}

pub(crate) fn whole() -> Reply {
    cached("max-age=60").header("etag", "\"a\"").header("content-length", "10").body(TEXT)
}

/// What there is of a 200 that breaks off after so many bytes.
pub(crate) fn broken(bytes: usize) -> Reply {
    cached("max-age=60").header("etag", "\"a\"").header("content-length", "10").chunks([&TEXT[..bytes]]).breaking()
}

pub(crate) fn range(value: &'static str) -> Request<Body> {
    with(GET, &[("range", value)])
}

pub(crate) fn site<const N: usize>(replies: [Reply; N]) -> Site {
    Site::private(script(replies))
}

pub(crate) fn script<const N: usize>(replies: [Reply; N]) -> Server {
    replies.into_iter().fold(Server::new(), |server, reply| server.on(GET, reply))
}

/// The `Range` and `If-Range` that the origin saw last.
pub(crate) fn asked(site: &Site) -> (String, String) {
    let last = site.server.requests().pop().expect("a request");
    let field = |name| last.headers().get(name).map_or("", |value| value.to_str().expect("text")).to_owned();
    (field("range"), field("if-range"))
}

pub(crate) async fn download(site: &Site) -> Result<Got, BoxError> {
    site.try_send(request(GET)).await
}

/// Asserts that it is this part.
#[track_caller]
pub(crate) fn is_part(got: &Got, content_range: &str, text: &str) {
    assert_eq!((got.status.as_u16(), got.text()), (206, text), "{}", got.why());
    assert_eq!(got.headers[header::CONTENT_RANGE], content_range);
}

/// Asserts that it is the whole text.
#[track_caller]
pub(crate) fn is_whole(got: &Got) {
    assert_eq!((got.status.as_u16(), got.text()), (200, TEXT), "{}", got.why());
    assert!(!got.headers.contains_key(header::CONTENT_RANGE));
}

pub(crate) fn offline(value: Option<&'static str>) -> Request<Body> {
    let mut request = value.map_or_else(|| request(GET), range);
    request.extensions_mut().insert(CacheMode::Offline);
    request
}
