//! What the caller says about one request.

use http::{HeaderMap, HeaderValue, header};

use crate::policy::Control;

/// How a request uses the cache: a request extension. Absent it is [`Default`](Self::Default).
///
/// A mode that is forced says so to caches further in as well, in a `Cache-Control` field, unless the request has
/// one. Variants are kept apart and the rules of a shared cache are obeyed in every mode.
///
/// | mode | what is stored | without it | the answer is stored |
/// |---|---|---|---|
/// | `Default` | is used if RFC 9111 allows it | the origin is asked | yes |
/// | `NoStore` | is not looked at | the origin is asked | no |
/// | `Reload` | is not looked at | the origin is asked | yes |
/// | `Revalidate` | is used if the origin confirms it | the origin is asked | yes |
/// | `ForceCache` | is used, however stale | the origin is asked | yes |
/// | `OnlyIfCached` | is used if RFC 9111 allows it | 504 | |
/// | `Offline` | is used, however stale | 504, for every method | |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheMode {
    /// By the rules of RFC 9111 and the directives of the request.
    #[default]
    Default,
    /// As if there were no cache; but what the request changes is dropped from it.
    NoStore,
    /// Whatever is stored is replaced by what the origin says now.
    Reload,
    /// The origin is asked whether what is stored still holds, unless it is fresh and `immutable` (RFC 8246).
    Revalidate,
    /// Whatever is stored is used without asking, also what says `no-cache` or `must-revalidate`.
    ForceCache,
    /// Like the directive `only-if-cached` (RFC 9111 §5.2.1.7).
    OnlyIfCached,
    /// Nothing is sent, whatever is asked for; whatever is stored is used, as with `ForceCache`.
    Offline,
}

// === impl CacheMode ===

impl CacheMode {
    /// The directives of a request as this mode changes them.
    pub(crate) fn control(self, headers: &HeaderMap) -> Control {
        let asked = Control::of(headers);
        // What the mode decides is not decided by directives, but a `no-store` and a `stale-if-error` still hold.
        let without = Control { no_store: asked.no_store, stale_if_error: asked.stale_if_error, ..Control::default() };
        match self {
            Self::Default => asked,
            Self::NoStore => Control { no_store: true, ..without },
            Self::Reload => without,
            // Not `no-cache`, which would ask also about what never changes (RFC 8246 §2).
            Self::Revalidate => Control { max_age: Some(0), ..asked },
            Self::ForceCache => Control { accepts_any: true, ..without },
            Self::OnlyIfCached => Control { only_if_cached: true, ..asked },
            Self::Offline => Control { accepts_any: true, only_if_cached: true, ..without },
        }
    }

    /// Whether what is stored may be looked at.
    pub(crate) fn looks(self) -> bool {
        !matches!(self, Self::NoStore | Self::Reload)
    }

    /// Says the same to caches further in.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let directives = match self {
            Self::NoStore => "no-cache, no-store",
            Self::Reload => "no-cache",
            Self::Revalidate => "max-age=0",
            Self::Default | Self::ForceCache | Self::OnlyIfCached | Self::Offline => return,
        };
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static(directives));
    }
}
