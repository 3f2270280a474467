//! Whose names, passwords and tokens are used, and where.

mod domain;

use std::{
    error::Error,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

#[cfg(doc)]
use httplib2_core::who::FirstOrigin;
use httplib2_core::who::Origin;
use httplib2_syntax::netrc::{self, InvalidNetrc};

use self::domain::Domain;
use crate::{Credential, Provider, provider::Supply, spaces::Spaces};

/// The credentials of a client: a handle that all clones share, so that they can be added while the client is used.
///
/// | they are for | they are used |
/// |---|---|
/// | `example.org:8080` | at that host and port, over http and https, as in httplib2 |
/// | `example.org` | at that host, whatever the port |
/// | `https://example.org` | at that origin alone |
/// | all ([`add`](Self::add)) | at every origin that the caller addressed, not where a redirect leads: see [`FirstOrigin`] |
///
/// Where a redirect leads from https to http only those for that very origin are used, such as for
/// `http://example.org`: a host that the caller addressed over https was not meant to be told over http.
///
/// When a server challenges, those for its domain are tried first and then those for all, each in the order in which
/// they were added.
///
/// ```
/// use httplib2_auth::{Credential, Credentials};
///
/// let credentials = Credentials::new();
/// credentials.add_for("intranet.example:8080", Credential::login("joe", "s3cret"))?;
/// credentials.add(Credential::login("anonymous", "joe@example.org"));
/// assert_eq!(format!("{credentials:?}"), "Credentials(..)");
/// # Ok::<(), httplib2_auth::InvalidDomain>(())
/// ```
#[derive(Clone, Default)]
pub struct Credentials(Arc<Shared>);

/// The text is no domain: neither a host, a host and port, nor an http or https origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDomain;

#[derive(Default)]
struct Shared {
    sources: RwLock<Vec<Source>>,
    /// How often they were cleared.
    clearings: AtomicU64,
    /// How often anything was added or cleared.
    changes: AtomicU64,
    /// What layers learnt with them, for as long as they live.
    learnt: Mutex<Vec<Weak<Spaces>>>,
}

#[derive(Clone)]
enum Source {
    One(Domain, Credential),
    Supply(Domain, Arc<Supply>),
    Netrc(Netrc),
}

/// What a netrc said. An entry that lacks the name or the password still keeps its host from the default.
#[derive(Clone, Default)]
struct Netrc {
    hosts: Vec<(Domain, Option<Credential>)>,
    default: Option<Credential>,
}

/// A credential that may answer the challenges of an origin, or who is to be asked for it.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) holder: Holder,
    pub(crate) scope: Scope,
}

#[derive(Clone, Debug)]
pub(crate) enum Holder {
    Given(Credential),
    Supply(Arc<Supply>),
}

/// How far a credential may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One request, at one origin.
    Request,
    /// The one origin that its domain names.
    Origin,
    /// The origins of its domain.
    Domain,
    /// All origins that the caller addresses.
    All,
}

/// Which credentials a request may use, by the way on which it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The caller addressed this origin.
    All,
    /// Another origin led here.
    Domain,
    /// An origin led here that was safe from listeners, to one that is not.
    Origin,
}

// === impl Credentials ===

impl Credentials {
    /// No credentials.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a credential for all origins.
    ///
    /// Whoever can make the client send a request to them can ask for it: prefer [`add_for`](Self::add_for).
    pub fn add(&self, credential: Credential) {
        self.push(Source::One(Domain::All, credential));
    }

    /// Adds a credential for a domain, written as in the [table above](Self).
    ///
    /// # Errors
    ///
    /// [`InvalidDomain`] for every other text; also for the empty one, which meant all in httplib2.
    pub fn add_for(&self, domain: &str, credential: Credential) -> Result<(), InvalidDomain> {
        self.push(Source::One(Domain::parse(domain)?, credential));
        Ok(())
    }

    /// Adds somebody who is asked for credentials, for all origins.
    ///
    /// Unless the layer is set to [`InAdvance::Always`](crate::InAdvance::Always), it is asked only once a server challenges.
    pub fn provider(&self, provider: Arc<dyn Provider>) {
        self.push(Source::Supply(Domain::All, Arc::new(Supply::new(provider))));
    }

    /// Adds somebody who is asked for credentials, for a domain.
    ///
    /// # Errors
    ///
    /// Those of [`add_for`](Self::add_for).
    pub fn provider_for(&self, domain: &str, provider: Arc<dyn Provider>) -> Result<(), InvalidDomain> {
        self.push(Source::Supply(Domain::parse(domain)?, Arc::new(Supply::new(provider))));
        Ok(())
    }

    /// Adds what the text of a netrc file says: each `machine` for that host, `default` for all hosts without an entry.
    ///
    /// Of several entries for a host the last one counts. What lacks a name or a password is not used, nor what names
    /// no host. A host may be written like one in a URI, or as a bare IPv6 address.
    ///
    /// # Errors
    ///
    /// [`InvalidNetrc`] with the number of the line; nothing was added then.
    pub fn netrc(&self, text: &str) -> Result<(), InvalidNetrc> {
        let mut read = Netrc::default();
        for entry in netrc::parse(text)?.entries() {
            let login = entry.login().zip(entry.password());
            let credential = login.map(|(name, password)| Credential::login(name, password));
            match entry.machine() {
                Some(host) => read.hosts.extend(Domain::of_host(host).map(|domain| (domain, credential))),
                None => read.default = credential,
            }
        }
        self.push(Source::Netrc(read));
        Ok(())
    }

    /// Removes all, and lets the layers that use them forget what they learnt with them. A challenge to a request that is
    /// under way is not answered any more, unless it has [its own](crate::RequestCredentials).
    pub fn clear(&self) {
        let mut sources = self.0.sources.write().unwrap_or_else(PoisonError::into_inner);
        sources.clear();
        self.0.clearings.fetch_add(1, Ordering::Release);
        self.0.changes.fetch_add(1, Ordering::Release);
        drop(sources);
        self.learnt().iter().filter_map(Weak::upgrade).for_each(|spaces| spaces.clear());
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.each(|_| true)
    }

    /// The same credentials as a handle of their own: what is added to the one or cleared stays as it was in the other.
    #[must_use]
    pub fn copied(&self) -> Self {
        let sources = self.0.sources.read().unwrap_or_else(PoisonError::into_inner).clone();
        Self(Arc::new(Shared { sources: RwLock::new(sources), ..Shared::default() }))
    }

    pub(crate) fn tell_when_cleared(&self, spaces: &Arc<Spaces>) {
        let mut learnt = self.learnt();
        learnt.retain(|spaces| spaces.strong_count() > 0);
        learnt.push(Arc::downgrade(spaces));
    }

    fn learnt(&self) -> MutexGuard<'_, Vec<Weak<Spaces>>> {
        self.0.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, source: Source) {
        let mut sources = self.0.sources.write().unwrap_or_else(PoisonError::into_inner);
        sources.push(source);
        self.0.changes.fetch_add(1, Ordering::Release);
    }

    /// Those for this origin, in the order in which they are tried.
    pub(crate) fn candidates(&self, origin: &Origin, reach: Reach) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        self.each(|source| {
            candidates.extend(source.candidate(origin));
            false
        });
        candidates.retain(|candidate| reach.covers(candidate.scope));
        candidates.sort_by_key(|candidate| candidate.scope == Scope::All);
        candidates
    }

    pub(crate) fn has_for(&self, origin: &Origin, reach: Reach) -> bool {
        self.each(|source| source.scope(origin).is_some_and(|scope| reach.covers(scope)))
    }

    pub(crate) fn clearings(&self) -> u64 {
        self.0.clearings.load(Ordering::Acquire)
    }

    pub(crate) fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Acquire)
    }

    /// Looks at one after the other until `look` says that it is enough; returns whether it did.
    fn each(&self, look: impl FnMut(&Source) -> bool) -> bool {
        self.0.sources.read().unwrap_or_else(PoisonError::into_inner).iter().any(look)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

// === impl Source ===

impl Source {
    fn candidate(&self, origin: &Origin) -> Option<Candidate> {
        let scope = self.scope(origin)?;
        let holder = match self {
            Self::One(_, credential) => Holder::Given(credential.clone()),
            Self::Supply(_, supply) => Holder::Supply(Arc::clone(supply)),
            Self::Netrc(netrc) => Holder::Given(netrc.find(origin)?.0.clone()),
        };
        Some(Candidate { holder, scope })
    }

    fn scope(&self, origin: &Origin) -> Option<Scope> {
        match self {
            Self::One(domain, _) | Self::Supply(domain, _) => domain.scope(origin),
            Self::Netrc(netrc) => netrc.find(origin).map(|(_, scope)| scope),
        }
    }
}

// === impl Reach ===

impl Reach {
    pub(crate) fn covers(self, scope: Scope) -> bool {
        match scope {
            Scope::Request | Scope::Origin => true,
            Scope::Domain => self != Self::Origin,
            Scope::All => self == Self::All,
        }
    }
}

// === impl Netrc ===

impl Netrc {
    fn find(&self, origin: &Origin) -> Option<(&Credential, Scope)> {
        let (credential, scope) = match self.hosts.iter().rev().find(|(domain, _)| domain.scope(origin).is_some()) {
            Some((_, credential)) => (credential, Scope::Domain),
            None => (&self.default, Scope::All),
        };
        Some((credential.as_ref()?, scope))
    }
}

// === impl InvalidDomain ===

impl fmt::Display for InvalidDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a domain is a host, a host and a port, or an http or https origin")
    }
}

impl Error for InvalidDomain {}

#[cfg(test)]
mod tests;
