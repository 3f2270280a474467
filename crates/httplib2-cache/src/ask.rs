//! A request that is looked up, and what it is looked up by.

use std::{borrow::Cow, sync::Arc};

use http::{Extensions, HeaderMap, Request, Uri, header, request};
use httplib2_core::who::Identity;
use httplib2_store::Key;

use crate::{
    CacheMode,
    collapse::Flight,
    policy::{Asked, Control},
    settings::{Settings, without_userinfo},
};

/// The head of a request as the caller sent it, and what it is looked up by.
pub(crate) struct Ask {
    pub(crate) head: request::Parts,
    pub(crate) mode: CacheMode,
    pub(crate) key: Key,
    /// For whom it would be signed further in.
    pub(crate) identity: Option<Identity>,
    /// The fetch that it makes for others as well, if it does.
    pub(crate) flight: Option<Arc<Flight>>,
    control: Control,
}

/// Where in the store its answer is looked for.
pub(crate) struct Place {
    key: Key,
    identity: Option<Identity>,
}

/// What a shared cache stores stands in a partition of its own, where no private cache on the same store finds it, nor
/// it what is private.
const SHARED: &str = "shared";

/// Makes the key of a URI, and the absolute form of that URI. `None` when it names no origin.
pub(crate) fn key_of<'a>(settings: &Settings, uri: &'a Uri, headers: &HeaderMap) -> Option<(Key, Cow<'a, Uri>)> {
    let target = match (&settings.base, uri.authority()) {
        (_, Some(_)) => Cow::Borrowed(uri),
        (Some(base), None) => Cow::Owned(base.complete(uri)?),
        (None, None) => return None,
    };
    let host = host(&target, headers)?;
    let key = match (settings.rules.is_shared(), host) {
        (false, None) => Key::of(&target),
        (true, None) => Key::in_partition(&target, SHARED),
        // Whatever the host, no partition of a shared cache is called so.
        (false, Some(host)) => Key::in_partition(&target, &format!("private {host}")),
        (true, Some(host)) => Key::in_partition(&target, &format!("{SHARED} {host}")),
    };
    Some((key?, target))
}

/// The host that a request names in its field, where that is not the one of the URI: an origin may answer by either.
/// `None` when there are several.
fn host(target: &Uri, headers: &HeaderMap) -> Option<Option<String>> {
    let mut lines = headers.get_all(header::HOST).iter();
    let Some(line) = lines.next() else { return Some(None) };
    if lines.next().is_some() {
        return None;
    }
    let host = line.to_str().ok()?.trim();
    let port = match target.scheme_str() {
        Some("https") => ":443",
        _ => ":80",
    };
    let named = without_port(target.authority().map_or("", |authority| without_userinfo(authority.as_str())), port);
    let host = without_port(host, port);
    Some((!named.eq_ignore_ascii_case(host)).then(|| host.to_ascii_lowercase()))
}

/// A host and port without the port where that says nothing: it is empty, or the one of the scheme.
fn without_port<'a>(host: &'a str, port: &str) -> &'a str {
    host.strip_suffix(port).or_else(|| host.strip_suffix(':')).unwrap_or(host)
}

pub(crate) fn identity_of(settings: &Settings, target: &Uri, options: &Extensions) -> Option<Identity> {
    settings.who_signs.as_ref()?.who_signs(target, options)
}

// === impl Place ===

impl Place {
    /// `None` when the URI of the request names no origin.
    pub(crate) fn of<B>(request: &Request<B>, settings: &Settings) -> Option<Self> {
        let (key, target) = key_of(settings, request.uri(), request.headers())?;
        let identity = identity_of(settings, &target, request.extensions());
        Some(Self { key, identity })
    }
}

// === impl Ask ===

impl Ask {
    pub(crate) fn new(head: request::Parts, mode: CacheMode, control: Control, place: Place) -> Self {
        let Place { key, identity } = place;
        Self { head, mode, key, identity, flight: None, control }
    }

    pub(crate) fn asked(&self) -> Asked<'_> {
        Asked::new(&self.head.method, &self.head.uri, &self.head.headers)
            .signed_for(self.identity.as_ref())
            .with_control(self.control)
    }
}
