//! Who may sign one request, and where it goes.

use std::sync::Arc;

use http::{Extensions, Method, Request, Uri};
use httplib2_core::who::{FirstOrigin, Identity, Origin, WhoSigns};

use crate::{
    Credential, Credentials, RequestCredentials,
    accepted::Grade,
    credentials::{Candidate, Holder, Reach, Scope},
    decide::{Walk, goes_in_advance},
    identity::identity,
    rules::{Rules, Side},
    spaces::{Learnt, Made, Site, Spaces, Validity},
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
    /// No credential is for it, which is said if it is challenged.
    Unmatched(Unmatched),
    Party(Party),
}

/// Why no credential is for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmatched {
    /// Who receives it sends it back as it came, with all that is secret in it.
    Trace,
    /// Those that there are do not follow a redirect there.
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
    /// Which of the shared ones may be used.
    reach: Reach,
}

/// Knows for whom requests are signed in advance: made by [`AuthLayer::handle`](crate::AuthLayer::handle).
///
/// A cache asks it which user's answers it may give to a request that it will not send.
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
        if request.method() == Method::TRACE {
            return Concern::Unmatched(Unmatched::Trace);
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
        let reach = self.reach(origin, options);
        if own.is_none() && !self.credentials.has_for(origin, reach) {
            if self.credentials.has_for(origin, Reach::All) {
                return Concern::Unmatched(Unmatched::OtherOrigin);
            }
            return Concern::Unmatched(Unmatched::NoCredentials);
        }
        let validity = Validity { clearings: self.credentials.clearings(), changes: Some(self.credentials.changes()) };
        let site = known.unwrap_or_else(|| self.spaces.enter(origin.clone()));
        Concern::Party(Party { shared: Arc::clone(self), site, validity, own, reach })
    }

    fn reach(&self, origin: &Origin, options: &Extensions) -> Reach {
        match (&self.rules.side, options.get()) {
            // A proxy is nobody that a redirect could lead to.
            (Side::Proxy(_), _) | (_, None) => Reach::All,
            (Side::Server, Some(FirstOrigin(first))) if first == origin => Reach::All,
            (Side::Server, Some(FirstOrigin(first))) if first.is_secure() && !origin.is_secure() => Reach::Origin,
            (Side::Server, Some(_)) if self.rules.credentials_follow_redirects => Reach::All,
            (Side::Server, Some(_)) => Reach::Domain,
        }
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
            && learnt.validity.changes.is_none_or(|changes| Some(changes) == self.validity.changes)
            && !self.is_revoked();
        is_valid
            && match (&self.own, learnt.scope) {
                (Some(own), _) => own.credential.is_same(&learnt.credential),
                (None, Scope::Request) => false,
                (None, scope) => self.reach.covers(scope),
            }
    }

    /// Whether the credentials were cleared since the request came, and it has none of its own.
    pub(crate) fn is_revoked(&self) -> bool {
        self.own.is_none() && self.validity.clearings != self.shared.credentials.clearings()
    }

    /// A walk through the credentials of this request: its own one, or those that are for its origin.
    pub(crate) fn walk(&self) -> Walk {
        let candidates = match &self.own {
            Some(own) => vec![Candidate { holder: Holder::Given(own.credential.clone()), scope: Scope::Request }],
            None => self.shared.credentials.candidates(self.origin(), self.reach),
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
    pub(crate) fn signer_in_advance(&self, credential: &Credential) -> Option<Made> {
        let floor = self.site.accepted.floor(self.rules(), self.origin(), credential);
        let mut schemes = self.rules().preferred().into_iter();
        schemes.find_map(|scheme| {
            let grade = Grade { strength: scheme.strength(), preference: 0 };
            // Nobody challenged, so that there is no offer to compare: the scheme alone counts.
            let is_weaker = floor.is_some_and(|floor| grade.strength < floor.strength);
            let may_use = self.rules().may_use(&**scheme, self.origin()) && !is_weaker;
            Some(Made { scheme: Arc::clone(scheme), signer: scheme.in_advance(credential).filter(|_| may_use)?, grade })
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
            let made = self.signer_in_advance(&credential).filter(|_| goes)?;
            Some(identity(self.origin(), made.signer.realm(), &credential, scope))
        })
    }
}

// === impl Signatories ===

impl Signatories {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }
}

impl WhoSigns for Signatories {
    fn who_signs(&self, uri: &Uri, options: &Extensions) -> Option<Identity> {
        let nobody = self.0.credentials.is_empty() && options.get::<RequestCredentials>().is_none();
        if nobody || matches!(self.0.rules.side, Side::Proxy(_)) {
            return None;
        }
        match self.0.party(uri, options) {
            Concern::Party(party) => party.who_signs(uri.path()),
            Concern::None | Concern::Unmatched(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
