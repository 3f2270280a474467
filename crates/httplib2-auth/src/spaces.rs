//! Which requests are signed in advance: the protection spaces that were learnt (RFC 9110 §11.5).

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use http::Uri;
use httplib2_core::who::{Identity, Origin};
use httplib2_syntax::uri;

use crate::{
    Authentication, Credential, Scheme, Signer, Space,
    accepted::{Accepted, Grade},
    credentials::Scope,
    first_contact::FirstContact,
    identity::identity,
    options::Signature,
    path::{depth, is_within},
};

/// What was learnt of the origins that credentials are for.
#[derive(Debug, Default)]
pub(crate) struct Spaces {
    sites: RwLock<Sites>,
    uses: AtomicU64,
}

/// By authority, as a URI in its one spelling writes it, so that it is found without copying anything.
#[derive(Debug, Default)]
struct Sites {
    http: HashMap<Box<str>, Arc<Site>>,
    https: HashMap<Box<str>, Arc<Site>>,
}

/// What was learnt of one origin.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) origin: Origin,
    pub(crate) contact: FirstContact,
    pub(crate) accepted: Accepted,
    /// The most recently learnt ones last.
    entries: RwLock<Vec<Entry>>,
    used: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    prefix: Box<str>,
    learnt: Arc<Learnt>,
}

/// A signer that was made for an offer, or for none.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) scheme: Arc<dyn Scheme>,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) grade: Grade,
}

/// A signer and what it was made of.
#[derive(Debug)]
pub(crate) struct Learnt {
    pub(crate) scheme: Arc<dyn Scheme>,
    pub(crate) signer: Arc<dyn Signer>,
    grade: Grade,
    pub(crate) credential: Credential,
    pub(crate) scope: Scope,
    pub(crate) identity: Identity,
    /// What is said of a response that was signed with it in advance.
    pub(crate) fact: Authentication,
    pub(crate) validity: Validity,
    /// Whether the site knows that it was accepted.
    is_noted: AtomicBool,
}

/// The state of the [`Credentials`](crate::Credentials) that something was learnt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) clearings: u64,
    /// Of what was never challenged for: another credential may have to be sent in its place.
    pub(crate) changes: Option<u64>,
}

/// Of the least recently used origins beyond these all is forgotten.
const MAX_ORIGINS: usize = 1_000;

/// The oldest spaces of an origin beyond these are forgotten.
const MAX_SPACES: usize = 256;

/// How many URIs of a space are kept.
const MAX_URIS: usize = 64;

// === impl Spaces ===

impl Spaces {
    /// What is known of the origin of this URI, if the URI is in its one spelling.
    pub(crate) fn find(&self, uri: &Uri) -> Option<Arc<Site>> {
        let sites = self.sites.read().unwrap_or_else(PoisonError::into_inner);
        let site = sites.of(uri.scheme_str()?)?.get(uri.authority()?.as_str())?;
        site.used.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Some(Arc::clone(site))
    }

    pub(crate) fn find_origin(&self, origin: &Origin) -> Option<Arc<Site>> {
        let sites = self.sites.read().unwrap_or_else(PoisonError::into_inner);
        sites.of(origin.scheme())?.get(&*authority(origin)).cloned()
    }

    /// The same, and begins to learn of an origin that is not known.
    pub(crate) fn enter(&self, origin: Origin) -> Arc<Site> {
        let authority = authority(&origin);
        let used = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut sites = self.sites.write().unwrap_or_else(PoisonError::into_inner);
        let is_known = sites.of(origin.scheme()).is_some_and(|sites| sites.contains_key(&authority));
        if !is_known && sites.http.len() + sites.https.len() >= MAX_ORIGINS {
            sites.forget_one();
        }
        let of_scheme = if origin.is_secure() { &mut sites.https } else { &mut sites.http };
        let site = of_scheme.entry(authority).or_insert_with(|| {
            Arc::new(Site {
                origin,
                contact: FirstContact::default(),
                accepted: Accepted::default(),
                entries: RwLock::default(),
                used: AtomicU64::default(),
            })
        });
        site.used.store(used, Ordering::Relaxed);
        Arc::clone(site)
    }

    pub(crate) fn clear(&self) {
        *self.sites.write().unwrap_or_else(PoisonError::into_inner) = Sites::default();
    }
}

// === impl Sites ===

impl Sites {
    fn of(&self, scheme: &str) -> Option<&HashMap<Box<str>, Arc<Site>>> {
        match scheme {
            "http" => Some(&self.http),
            "https" => Some(&self.https),
            _ => None,
        }
    }

    fn forget_one(&mut self) {
        let used = |site: &Arc<Site>| site.used.load(Ordering::Relaxed);
        let Some(oldest) = self.http.values().chain(self.https.values()).map(used).min() else { return };
        self.http.retain(|_, site| used(site) != oldest);
        self.https.retain(|_, site| used(site) != oldest);
    }
}

// === impl Site ===

impl Site {
    /// Who signs requests to this path, of those that may: the nearest (H-AUTH-07), and of several the last that was learnt.
    pub(crate) fn nearest(&self, path: &str, may_sign: impl Fn(&Learnt) -> bool) -> Option<Arc<Learnt>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let fitting = entries.iter().filter(|entry| is_within(path, &entry.prefix) && may_sign(&entry.learnt));
        fitting.max_by_key(|entry| entry.prefix.len()).map(|entry| Arc::clone(&entry.learnt))
    }

    /// Who signs for this realm elsewhere: the last one that was learnt.
    pub(crate) fn elsewhere(&self, may_sign: impl Fn(&Learnt) -> bool) -> Option<Arc<Learnt>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.iter().rev().find(|entry| may_sign(&entry.learnt)).map(|entry| Arc::clone(&entry.learnt))
    }

    /// A signature was accepted. Only over plain http somebody on the way could ask for a weaker one.
    pub(crate) fn note_accepted(&self, learnt: &Learnt) {
        if !self.origin.is_secure() && !learnt.is_noted.load(Ordering::Relaxed) {
            learnt.is_noted.store(true, Ordering::Relaxed);
            self.accepted.note(&learnt.credential, learnt.grade);
        }
    }

    /// Learns who signs below these prefixes. What was known of the same realm and credential signs with the new one too,
    /// if that guards the secret just as well: otherwise the server asks for different things in different places.
    pub(crate) fn learn(&self, prefixes: Vec<Box<str>>, learnt: &Arc<Learnt>) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        for entry in entries.iter_mut().filter(|entry| entry.learnt.is_replaced_by(learnt)) {
            entry.learnt = Arc::clone(learnt);
        }
        for prefix in prefixes {
            entries.retain(|entry| !(Arc::ptr_eq(&entry.learnt, learnt) && entry.prefix == prefix));
            entries.push(Entry { prefix, learnt: Arc::clone(learnt) });
        }
        let over = entries.len().saturating_sub(MAX_SPACES);
        entries.drain(..over);
    }

    /// Forgets who was refused (H-AUTH-08) for the spaces that this path is in. Elsewhere it may still be let in.
    pub(crate) fn forget(&self, learnt: &Arc<Learnt>, path: &str) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| !(Arc::ptr_eq(&entry.learnt, learnt) && is_within(path, &entry.prefix)));
    }

    /// Forgets who cannot sign any more.
    pub(crate) fn forget_all_of(&self, learnt: &Arc<Learnt>) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| !Arc::ptr_eq(&entry.learnt, learnt));
    }
}

// === impl Learnt ===

impl Learnt {
    pub(crate) fn new(
        origin: &Origin,
        Made { scheme, signer, grade }: Made,
        (credential, scope): (Credential, Scope),
        validity: Validity,
    ) -> Self {
        let signature = Signature { scheme: scheme.name(), realm: signer.realm().map(Into::into) };
        Self {
            identity: identity(origin, signer.realm(), &credential, scope),
            fact: Authentication::new(Some(signature), 0, Vec::new()),
            scheme,
            signer,
            grade,
            credential,
            scope,
            validity,
            is_noted: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_for(&self, scheme: &str, realm: Option<&[u8]>, credential: &Credential, scope: Scope) -> bool {
        self.scheme.name() == scheme
            && self.signer.realm() == realm
            && self.scope == scope
            && self.credential.is_same(credential)
    }

    fn is_replaced_by(&self, other: &Self) -> bool {
        self.grade == other.grade
            && self.is_for(other.scheme.name(), other.signer.realm(), &other.credential, other.scope)
    }
}

/// What the space of a signer covers, which answered the challenge to a request for `uri`.
pub(crate) fn prefixes(space: Space<'_>, uri: &Uri, origin: &Origin) -> Vec<Box<str>> {
    match space {
        Space::Origin => vec!["/".into()],
        Space::Depth => depth(uri.path()).map(Into::into).into_iter().collect(),
        Space::Uris(references) => {
            let mut prefixes: Vec<Box<str>> = references
                .split_ascii_whitespace()
                .take(MAX_URIS)
                .filter_map(|reference| uri::resolve(uri, reference.as_bytes()).ok())
                .filter(|target| Origin::of(&target.uri).as_ref() == Some(origin))
                .map(|target| target.uri.path().into())
                .collect();
            // Whatever the list says, the one that was challenged is in the space.
            if !prefixes.iter().any(|prefix| is_within(uri.path(), prefix)) {
                prefixes.push(uri.path().into());
            }
            prefixes
        }
    }
}

/// The authority of an origin in its one spelling.
fn authority(origin: &Origin) -> Box<str> {
    let default_port = if origin.is_secure() { 443 } else { 80 };
    if origin.port() == default_port {
        return origin.host().into();
    }
    format!("{}:{}", origin.host(), origin.port()).into()
}

#[cfg(test)]
mod tests;
