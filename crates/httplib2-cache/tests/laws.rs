//! What every layer owes to its neighbours.

mod common;

use futures_util::FutureExt;
use http::Request;
use httplib2_cache::CacheMode;
use httplib2_core::context::Spawn;
use httplib2_testing::{BodyLaws, Reply, Server, ServiceLaws, body_laws, reply, request, service_laws};
use tower::ServiceExt;

use self::common::{
    GET, Site, cached,
    stores::{CALLS, Call, Fault, Faulty},
    with,
};

fn laws() -> ServiceLaws {
    ServiceLaws::new().always_ready()
}

#[test]
fn a_cache_keeps_the_laws_of_services() {
    service_laws(|server| Site::private(server).cache, laws());
    service_laws(|server| Site::shared(server).cache, laws());
}

#[test]
fn a_cache_keeps_the_laws_on_its_way_past_what_it_does_not_handle() {
    let mode = || {
        let mut request = request("GET http://a.example/laws");
        request.extensions_mut().insert(CacheMode::NoStore);
        request
    };
    service_laws(|server| Site::private(server).cache, laws().passing(mode));
    service_laws(|server| Site::private(server).cache, laws().passing(|| request("OPTIONS http://a.example/laws")));
    service_laws(|server| Site::private(server).cache, laws().passing(|| request("GET /laws")));
}

/// A cache that has a stale response, which the server says nothing of.
fn with_something_stale(server: Server) -> httplib2_cache::Cache<Server> {
    let before = Server::new().on(GET, cached("max-age=1").header("etag", "\"old\"").body("old"));
    let site = Site::private(before);
    site.get().now_or_never().expect("nothing to wait for");
    site.later(10);
    let layer = site.layer;
    tower::Layer::layer(&layer, server)
}

#[test]
fn a_cache_that_sends_twice_keeps_the_laws() {
    let laws = laws().exchange("a foreign 304", || {
        let server = Server::new()
            .on(GET, reply(304).header("etag", "\"other\""))
            .on(GET, cached("max-age=60").header("etag", "\"other\"").body("new"));
        (server, request(GET))
    });
    service_laws(with_something_stale, laws);
}

/// A cache that has the beginning of a response.
fn with_a_part(server: Server) -> httplib2_cache::Cache<Server> {
    let part = cached("max-age=60").header("etag", "\"a\"").header("content-length", "10").chunks(["01234"]);
    let site = Site::private(Server::new().on(GET, part));
    site.get().now_or_never().expect("nothing to wait for");
    tower::Layer::layer(&site.layer, server)
}

#[test]
fn a_cache_that_completes_a_part_keeps_the_laws() {
    let laws = laws().exchange("a lie", || {
        let lie = reply(206).header("etag", "\"a\"").header("content-range", "bytes 5-9/11").body("56789");
        let whole = cached("max-age=60").header("etag", "\"b\"").body("new");
        (Server::new().on(GET, lie).on(GET, whole), request(GET))
    });
    service_laws(with_a_part, laws);
}

/// The body of an answer that is stored while it is read.
fn wrapped(site: impl Fn(Server) -> Site, reply: impl Fn() -> Reply) -> impl Fn(httplib2_testing::Body) -> Wrapped {
    wrapped_for(site, reply, || request(GET))
}

fn wrapped_for(
    site: impl Fn(Server) -> Site,
    reply: impl Fn() -> Reply,
    asking: impl Fn() -> Request<httplib2_testing::Body>,
) -> impl Fn(httplib2_testing::Body) -> Wrapped {
    move |body| {
        let mut body = Some(body);
        let reply = reply();
        let server = Server::answering(move |_, _| reply.clone().body(body.take().expect("one request")));
        let response = site(server).cache.oneshot(asking());
        response.now_or_never().expect("nothing to wait for").expect("an answer").into_body()
    }
}

type Wrapped = httplib2_cache::CacheBody<httplib2_testing::Body>;

#[test]
fn bodies_that_are_not_stored_pass_untouched() {
    body_laws(wrapped(Site::private, || cached("no-store")), BodyLaws::new());
}

#[test]
fn bodies_that_are_stored_lose_nothing() {
    body_laws(wrapped(Site::private, || cached("max-age=60")), BodyLaws::new());
    // What is left over is handed to the executor; this one drops it.
    let site = |server| Site::private(server).with(|layer| layer.executor(Spawn::new(drop)));
    body_laws(wrapped(site, || cached("max-age=60")), BodyLaws::new());
}

#[test]
fn bodies_that_may_break_off_lose_nothing() {
    // Their beginning would be stored.
    let beginning = || cached("max-age=60").header("etag", "\"a\"").header("content-length", "1000000");
    body_laws(wrapped(Site::private, beginning), BodyLaws::new());
    let part = || {
        let part = reply(206).header("cache-control", "max-age=60").header("etag", "\"a\"");
        part.header("content-range", "bytes 0-999999/1000000")
    };
    let asking = || with(GET, &[("range", "bytes=0-")]);
    body_laws(wrapped_for(Site::private, part, asking), BodyLaws::new());
}

#[test]
fn bodies_lose_nothing_when_the_store_fails() {
    for call in CALLS.into_iter().filter(|call| *call != Call::LookUp) {
        for fault in [Fault::Fails, Fault::Hesitates] {
            let site = move |server| Site::on(server, Faulty::new(call, fault));
            // An empty body is stored before its head is handed on; that may take a poll.
            if (call, fault) != (Call::Commit, Fault::Hesitates) {
                body_laws(wrapped(site, || cached("max-age=60")), BodyLaws::new());
            }
        }
    }
}
