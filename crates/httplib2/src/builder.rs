//! The settings of a client.

use std::{fs, net::IpAddr, path::Path, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use httplib2_auth::{AuthLayer, Basic, Bearer, Credentials};
use httplib2_auth_digest::Digest;
use httplib2_auth_wsse::Wsse;
use httplib2_cache::CacheLayer;
use httplib2_connect::{Client, ClientBuilder};
use httplib2_core::{error::BoxError, send::HttpService};
use httplib2_decompression::DecompressionLayer;
use httplib2_lost_update::{LostUpdateLayer, MergeHook};
use httplib2_redirect::{Always, Downgrade, Follow, RedirectLayer, RedirectPolicy};
use httplib2_retry::{Failure, RetryLayer, RetryStatuses};
use httplib2_store::Place;

use crate::{
    Body, Compat, Error, ErrorKind, Http, blocking,
    caching::Caching,
    client::Defaults,
    deadline::Deadline,
    stack::{Layers, failure, is_disconnected, secrets, stack},
};

/// The settings of a client, asynchronous or blocking; made by [`Http::builder`].
///
/// | setting | default |
/// |---|---|
/// | [`timeout`](Self::timeout) of each wait | 60 seconds |
/// | [`connect_timeout`](Self::connect_timeout) | 30 seconds |
/// | [`deadline`](Self::deadline) of the whole call | none |
/// | [`max_body`](Self::max_body) of collected content | 1 GiB |
/// | [`follow`](Self::follow) redirects | those of safe methods, 303 and 308 |
/// | [`max_redirects`](Self::max_redirects) | 5 |
/// | [`decode_limit_hard`](Self::decode_limit_hard), `_safe`, `_ratio`, `_chunk` | 1 GiB, 10 MiB, 100, 64 KiB |
/// | [`tries`](Self::tries) when the connection fails | 2 |
/// | [`retry_statuses`](Self::retry_statuses) | none |
/// | [`cache`](Self::cache) | none |
/// | [`optimistic_concurrency_methods`](Self::optimistic_concurrency_methods) | PUT and PATCH |
/// | [`merge`](Self::merge) of lost updates | none: a 412 goes to the caller |
/// | [`credentials`](Self::credentials) | none |
/// | schemes of authentication | Digest, WSSE, Bearer, Basic, the strongest first |
/// | [`user_agent`](Self::user_agent) | `httplib2-rust/` and the version |
/// | trusted certificates | those of the platform |
/// | [`http2`](Self::http2) | yes, where TLS negotiates it |
#[derive(Clone, Debug)]
#[must_use = "settings do nothing until a client is built"]
pub struct HttpBuilder<P = Always> {
    connect: ClientBuilder,
    layers: Layers<P>,
    credentials: Credentials,
    defaults: Defaults,
    caching: Caching,
    compat: Compat,
    /// The first thing that is wrong.
    wrong: Option<Wrong>,
}

#[derive(Clone, Debug)]
struct Wrong(Arc<str>);

/// How often a request is tried if it fails at the connection, unless the client or the request says otherwise.
///
/// A connection that turns out to be dead when it is used again costs no try.
pub const RETRIES: u32 = 2;

/// Content that is collected in memory is bounded, however long the server says it is.
const MAX_BODY: u64 = 1 << 30;

const USER_AGENT: &str = concat!("httplib2-rust/", env!("CARGO_PKG_VERSION"));

/// A server that never answers must not hang a program for ever.
const TIMEOUT: Duration = Duration::from_secs(60);

// === impl HttpBuilder ===

impl Default for HttpBuilder {
    fn default() -> Self {
        Self {
            connect: Client::builder().io_timeout(Some(TIMEOUT)),
            layers: Layers {
                redirect: RedirectLayer::new(),
                // A client is one editor: who reads without credentials and writes with them has seen what he read.
                lost_update: LostUpdateLayer::new().credentials_separate_editors(false).merge(None),
                decompression: DecompressionLayer::new(),
                cache: None,
                retry: RetryLayer::new().tries(RETRIES).classify(failure),
                // Who gives this client a password for an http URI wants it to be sent there, as httplib2 did.
                auth: AuthLayer::new(Credentials::new())
                    .scheme(Digest::new())
                    .scheme(Wsse::new())
                    .scheme(Bearer)
                    .scheme(Basic)
                    .secrets_over_http(true),
                sensitive: Vec::new(),
                user_agent: Some(HeaderValue::from_static(USER_AGENT)),
            },
            credentials: Credentials::new(),
            defaults: Defaults {
                headers: HeaderMap::new(),
                deadline: None,
                max_body: MAX_BODY,
                sensitive: secrets(&[]),
            },
            caching: Caching::default(),
            compat: Compat::default(),
            wrong: None,
        }
    }
}

impl HttpBuilder {
    /// A client with the default settings.
    pub(crate) fn build_default() -> Http {
        Self::default().build().expect("the default settings are right")
    }
}

impl<P: RedirectPolicy> HttpBuilder<P> {
    /// How long each wait may take: getting connected, and each wait for the other side while the request is
    /// sent and the response is read. A server that sends a byte now and then never exceeds it; see
    /// [`deadline`](Self::deadline).
    pub fn timeout(self, timeout: Duration) -> Self {
        self.connect(|connect| connect.io_timeout(Some(timeout)))
    }

    /// Lets each wait take as long as it likes.
    pub fn no_timeout(self) -> Self {
        self.connect(|connect| connect.io_timeout(None))
    }

    /// How long getting connected may take: resolving, TCP and TLS together.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.connect(|connect| connect.connect_timeout(Some(timeout)))
    }

    /// How long a whole call may take, redirects and content included.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.defaults.deadline = Some(Deadline(deadline));
        self
    }

    /// How many bytes collected content may have.
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.defaults.max_body = bytes;
        self
    }

    /// A header field for every request that does not have it itself.
    pub fn default_header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName, Error: Into<BoxError>>,
        V: TryInto<HeaderValue, Error: Into<BoxError>>,
    {
        match (name.try_into().map_err(Into::into), value.try_into().map_err(Into::into)) {
            (Ok(header::USER_AGENT), Ok(value)) => self.layers.user_agent = Some(value),
            (Ok(name), Ok(value)) => drop(self.defaults.headers.insert(name, value)),
            (Err(error), _) | (_, Err(error)) => self.blame(&error),
        }
        self
    }

    /// The `User-Agent` of every request that does not have one itself.
    pub fn user_agent(self, product: &str) -> Self {
        self.default_header(header::USER_AGENT, product)
    }

    /// Which redirects are followed.
    pub fn follow(self, follow: Follow) -> Self {
        self.redirect(|redirect| redirect.follow(follow))
    }

    /// How many redirects of one call are followed.
    pub fn max_redirects(self, limit: usize) -> Self {
        self.redirect(|redirect| redirect.max_redirects(limit))
    }

    /// The status codes that redirect.
    pub fn redirect_codes(self, codes: impl IntoIterator<Item = StatusCode>) -> Self {
        self.redirect(|redirect| redirect.redirect_codes(codes))
    }

    /// The methods whose redirects are followed by default.
    pub fn safe_methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.redirect(|redirect| redirect.safe_methods(methods))
    }

    /// A header field, such as an API key, that must not leave its origin with a redirect and is not logged. What is
    /// stored of an answer to one of its values answers no other.
    pub fn sensitive_header(mut self, name: HeaderName) -> Self {
        self.layers.sensitive.push(name.clone());
        self.defaults.sensitive.push(name.clone());
        self.redirect(|redirect| redirect.sensitive_header(name))
    }

    /// Whether `Authorization` follows a redirect to another origin. Think twice.
    pub fn forward_authorization_headers(self, forward: bool) -> Self {
        self.redirect(|redirect| redirect.forward_authorization_headers(forward))
    }

    /// What happens to a redirect from https to http.
    pub fn downgrade(self, downgrade: Downgrade) -> Self {
        self.redirect(|redirect| redirect.downgrade(downgrade))
    }

    /// The most bytes that compressed content may decode to. 0: no limit.
    pub fn decode_limit_hard(self, bytes: u64) -> Self {
        self.decompression(|decompression| decompression.decode_limit_hard(bytes))
    }

    /// The decoded size below which the ratio is not looked at.
    pub fn decode_limit_safe(self, bytes: u64) -> Self {
        self.decompression(|decompression| decompression.decode_limit_safe(bytes))
    }

    /// The most decoded bytes for each coded byte. 0: no limit.
    pub fn decode_limit_ratio(self, ratio: u64) -> Self {
        self.decompression(|decompression| decompression.decode_limit_ratio(ratio))
    }

    /// The most coded bytes that a decoder is given at a time. 0: all that has arrived.
    pub fn decode_limit_chunk(self, bytes: usize) -> Self {
        self.decompression(|decompression| decompression.decode_limit_chunk(bytes))
    }

    /// Keeps responses in this store, or in this directory, and uses them again by the rules of RFC 9111, as a private
    /// cache: for one user agent.
    ///
    /// A directory is made if it is not there, for nobody but its owner, and may be shared by several processes. It takes
    /// up to 1 GiB, and the memory before it up to 64 MiB ([`Tiers`](crate::store::Tiers) of the two). One that cannot be
    /// used is a warning, and nothing is kept ([`Compat::cache`] makes it an error). It needs the feature `disk`.
    pub fn cache(mut self, place: impl Into<Place>) -> Self {
        self.caching = Caching::In(place.into());
        self
    }

    /// Uses a cache with settings of its own, such as a shared one. Its [executor](CacheLayer::executor), its
    /// [signatories](CacheLayer::who_signs) and what counts as [disconnected](CacheLayer::disconnected) are set by this
    /// client.
    pub fn cache_layer(mut self, layer: CacheLayer) -> Self {
        self.caching = Caching::With(layer);
        self
    }

    /// In which things the client does as Python's httplib2 did. Default: in none.
    pub fn compat(mut self, compat: Compat) -> Self {
        self.compat = compat;
        self
    }

    /// The methods whose requests carry the tag of the version that was seen, so that no update of another is
    /// overwritten unseen. Default: PUT and PATCH.
    pub fn optimistic_concurrency_methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.lost_update(|lost_update| lost_update.optimistic_concurrency_methods(methods))
    }

    /// Merges an update that another one has overtaken: see [`merge_fn`](httplib2_lost_update::merge_fn). Per request: a
    /// [`MergeHook`] as an [`extension`](crate::RequestBuilder::extension).
    pub fn merge(self, hook: MergeHook) -> Self {
        self.lost_update(|lost_update| lost_update.merge(Some(hook)))
    }

    /// The credentials that the client begins with, copied when it is built: later ones are added to
    /// [`Http::credentials`].
    pub fn credentials(mut self, credentials: &Credentials) -> Self {
        self.credentials = credentials.copied();
        self
    }

    /// How often a request is tried if it fails at the connection: httplib2's `RETRIES`. Default: [`RETRIES`].
    pub fn tries(self, tries: u32) -> Self {
        self.retry(|retry| retry.tries(tries))
    }

    /// The statuses after which a harmless request is tried again, within [`tries`](Self::tries). Default: none.
    pub fn retry_statuses(self, statuses: RetryStatuses) -> Self {
        self.retry(|retry| retry.statuses(statuses))
    }

    /// A policy that looks at each hop of a redirect before it is sent.
    pub fn redirect_policy<Q: RedirectPolicy>(self, policy: Q) -> HttpBuilder<Q> {
        let Layers { redirect, lost_update, decompression, cache, retry, auth, sensitive, user_agent } = self.layers;
        let redirect = redirect.policy(policy);
        let layers = Layers { redirect, lost_update, decompression, cache, retry, auth, sensitive, user_agent };
        let Self { connect, credentials, defaults, caching, compat, wrong, .. } = self;
        HttpBuilder { connect, layers, credentials, defaults, caching, compat, wrong }
    }

    /// Trusts these certificate authorities, in PEM, in place of the platform's.
    pub fn ca_certs(self, pem: impl AsRef<[u8]>) -> Self {
        self.connect(|connect| connect.ca_certs(pem))
    }

    /// Trusts the certificate authorities of this PEM file, in place of the platform's.
    pub fn ca_certs_file(mut self, path: impl AsRef<Path>) -> Self {
        match fs::read(path) {
            Ok(pem) => self.ca_certs(pem),
            Err(error) => {
                self.blame(&error);
                self
            }
        }
    }

    /// Trusts these certificate authorities, in PEM, beside the platform's.
    pub fn add_ca_certs(self, pem: impl AsRef<[u8]>) -> Self {
        self.connect(|connect| connect.add_ca_certs(pem))
    }

    /// Accepts any certificate of anybody. Whoever is on the way can then read and change everything.
    pub fn danger_accept_invalid_certs(self, accept: bool) -> Self {
        self.connect(|connect| connect.danger_accept_invalid_certs(accept))
    }

    /// Whether HTTP/2 is offered where TLS can negotiate it.
    pub fn http2(self, offer: bool) -> Self {
        self.connect(|connect| connect.http2(offer))
    }

    /// The local address that connections are made from.
    pub fn local_address(self, address: IpAddr) -> Self {
        self.connect(|connect| connect.local_address(address))
    }

    /// How long an unused connection is kept.
    pub fn pool_idle_timeout(self, timeout: Duration) -> Self {
        self.connect(|connect| connect.idle_timeout(timeout))
    }

    /// How many unused connections are kept for each host.
    pub fn pool_max_idle_per_host(self, connections: usize) -> Self {
        self.connect(|connect| connect.max_idle_per_host(connections))
    }

    /// Any further setting of the connections.
    pub fn connect(mut self, set: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        self.connect = set(self.connect);
        self
    }

    /// Any further setting of the redirect layer.
    pub fn redirect(mut self, set: impl FnOnce(RedirectLayer<P>) -> RedirectLayer<P>) -> Self {
        self.layers.redirect = set(self.layers.redirect);
        self
    }

    /// Any further setting of the lost-update layer.
    pub fn lost_update(
        mut self,
        set: impl FnOnce(LostUpdateLayer<Option<MergeHook>>) -> LostUpdateLayer<Option<MergeHook>>,
    ) -> Self {
        self.layers.lost_update = set(self.layers.lost_update);
        self
    }

    /// Any further setting of the decompression layer.
    pub fn decompression(mut self, set: impl FnOnce(DecompressionLayer) -> DecompressionLayer) -> Self {
        self.layers.decompression = set(self.layers.decompression);
        self
    }

    /// Any further setting of the retry layer.
    pub fn retry(
        mut self,
        set: impl FnOnce(RetryLayer<fn(&BoxError) -> Failure>) -> RetryLayer<fn(&BoxError) -> Failure>,
    ) -> Self {
        self.layers.retry = set(self.layers.retry);
        self
    }

    /// Any further setting of the auth layer, such as another scheme, or one with other options.
    pub fn auth(mut self, set: impl FnOnce(AuthLayer) -> AuthLayer) -> Self {
        self.layers.auth = set(self.layers.auth);
        self
    }

    /// Builds the client. Nothing is connected, and TLS is not set up before the first https URI.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSettings`].
    pub fn build(self) -> Result<Http, Error> {
        self.check()?;
        let client = self.connect.clone().build().map_err(|error| invalid_settings(error.into()))?;
        self.over(client)
    }

    /// Builds the blocking client. Its thread starts with the first request.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn build_blocking(self) -> Result<blocking::Http, Error> {
        self.build().map(blocking::Http::from)
    }

    /// Builds the client over another server than the network: a fake, a router, a client of one's own. The
    /// settings of connections and of the timeout of one wait then mean nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSettings`].
    pub fn build_over<S>(self, server: S) -> Result<Http, Error>
    where
        S: HttpService<Body> + Sync,
    {
        self.check()?;
        self.over(server)
    }

    fn over<S>(mut self, server: S) -> Result<Http, Error>
    where
        S: HttpService<Body> + Sync,
    {
        // The stack adds it to every hop, and what is secret must not leave its origin with a redirect.
        if self.layers.sensitive.contains(&header::USER_AGENT)
            && let Some(secret) = self.layers.user_agent.take()
        {
            self.defaults.headers.insert(header::USER_AGENT, secret);
        }
        // Each client of a builder has its own, and learns for itself.
        let credentials = self.credentials.copied();
        self.layers.auth = self.layers.auth.credentials(credentials.clone());
        let cache = self.caching.layer(self.compat, &self.layers.decompression).map_err(invalid_settings)?;
        self.layers.cache = cache.map(|cache| {
            let cache = cache.who_signs(Arc::new(self.layers.auth.handle())).disconnected(is_disconnected);
            self.layers.sensitive.iter().cloned().fold(cache, CacheLayer::credential)
        });
        Ok(Http::over(stack(server, &self.layers), credentials, self.defaults))
    }

    fn check(&self) -> Result<(), Error> {
        match &self.wrong {
            Some(Wrong(why)) => Err(invalid_settings(why.to_string().into())),
            None => Ok(()),
        }
    }

    fn blame(&mut self, error: &impl ToString) {
        if self.wrong.is_none() {
            self.wrong = Some(Wrong(error.to_string().into()));
        }
    }
}

fn invalid_settings(why: BoxError) -> Error {
    Error::new(ErrorKind::InvalidSettings, None, Some(why))
}
