//! Who may sign one request, and where it goes.

use std::sync::Arc;

use http::{Extensions, Request, Uri};
use httplib2_core::who::{Identity, Origin, WhoSigns};

use crate::{
    Credential, Credentials, FirstOrigin, RequestCredentials, Scheme, Signer,
    credentials::{Candidate, Holder, Scope},
    decide::{Walk, goes_in_advance},
    identity::identity,
    rules::{Rules, Side},
    spaces::{Learnt, Site, Spaces, Validity},
};

/// What all services of one layer share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) rules: Rules,
    pub(crate) credentials: Credentials,
    pub(crate) spaces: Arc<Spaces>,
}

/// What a request is to the layer.
pub(crate) enum Concern {
    /// It is signed by its caller, or there is nothing to sign it with.
    None,
    /// No credential is for where it goes, which is said if it is challenged.
    Unmatched(Unmatched),
    Party(Party),
}

/// Why no credential is for the origin of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmatched {
    /// Those for all stay behind.
    OtherOrigin,
    NoCredentials,
}

/// The origin of a request, and the credentials that may be used for it.
pub(crate) struct Party {
    pub(crate) shared: Arc<Shared>,
    pub(crate) site: Arc<Site>,
    pub(crate) validity: Validity,
    /// The request's own credential.
    own: Option<RequestCredentials>,
    /// Whether credentials for all origins may be used.
    for_all: bool,
}

/// Knows for whom requests are signed in advance: made by [`AuthLayer::handle`](crate::AuthLayer::handle).
///
/// A cache asks it which user's answers it may give to a request that it will not send. It is not told of the request's
/// extensions when it is asked through [`WhoSigns`]: who uses [`RequestCredentials`] asks [`who_signs_for`](Self::who_signs_for).
#[derive(Clone, Debug)]
pub struct Signatories(Arc<Shared>);

// === impl Shared ===

impl Shared {
    pub(crate) fn concern<B>(self: &Arc<Self>, request: &Request<B>) -> Concern {
        let own = request.extensions().get::<RequestCredentials>();
        if own.is_none() && self.credentials.is_empty() {
            return Concern::None;
        }
        // H-REQ-20, mended: what the caller signed goes out as it is.
        if request.headers().contains_key(self.rules.side.authorization()) {
            return Concern::None;
        }
        self.party(request.uri(), request.extensions())
    }

    fn party(self: &Arc<Self>, uri: &Uri, options: &Extensions) -> Concern {
        let known = match &self.rules.side {
            Side::Server => self.spaces.find(uri),
            Side::Proxy(proxy) => self.spaces.find_origin(proxy),
        };
        let parsed;
        let origin = match (&known, &self.rules.side) {
            (Some(site), _) => &site.origin,
            (None, Side::Proxy(proxy)) => proxy,
            (None, Side::Server) => match Origin::of(uri) {
                Some(origin) => {
                    parsed = origin;
                    &parsed
                }
                None => return Concern::None,
            },
        };
        self.party_at(origin, known.clone(), options)
    }

    fn party_at(self: &Arc<Self>, origin: &Origin, known: Option<Arc<Site>>, options: &Extensions) -> Concern {
        let own = options.get::<RequestCredentials>().filter(|own| own.origin == *origin).cloned();
        let for_all = self.uses_those_for_all(origin, options);
        if own.is_none() && !self.credentials.has_for(origin, for_all) {
            if !for_all && self.credentials.has_for(origin, true) {
                return Concern::Unmatched(Unmatched::OtherOrigin);
            }
            return Concern::Unmatched(Unmatched::NoCredentials);
        }
        let validity = Validity { clearings: self.credentials.clearings(), changes: Some(self.credentials.changes()) };
        let site = known.unwrap_or_else(|| self.spaces.enter(origin.clone()));
        Concern::Party(Party { shared: Arc::clone(self), site, validity, own, for_all })
    }

    /// A proxy is nobody that a redirect could lead to.
    fn uses_those_for_all(&self, origin: &Origin, options: &Extensions) -> bool {
        self.rules.credentials_follow_redirects
            || matches!(self.rules.side, Side::Proxy(_))
            || options.get().is_none_or(|FirstOrigin(first)| first == origin)
    }
}

// === impl Party ===

impl Party {
    pub(crate) fn rules(&self) -> &Rules {
        &self.shared.rules
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.site.origin
    }

    /// Who signs a request to this path, as far as was learnt.
    pub(crate) fn nearest(&self, path: &str) -> Option<Arc<Learnt>> {
        self.site.nearest(path, |learnt| self.may_sign(learnt))
    }

    pub(crate) fn may_sign(&self, learnt: &Learnt) -> bool {
        let is_valid = learnt.validity.clearings == self.validity.clearings
            && learnt.validity.changes.is_none_or(|changes| Some(changes) == self.validity.changes);
        is_valid
            && match (&self.own, learnt.scope) {
                (Some(own), _) => own.credential.is_same(&learnt.credential),
                (None, Scope::Request) => false,
                (None, Scope::Domain) => true,
                (None, Scope::All) => self.for_all,
            }
    }

    /// A walk through the credentials of this request: its own one, or those that are for its origin.
    pub(crate) fn walk(&self) -> Walk {
        let candidates = match &self.own {
            Some(own) => vec![Candidate { holder: Holder::Given(own.credential.clone()), scope: Scope::Request }],
            None => self.shared.credentials.candidates(self.origin(), self.for_all),
        };
        Walk::new(self.origin().clone(), candidates)
    }

    pub(crate) fn goes_in_advance(&self, scope: Scope, is_token: bool) -> bool {
        match self.own.as_ref().and_then(|own| own.in_advance) {
            Some(in_advance) => in_advance,
            None => goes_in_advance(self.rules().in_advance, scope, is_token),
        }
    }

    /// The strongest scheme that can sign with this credential without having been challenged.
    pub(crate) fn signer_in_advance(&self, credential: &Credential) -> Option<(Arc<dyn Scheme>, Arc<dyn Signer>)> {
        let mut schemes = self.rules().preferred().into_iter();
        schemes.find_map(|scheme| {
            let may_use = self.rules().may_use(&**scheme, self.origin());
            Some((Arc::clone(scheme), scheme.in_advance(credential).filter(|_| may_use)?))
        })
    }

    /// For whom the request would be signed, if that is known without asking anybody.
    fn who_signs(&self, path: &str) -> Option<Identity> {
        if let Some(learnt) = self.nearest(path) {
            return Some(learnt.identity.clone());
        }
        let walk = self.walk();
        walk.scopes().into_iter().find_map(|(seat, scope)| {
            let credential = walk.at_hand(seat)?;
            let goes = self.goes_in_advance(scope, credential.as_token().is_some());
            let (_, signer) = self.signer_in_advance(&credential).filter(|_| goes)?;
            Some(identity(self.origin(), signer.realm(), &credential))
        })
    }
}

// === impl Signatories ===

impl Signatories {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Returns for whom a request to `path` of `origin` with these extensions would be signed in advance.
    #[must_use]
    pub fn who_signs_for(&self, origin: &Origin, path: &str, options: &Extensions) -> Option<Identity> {
        if matches!(self.0.rules.side, Side::Proxy(_)) {
            return None;
        }
        let known = self.0.spaces.find_origin(origin);
        match self.0.party_at(origin, known, options) {
            Concern::Party(party) => party.who_signs(path),
            Concern::None | Concern::Unmatched(_) => None,
        }
    }
}

impl WhoSigns for Signatories {
    fn who_signs(&self, origin: &Origin, path: &str) -> Option<Identity> {
        self.who_signs_for(origin, path, &Extensions::new())
    }
}

#[cfg(test)]
mod tests;
