//! What every layer owes to its neighbours.

mod common;

use futures_util::FutureExt;
use httplib2_cache::CacheMode;
use httplib2_core::context::Spawn;
use httplib2_testing::{BodyLaws, Reply, Server, ServiceLaws, body_laws, reply, request, service_laws};
use tower::ServiceExt;

use self::common::{
    GET, Site, cached,
    stores::{CALLS, Call, Fault, Faulty},
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

/// The body of an answer that is stored while it is read.
fn wrapped(site: impl Fn(Server) -> Site, reply: impl Fn() -> Reply) -> impl Fn(httplib2_testing::Body) -> Wrapped {
    move |body| {
        let mut body = Some(body);
        let reply = reply();
        let server = Server::answering(move |_, _| reply.clone().body(body.take().expect("one request")));
        let response = site(server).cache.oneshot(request(GET));
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
