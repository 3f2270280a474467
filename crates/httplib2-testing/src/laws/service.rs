//! The laws of a layer.

mod passing;
mod readiness;

use std::fmt;

use http::{HeaderValue, Request};
use httplib2_core::send::HttpService;

use super::{Mark, in_paused_time};
use crate::{Body, Server, reply, request};

/// What [`service_laws`] is told of a layer.
pub struct ServiceLaws {
    passing: Box<dyn Fn() -> Request<Body>>,
    exchanges: Vec<Exchange>,
    always_ready: bool,
}

/// An exchange that sends several times.
struct Exchange {
    name: String,
    make: Make<'static>,
}

type Make<'a> = Box<dyn Fn() -> (Server, Request<Body>) + 'a>;

/// Checks what every layer owes to the service that it wraps and to the one that wraps it.
///
/// `wrap` puts the layer over a server. The laws, by the names that a panic says:
///
/// | law | what is checked |
/// |---|---|
/// | the service that was polled ready is the one called | behind a limit of one permit nothing hangs |
/// | an unready service is never called | neither a clone nor the same one twice |
/// | a dropped future gives back its permits | dropped after each number of polls, until it completes |
/// | the layer is ready when the inner service is | its `Pending` is forwarded, and readiness wakes who waits |
/// | the layer is always ready | instead of the one before: [`ServiceLaws::always_ready`] |
/// | request extensions reach the server | on every send |
/// | response extensions reach the caller | |
/// | methods and fields pass as they are | unknown methods, several values, bytes that are not ASCII |
/// | request data and trailers reach the server | in order and complete |
/// | response data and trailers reach the caller | in order and complete |
/// | inner errors pass with their type | of `poll_ready` and of the future |
/// | body errors pass with their type | of requests and of responses |
/// | clones work independently | readied and called in any order, also without the original |
///
/// It runs in a runtime of its own with paused time, so it is called in a plain `#[test]`.
///
/// ```
/// use httplib2_testing::{ServiceLaws, service_laws};
/// use tower::{Layer, util::MapRequestLayer};
///
/// let layer = MapRequestLayer::new(|mut request: http::Request<httplib2_testing::Body>| {
///     request.headers_mut().insert("x-added", http::HeaderValue::from_static("1"));
///     request
/// });
/// service_laws(|server| layer.layer(server), ServiceLaws::new());
/// ```
///
/// # Panics
///
/// When a law is broken, with its name.
pub fn service_laws<S>(wrap: impl Fn(Server) -> S, laws: ServiceLaws)
where
    S: HttpService<Body>,
{
    in_paused_time(async {
        readiness::check(&wrap, &laws).await;
        passing::check(&wrap, &laws).await;
    });
}

// === impl ServiceLaws ===

impl Default for ServiceLaws {
    fn default() -> Self {
        Self { passing: Box::new(|| request("POST http://a.example/laws")), exchanges: Vec::new(), always_ready: false }
    }
}

impl ServiceLaws {
    /// For a layer that is ready when the inner service is, and that lets `POST http://a.example/laws` and its
    /// answer, a 200, pass.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the request that the layer lets pass untouched, once and with its answer, a 200. The laws add
    /// to its fields and extensions and replace its body.
    #[must_use]
    pub fn passing(mut self, make: impl Fn() -> Request<Body> + 'static) -> Self {
        self.passing = Box::new(make);
        self
    }

    /// Adds an exchange in which the layer sends several times: a script and the request that sets it off.
    ///
    /// ```
    /// use httplib2_testing::{Server, ServiceLaws, reply, request};
    ///
    /// let laws = ServiceLaws::new().exchange("a redirect", || {
    ///     let server = Server::new()
    ///         .on("GET http://a.example/old", reply(302).header("location", "/new"))
    ///         .on("GET http://a.example/new", reply(200));
    ///     (server, request("GET http://a.example/old"))
    /// });
    /// ```
    #[must_use]
    pub fn exchange(mut self, name: &str, make: impl Fn() -> (Server, Request<Body>) + 'static) -> Self {
        self.exchanges.push(Exchange { name: name.to_owned(), make: Box::new(make) });
        self
    }

    /// For a layer that is ready at once and readies the inner service in its future, such as a cache, whose
    /// hits must not wait for a permit.
    #[must_use]
    pub fn always_ready(mut self) -> Self {
        self.always_ready = true;
        self
    }

    /// A server that answers everything, and the request that the layer lets pass, both with everything that
    /// must not get lost.
    fn passing_exchange(&self) -> (Server, Request<Body>) {
        let server = Server::answering(|_, _| {
            reply(200)
                .header("x-law", "one")
                .header("x-law", HeaderValue::from_bytes(b"tw\xf6").expect("bytes above ASCII are allowed"))
                .extension(Mark("response"))
                .chunks(["data ", "of the ", "response"])
                .trailers([("x-law", "trailer of the response")])
        });
        let (mut head, _) = (self.passing)().into_parts();
        head.headers.append("x-law", HeaderValue::from_static("one"));
        head.headers.append("x-law", HeaderValue::from_bytes(b"tw\xf6").expect("bytes above ASCII are allowed"));
        head.extensions.insert(Mark("request"));
        let body = Body::chunks(["data ", "of the ", "request"]).trailers([("x-law", "trailer of the request")]);
        (server, Request::from_parts(head, body))
    }

    /// The exchange that passes and those that send several times, each with its name.
    fn all_exchanges(&self) -> Vec<(&str, Make<'_>)> {
        let passing: Make<'_> = Box::new(|| self.passing_exchange());
        let several =
            self.exchanges.iter().map(|exchange| (exchange.name.as_str(), Box::new(&exchange.make) as Make<'_>));
        [("the request that passes", passing)].into_iter().chain(several).collect()
    }
}

impl fmt::Debug for ServiceLaws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exchanges: Vec<_> = self.exchanges.iter().map(|exchange| &exchange.name).collect();
        f.debug_struct("ServiceLaws")
            .field("passing", &(self.passing)())
            .field("exchanges", &exchanges)
            .field("always_ready", &self.always_ready)
            .finish()
    }
}
