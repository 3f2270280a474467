//! Why a request was answered as it was: for people, and for `Cache-Status` (RFC 9211).

use std::fmt;

/// Why a request was answered from the store, or was not. `Display` writes it for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// Its method is not one whose answers are stored.
    Method,
    /// It asks for another protocol.
    Upgrade,
    /// It has content.
    Content,
    /// It asks for a part.
    Range,
    /// It asks whether the origin is in a certain state.
    Precondition,
    /// Its URI names no host, and there is nothing to complete it with.
    Relative,
    /// Another cache further out handles it.
    OtherCache,
    /// The caller wants nothing that is stored.
    Reload,
    /// Only a part is stored, and the request asks for more or for something else.
    Part,
    /// Nothing is stored of its URI.
    Missing,
    /// What is stored of its URI was selected by other request fields, or for somebody else.
    OtherVariant,
    /// It is made for somebody, and what a shared cache holds does not say that it is for everybody.
    Authorized,
    /// The request wants the origin to be asked.
    RequestNoCache,
    /// The stored response wants the origin to be asked.
    NoCache,
    /// The stored response is older than the request accepts.
    TooOld {
        /// Its age in seconds.
        age: u32,
        /// `max-age` of the request in seconds.
        max_age: u32,
    },
    /// The stored response does not stay fresh for as long as the request wants.
    TooShort {
        /// For how many seconds it is still fresh.
        left: u32,
        /// `min-fresh` of the request in seconds.
        min_fresh: u32,
    },
    /// The stored response is fresh.
    Fresh(Ages),
    /// The stored response is fresh for longer than the origin said: the request asked for it (H-CACHE-32).
    FreshByRequest(Ages),
    /// The stored response is stale.
    Stale(Ages),
    /// It is stale, and `max-stale` of the request accepts it.
    MaxStale(Ages),
    /// It is stale, and `stale-while-revalidate` permits it while it is refreshed.
    WhileRevalidating(Ages),
    /// It is stale, and no more than it is to be had: `only-if-cached` by httplib2's rule (H-CACHE-36).
    OnlyIfCached(Ages),
    /// It is stale, and the caller accepts whatever is stored.
    Forced(Ages),
    /// The answer was an error, and it stands in for it.
    OnError(Ages),
    /// There was no answer, and it stands in for it.
    Disconnected(Ages),
}

/// How old a stored response is, and for how long it is or was fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ages {
    /// Its age in seconds.
    pub age: u32,
    /// Its lifetime in seconds.
    pub lifetime: u32,
}

/// Why a request went on to the origin: the `fwd` parameter of `Cache-Status` (RFC 9211 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarded {
    /// The cache was not to handle it.
    Bypass,
    /// Its method means that it must be forwarded.
    Method,
    /// Nothing was stored of its URI.
    UriMiss,
    /// Nothing that was stored of its URI matched its fields.
    VaryMiss,
    /// What was stored was only a part of what the request asked for.
    Partial,
    /// What was stored was fresh, but the request did not accept it.
    Request,
    /// What was stored was stale.
    Stale,
}

/// The parameters of a `Cache-Status` member (RFC 9211 §2). `Display` writes what stands behind the name of the
/// cache, such as `; hit; ttl=30`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStatus {
    /// Why the request went on; `None` for a hit.
    pub forwarded: Option<Forwarded>,
    /// The status that the origin answered with, where it is not the one of the response: 304 after validation.
    pub forwarded_status: Option<u16>,
    /// For how many seconds the response is still fresh; negative if it is stale.
    pub ttl: Option<i64>,
    /// Whether the answer of the origin was stored.
    pub stored: bool,
    /// Whether the request waited for another one of the same kind.
    pub collapsed: bool,
}

// === impl Why ===

impl Why {
    /// The `fwd` parameter of RFC 9211 §2.2, for a request that went on for this reason.
    #[must_use]
    pub fn forwarded(self) -> Forwarded {
        match self {
            Self::Method => Forwarded::Method,
            Self::Upgrade
            | Self::Content
            | Self::Range
            | Self::Precondition
            | Self::Authorized
            | Self::Relative
            | Self::OtherCache => Forwarded::Bypass,
            Self::Part => Forwarded::Partial,
            Self::Missing => Forwarded::UriMiss,
            Self::OtherVariant => Forwarded::VaryMiss,
            Self::Reload | Self::RequestNoCache | Self::TooOld { .. } | Self::TooShort { .. } => Forwarded::Request,
            // A response that must be validated on each use is used like a stale one.
            Self::NoCache
            | Self::Fresh(_)
            | Self::FreshByRequest(_)
            | Self::Stale(_)
            | Self::MaxStale(_)
            | Self::WhileRevalidating(_)
            | Self::OnlyIfCached(_)
            | Self::Forced(_)
            | Self::OnError(_)
            | Self::Disconnected(_) => Forwarded::Stale,
        }
    }
}

impl Why {
    /// Whether it says that the stored response is fresh.
    pub(crate) fn is_fresh(self) -> bool {
        matches!(self, Self::Fresh(_) | Self::FreshByRequest(_))
    }

    /// The reason where a refresh in the background is out of the question.
    pub(super) fn without_refresh(self) -> Self {
        match self {
            Self::WhileRevalidating(ages) => Self::Stale(ages),
            why => why,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method => f.write_str("the method is not cached"),
            Self::Upgrade => f.write_str("the request upgrades the connection"),
            Self::Content => f.write_str("the request has content"),
            Self::Range => f.write_str("the request asks for a part"),
            Self::Precondition => f.write_str("the request has a precondition for the origin"),
            Self::Relative => f.write_str("the URI names no host"),
            Self::OtherCache => f.write_str("another cache handles it"),
            Self::Reload => f.write_str("the caller wants nothing of the store"),
            Self::Part => f.write_str("only a part stored"),
            Self::Missing => f.write_str("nothing stored"),
            Self::OtherVariant => f.write_str("only other variants stored"),
            Self::Authorized => f.write_str("not stored for everybody"),
            Self::RequestNoCache => f.write_str("the request says no-cache"),
            Self::NoCache => f.write_str("the stored response says no-cache"),
            Self::TooOld { age, max_age } => write!(f, "too old (age {age} s, the request accepts {max_age} s)"),
            Self::TooShort { left, min_fresh } => {
                write!(f, "fresh for too short (another {left} s, the request wants {min_fresh} s)")
            }
            Self::Fresh(ages) => write!(f, "fresh ({ages})"),
            Self::FreshByRequest(ages) => write!(f, "fresh by max-age of the request ({ages})"),
            Self::Stale(ages) => write!(f, "stale ({ages})"),
            Self::MaxStale(ages) => write!(f, "stale ({ages}), accepted by max-stale"),
            Self::WhileRevalidating(ages) => write!(f, "stale ({ages}), served while it is revalidated"),
            Self::OnlyIfCached(ages) => write!(f, "stale ({ages}), served for only-if-cached"),
            Self::Forced(ages) => write!(f, "stale ({ages}), forced by the caller"),
            Self::OnError(ages) => write!(f, "stale ({ages}), served in place of an error"),
            Self::Disconnected(ages) => write!(f, "stale ({ages}), served because no answer could be had"),
        }
    }
}

impl fmt::Display for Ages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { age, lifetime } = self;
        let sign = match age.cmp(lifetime) {
            std::cmp::Ordering::Less => '<',
            std::cmp::Ordering::Equal => '=',
            std::cmp::Ordering::Greater => '>',
        };
        write!(f, "age {age} s {sign} lifetime {lifetime} s")
    }
}

// === impl CacheStatus ===

impl fmt::Display for Forwarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bypass => "bypass",
            Self::Method => "method",
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Partial => "partial",
            Self::Request => "request",
            Self::Stale => "stale",
        })
    }
}

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.forwarded {
            None => f.write_str("; hit")?,
            Some(forwarded) => write!(f, "; fwd={forwarded}")?,
        }
        // These say what became of a forwarded request (RFC 9211 §2.3, §2.5, §2.6).
        if self.forwarded.is_some() {
            if let Some(status) = self.forwarded_status {
                write!(f, "; fwd-status={status}")?;
            }
            if self.stored {
                f.write_str("; stored")?;
            }
            if self.collapsed {
                f.write_str("; collapsed")?;
            }
        }
        if let Some(ttl) = self.ttl { write!(f, "; ttl={ttl}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ages(age: u32) -> Ages {
        Ages { age, lifetime: 60 }
    }

    #[test]
    fn a_reason_reads_as_a_line() {
        for (why, text) in [
            (Why::Stale(ages(120)), "stale (age 120 s > lifetime 60 s)"),
            (Why::Stale(ages(60)), "stale (age 60 s = lifetime 60 s)"),
            (Why::Fresh(ages(5)), "fresh (age 5 s < lifetime 60 s)"),
            (Why::MaxStale(ages(61)), "stale (age 61 s > lifetime 60 s), accepted by max-stale"),
            (Why::TooOld { age: 9, max_age: 5 }, "too old (age 9 s, the request accepts 5 s)"),
            (Why::Forced(ages(61)), "stale (age 61 s > lifetime 60 s), forced by the caller"),
            (Why::Missing, "nothing stored"),
        ] {
            assert_eq!(why.to_string(), text);
        }
    }

    #[test]
    fn what_is_used_stale_is_not_fresh() {
        let is_fresh = |why: Why| why.is_fresh();
        assert!(is_fresh(Why::Fresh(ages(5))) && is_fresh(Why::FreshByRequest(ages(5))));
        for why in [Why::Stale, Why::MaxStale, Why::WhileRevalidating, Why::OnlyIfCached, Why::OnError, Why::Forced] {
            assert!(!is_fresh(why(ages(90))));
        }
    }

    #[test]
    fn cache_status_names_hit_or_forward() {
        // RFC 9211 §2.
        for (status, text) in [
            (CacheStatus { ttl: Some(30), ..CacheStatus::default() }, "; hit; ttl=30"),
            (CacheStatus { ttl: Some(-5), stored: true, ..CacheStatus::default() }, "; hit; ttl=-5"),
            (
                CacheStatus {
                    forwarded: Some(Why::Stale(Ages { age: 9, lifetime: 5 }).forwarded()),
                    forwarded_status: Some(304),
                    stored: true,
                    ttl: Some(60),
                    collapsed: true,
                },
                "; fwd=stale; fwd-status=304; stored; collapsed; ttl=60",
            ),
            (CacheStatus { forwarded: Some(Why::Missing.forwarded()), ..CacheStatus::default() }, "; fwd=uri-miss"),
        ] {
            assert_eq!(status.to_string(), text);
        }
    }

    #[test]
    fn each_reason_to_forward_has_its_parameter() {
        // RFC 9211 §2.2.
        for (why, parameter) in [
            (Why::Method, "method"),
            (Why::Upgrade, "bypass"),
            (Why::Range, "bypass"),
            (Why::Authorized, "bypass"),
            (Why::Missing, "uri-miss"),
            (Why::OtherVariant, "vary-miss"),
            (Why::RequestNoCache, "request"),
            (Why::TooOld { age: 1, max_age: 0 }, "request"),
            (Why::NoCache, "stale"),
            (Why::Part, "partial"),
        ] {
            assert_eq!(why.forwarded().to_string(), parameter, "{why}");
        }
    }
}
