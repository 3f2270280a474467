//! How a client is set up.

use std::{net::IpAddr, time::Duration};

use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};

use crate::{
    client::Client,
    connector::Connector,
    dial::Dialer,
    error::BuildError,
    options::{FAR, TlsVersion},
    pools::Pools,
    resolve::Resolver,
    tcp::Tcp,
    tls::{self, Tls},
};

/// Sets up a [`Client`].
///
/// Where a duration may be left out, `None` stands for no limit.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it builds"]
pub struct ClientBuilder {
    io_timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    idle_timeout: Option<Duration>,
    max_idle_per_host: usize,
    max_headers: Option<usize>,
    max_head_bytes: usize,
    resolver: Resolver,
    tcp: Tcp,
    tls: tls::Settings,
}

/// The least that hyper reads a head into; it panics on less.
const MIN_HEAD_BYTES: usize = 8 * 1024;

// === impl ClientBuilder ===

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            io_timeout: None,
            connect_timeout: Some(Duration::from_secs(30)),
            idle_timeout: Some(Duration::from_secs(90)),
            max_idle_per_host: 100,
            max_headers: None,
            max_head_bytes: 408 * 1024,
            resolver: Resolver::default(),
            tcp: Tcp::default(),
            tls: tls::Settings::default(),
        }
    }
}

impl ClientBuilder {
    /// Sets the longest that a request waits for something to happen; see
    /// [`IoTimeout`](crate::IoTimeout), which replaces it for one request. Default: none.
    pub fn io_timeout(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.io_timeout = time.into();
        self
    }

    /// Sets the longest that getting a new connection may take: resolving, connecting and securing it
    /// together. Where a name has several addresses, each gets an even share. Default: 30 seconds.
    pub fn connect_timeout(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = time.into();
        self
    }

    /// Sets how long a connection is kept that nobody uses. Default: 90 seconds.
    pub fn idle_timeout(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.idle_timeout = time.into();
        self
    }

    /// Sets how many unused connections are kept for one scheme and authority. With 0 none is used twice.
    /// Default: 100.
    pub fn max_idle_per_host(mut self, connections: usize) -> Self {
        self.max_idle_per_host = connections;
        self
    }

    /// Sets how many header lines an HTTP/1.1 response may have; a response with more is an error. Setting
    /// it costs allocations for each response. Default: 100.
    pub fn max_headers(mut self, lines: usize) -> Self {
        self.max_headers = Some(lines);
        self
    }

    /// Sets how long the head of a response may be, in bytes; a response with a longer one is an error. The
    /// buffer that a connection reads into is bounded by it as well, and is 8 KiB at least. Over HTTP/2 each
    /// header counts 32 bytes more (RFC 9113 §6.5.2). Default: 408 KiB.
    pub fn max_head_bytes(mut self, bytes: usize) -> Self {
        self.max_head_bytes = bytes.max(MIN_HEAD_BYTES);
        self
    }

    /// Sets whether small writes are sent at once instead of being gathered (`TCP_NODELAY`). Default: yes.
    pub fn tcp_nodelay(mut self, at_once: bool) -> Self {
        self.tcp.nodelay = at_once;
        self
    }

    /// Sets after how long without traffic the system asks whether the other side is still there. Default:
    /// 60 seconds.
    pub fn tcp_keepalive(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.tcp.keepalive = time.into();
        self
    }

    /// Sets the address of this machine that connections are made from. Default: the system chooses.
    pub fn local_address(mut self, address: impl Into<Option<IpAddr>>) -> Self {
        self.tcp.local_address = address.into();
        self
    }

    /// Sets what finds the addresses of a server. Default: the system.
    pub fn resolver(mut self, resolver: Resolver) -> Self {
        self.resolver = resolver;
        self
    }

    /// Trusts the certificates in `pem` as roots, and no others: the platform's are replaced, as with
    /// `ca_certs` of Python's httplib2. A later call replaces an earlier one. Default: what the platform
    /// trusts.
    ///
    /// Like all that is said of TLS, it has nothing to act on in a build without.
    pub fn ca_certs(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.tls.trust_only(pem.as_ref());
        self
    }

    /// Trusts the certificates in `pem` as roots, too.
    pub fn add_ca_certs(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.tls.trust_also(pem.as_ref());
        self
    }

    /// Sets whether every certificate is accepted: of anyone, for any name, expired or not. Whoever sits
    /// between can then read and change everything. Default: no.
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
        self.tls.trust_anyone(accept);
        self
    }

    /// Sets the lowest version of TLS that is accepted. Default: TLS 1.2.
    pub fn min_tls_version(mut self, version: TlsVersion) -> Self {
        self.tls.min_version(version);
        self
    }

    /// Sets the highest version of TLS that is offered. Default: TLS 1.3.
    pub fn max_tls_version(mut self, version: TlsVersion) -> Self {
        self.tls.max_version(version);
        self
    }

    /// Sets whether HTTP/2 is offered in the TLS handshake (ALPN). Default: yes.
    pub fn http2(mut self, offer: bool) -> Self {
        self.tls.offer_http2(offer);
        self
    }

    /// Builds a client that connects over TCP, and over TLS for https.
    ///
    /// It does no I/O and needs no runtime: the roots of the platform are loaded when the first https URI
    /// comes.
    ///
    /// # Errors
    ///
    /// Where the settings of TLS do not make sense; see [`BuildError`].
    pub fn build<B>(self) -> Result<Client<B>, BuildError> {
        let pool = self.pool();
        let tls = Tls::new(self.tls)?;
        let connector = Connector::new(self.resolver, self.tcp, tls, self.connect_timeout);
        // The connector keeps the limit by itself, so that it can tell which step was too slow.
        Ok(Client::new(Pools::new(pool, Dialer::new(connector, None)), self.io_timeout))
    }

    /// Builds a client that gets its connections from `connector`: over something other than TCP, through
    /// something, or a pipe in a test.
    ///
    /// What is said of addresses, TCP and TLS has nothing to act on then.
    #[must_use]
    pub fn build_with_connector<B, C>(self, connector: C) -> Client<B, C> {
        let dialer = Dialer::new(connector, self.connect_timeout);
        Client::new(Pools::new(self.pool(), dialer), self.io_timeout)
    }

    fn pool(&self) -> legacy::Builder {
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(self.idle_timeout.filter(|time| *time < FAR))
            .pool_max_idle_per_host(self.max_idle_per_host)
            .http1_max_buf_size(self.max_head_bytes)
            .http2_max_header_list_size(u32::try_from(self.max_head_bytes).unwrap_or(u32::MAX))
            .http2_keep_alive_interval(Duration::from_secs(30))
            .http2_keep_alive_timeout(Duration::from_secs(20));
        if let Some(lines) = self.max_headers {
            builder.http1_max_headers(lines);
        }
        builder
    }
}
