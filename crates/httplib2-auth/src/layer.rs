//! The layer and its settings.

use std::{sync::Arc, time::Duration};

use httplib2_core::{body::DiscardLimits, who::Origin};
use tower_layer::Layer;

use crate::{
    Auth, Credentials, InAdvance, Order, Scheme, Signatories,
    party::Shared,
    rules::{Rules, Side},
    spaces::Spaces,
};

/// Answers challenges: see the [crate documentation](crate).
///
/// What one layer and its clones learn they share.
#[derive(Clone, Debug)]
pub struct AuthLayer {
    rules: Rules,
    credentials: Credentials,
    spaces: Arc<Spaces>,
}

// === impl AuthLayer ===

impl AuthLayer {
    /// A layer that uses these credentials, and knows no scheme yet.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        let spaces = Arc::default();
        credentials.tell_when_cleared(&spaces);
        Self { rules: Rules::default(), credentials, spaces }
    }

    /// Uses these credentials in place of the ones before, and forgets what was learnt with those.
    #[must_use]
    pub fn credentials(self, credentials: Credentials) -> Self {
        Self { rules: self.rules, ..Self::new(credentials) }
    }

    /// Adds a scheme that the layer can answer. A scheme of the same name that was added before is replaced.
    #[must_use]
    pub fn scheme(mut self, scheme: impl Scheme) -> Self {
        self.rules.schemes.retain(|known| known.name() != scheme.name());
        self.rules.schemes.push(Arc::new(scheme));
        self
    }

    /// In which order offers are answered. Default: [`Order::Strongest`].
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.rules.order = order;
        self
    }

    /// Whether a scheme is answered with a credential that a [stronger](Scheme::strength) one was answered with and refused
    /// before. Default: no, because a server that is not the right one would ask for the password in just that way
    /// (RFC 7616 §5.7). A stronger offer that could not be answered is no hindrance, and a challenge for another realm than
    /// the one that a request was signed for in advance refuses nothing.
    ///
    /// Over plain http, where everybody on the way can challenge, it also is whether an offer is answered with a credential
    /// of which the origin accepted a stronger one before, in whatever realm: by [strength](Scheme::strength), and of one
    /// scheme by [preference](Scheme::preference). That lasts until the credentials are cleared. Who has a server there that
    /// asks for Digest in one place and for Basic in another gives it two logins, or allows this.
    #[must_use]
    pub fn allow_downgrade(mut self, yes: bool) -> Self {
        self.rules.allow_downgrade = yes;
        self
    }

    /// Whether schemes that [reveal the secret](Scheme::reveals_secret), such as Basic, are used over plain http.
    /// Default: no. Each time a signer is made that way, a warning goes to the log.
    #[must_use]
    pub fn secrets_over_http(mut self, yes: bool) -> Self {
        self.rules.secrets_over_http = yes;
        self
    }

    /// Whether credentials for all origins are also used where [`FirstOrigin`](httplib2_core::who::FirstOrigin) says that
    /// another origin led the request. Default: no (RFC 9110 §15.4). From https to http they never are.
    #[must_use]
    pub fn credentials_follow_redirects(mut self, yes: bool) -> Self {
        self.rules.credentials_follow_redirects = yes;
        self
    }

    /// Which credentials are sent before a server asks for any (RFC 7617 §2.2). Default: [`InAdvance::Tokens`]. Per
    /// request: [`RequestCredentials::in_advance`](crate::RequestCredentials::in_advance).
    #[must_use]
    pub fn in_advance(mut self, which: InAdvance) -> Self {
        self.rules.in_advance = which;
        self
    }

    /// How many challenges of one exchange are answered, with all credentials together. Default: 4.
    ///
    /// Whatever it is, one credential answers no more than two, unless downgrades are allowed.
    #[must_use]
    pub fn max_answers(mut self, limit: u32) -> Self {
        self.rules.max_answers = limit;
        self
    }

    /// How long a request waits for the first one to the same origin, from which it is learnt how to sign. Default: one
    /// second; zero: it does not wait. After that, or once the origin has answered, nobody waits.
    #[must_use]
    pub fn first_contact_wait(mut self, longest: Duration) -> Self {
        self.rules.first_contact_wait = longest;
        self
    }

    /// How much of an answer that is given up is read, so that its connection can be used again. Default: 64 KiB and one
    /// second.
    #[must_use]
    pub fn discard_limits(mut self, limits: DiscardLimits) -> Self {
        self.rules.discard_limits = limits;
        self
    }

    /// Answers the challenges of this proxy and not those of servers: status 407, `Proxy-Authenticate`,
    /// `Proxy-Authorization` and `Proxy-Authentication-Info` (RFC 9110 §11.7). Default: those of servers.
    ///
    /// Credentials are matched with the origin of the proxy, and responses get no
    /// [`SignedAs`](httplib2_core::who::SignedAs). It must stand where requests go to that proxy and nowhere else.
    #[must_use]
    pub fn for_proxy(mut self, proxy: Origin) -> Self {
        self.rules.side = Side::Proxy(proxy);
        self
    }

    /// Knows for whom the requests of this layer's services will be signed. Take it after the last setting.
    #[must_use]
    pub fn handle(&self) -> Signatories {
        Signatories::new(self.shared())
    }

    fn shared(&self) -> Arc<Shared> {
        Arc::new(Shared {
            rules: self.rules.clone(),
            credentials: self.credentials.clone(),
            spaces: Arc::clone(&self.spaces),
        })
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth::new(inner, self.shared())
    }
}
