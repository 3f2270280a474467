//! The settings that the decisions depend on.

use std::time::Duration;

use http::{HeaderName, header};

/// Whose cache this is (RFC 9111 §1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// It belongs to one user agent. The responses of its users are kept apart by identity.
    #[default]
    Private,
    /// It answers several users, as a proxy or a content delivery network does.
    Shared,
}

/// How fields of content negotiation are compared where `Vary` names them (RFC 9111 §4.1).
///
/// They are `Accept`, `Accept-Charset`, `Accept-Encoding` and `Accept-Language`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Negotiation {
    /// Like every other list: white space and the number of field lines play no part.
    Exact,
    /// Neither does letter case, nor a weight of one, which is what no weight means (RFC 9110 §12.4.2).
    #[default]
    Spelling,
    /// Neither does the order of the members. A server that reads an order of preference into members of
    /// equal weight (RFC 9110 §12.5.4) is then misunderstood.
    Order,
}

/// What a shared cache does with a response that sets cookies.
///
/// Such a response never gets a heuristic lifetime in a shared cache, whatever stands here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SetCookies {
    /// The response is stored without them: a cookie is meant for one user.
    #[default]
    Strip,
    /// The response is not stored.
    Skip,
    /// They are stored and served like any other field, which RFC 9111 §7.3 allows.
    Keep,
}

/// When a stored response is dropped because of an unsafe request (RFC 9111 §4.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Invalidate {
    /// When the answer is no error.
    #[default]
    Answered,
    /// Already before the request is sent, whatever becomes of it, as Python's httplib2 does; and again when the
    /// answer is no error.
    Early,
}

/// How long a response without explicit freshness is taken for fresh (RFC 9111 §4.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heuristic {
    /// The part of the time since its last modification, in percent.
    pub percent: u8,
    /// The longest lifetime that is guessed.
    pub at_most: Duration,
}

/// The settings of the policy: [`Rules::private`] or [`Rules::shared`], then changed field by field.
///
/// ```
/// use httplib2_cache::policy::Rules;
///
/// let mut rules = Rules::shared();
/// rules.heuristic = None;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rules {
    /// Whose cache this is; private by default.
    pub kind: Kind,
    /// The guess where no lifetime is given: 10 percent, one day at most. `None` never guesses, as httplib2.
    pub heuristic: Option<Heuristic>,
    /// The fields that replace `Cache-Control` for this cache, the first valid one wins (RFC 9213 §2.2):
    /// `CDN-Cache-Control` in a shared cache, none in a private one.
    pub targets: Vec<HeaderName>,
    /// The request fields that tell who asks: `Authorization`. In a private cache each value has responses of its
    /// own; in a shared one what they were sent with is for everybody only if it says so (RFC 9111 §3.5). They are
    /// compared by their digest, and a store holds nothing else of them.
    pub credentials: Vec<HeaderName>,
    /// How content negotiation is compared.
    pub negotiation: Negotiation,
    /// What a shared cache does with `Set-Cookie`.
    pub set_cookies: SetCookies,
    /// Whether `stale-while-revalidate` of a response is honoured (RFC 5861 §3); it is.
    pub stale_while_revalidate: bool,
    /// Whether `stale-if-error` of a response or request is honoured (RFC 5861 §4); it is.
    pub stale_if_error: bool,
    /// For how long after its lifetime a response that has no `stale-if-error` stands in for a 500, 502, 503
    /// or 504. `None`, the default, for not at all.
    pub stale_if_error_default: Option<Duration>,
    /// For how long after its lifetime a response stands in when no answer could be had (RFC 9111 §4.2.4):
    /// one day. `None` for not at all.
    pub stale_if_disconnected: Option<Duration>,
    /// Whether the entity tags of all variants are sent when none of them matches (RFC 9111 §4.3.1); they are.
    pub validates_variants: bool,
    /// Whether requests with `Range` are answered from the store (RFC 9110 §14.2); they are.
    pub ranges: bool,
    /// Whether parts are stored, and what broke off, to be completed later (RFC 9111 §3.3); they are.
    pub parts: bool,
    /// When an unsafe request drops what is stored.
    pub invalidate: Invalidate,
    /// Whether a 412 to an unsafe request drops what is stored, although it is an error; it does. The origin said
    /// that the caller's version is not the present one any more, and who reads again to merge must not get it
    /// from here.
    pub invalidate_on_412: bool,
    /// Whether `max-age` of a request replaces the lifetime and so may lengthen it, against RFC 9111
    /// §5.2.1.1, as httplib2 does. It does not.
    pub request_max_age_lengthens: bool,
    /// Whether `only-if-cached` is answered with a stale response, against RFC 9111 §5.2.1.7, as httplib2
    /// does. It is not.
    pub only_if_cached_serves_stale: bool,
}

// === impl Rules ===

impl Rules {
    /// The settings of a cache of one user agent.
    #[must_use]
    pub fn private() -> Self {
        Self {
            kind: Kind::Private,
            heuristic: Some(Heuristic { percent: 10, at_most: Duration::from_secs(24 * 60 * 60) }),
            targets: Vec::new(),
            credentials: vec![header::AUTHORIZATION],
            negotiation: Negotiation::default(),
            set_cookies: SetCookies::default(),
            stale_while_revalidate: true,
            stale_if_error: true,
            stale_if_error_default: None,
            stale_if_disconnected: Some(Duration::from_secs(24 * 60 * 60)),
            validates_variants: true,
            ranges: true,
            parts: true,
            invalidate: Invalidate::default(),
            invalidate_on_412: true,
            request_max_age_lengthens: false,
            only_if_cached_serves_stale: false,
        }
    }

    /// The settings of a cache that answers several users.
    #[must_use]
    pub fn shared() -> Self {
        let targets = vec![HeaderName::from_static("cdn-cache-control")];
        Self { kind: Kind::Shared, targets, ..Self::private() }
    }

    /// The settings of a private cache that deviates from RFC 9111 where Python's httplib2 does.
    #[must_use]
    pub fn httplib2() -> Self {
        Self {
            heuristic: None,
            negotiation: Negotiation::Exact,
            stale_while_revalidate: false,
            stale_if_error: false,
            stale_if_disconnected: None,
            ranges: false,
            parts: false,
            invalidate: Invalidate::Early,
            invalidate_on_412: false,
            request_max_age_lengthens: true,
            only_if_cached_serves_stale: true,
            ..Self::private()
        }
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.kind == Kind::Shared
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::private()
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::policy::{
        Consider, Failure, Reuse, consider, invalidates,
        range::Slice,
        reuse, select, slice, stands_in,
        testing::{Ask, Head, at},
    };

    const LATER: u64 = 100;

    const WHILE: &str = "max-age=1, stale-while-revalidate=600";

    const BUSY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

    fn is_served(rules: &Rules, head: &Head, stored_for: &Ask, ask: &Ask) -> bool {
        let entry = head.kept(rules, stored_for);
        let selected = select(rules, &ask.asked(), [entry.held()]).map(|_| entry.held());
        match reuse(rules, &ask.asked(), selected, true, at(LATER)) {
            Reuse::Serve(_) | Reuse::ServeAndRefresh(_) => true,
            Reuse::Validate(_) | Reuse::Forward(_) | Reuse::Refuse(_) => false,
        }
    }

    fn stands(rules: &Rules, directives: &str, failure: Failure) -> bool {
        let entry = Head::cached(directives).kept(rules, &Ask::get());
        stands_in(rules, &Ask::get().asked(), &entry.held(), failure, at(LATER)).is_some()
    }

    #[test]
    fn httplib2_deviates_where_its_rows_say_so_and_nowhere_else() {
        type Behaviour = fn(&Rules) -> bool;
        let rows: [(&str, Behaviour, bool, bool); 10] = [
            (
                "H-CACHE-31, -32",
                |rules| is_served(rules, &Head::cached("max-age=0"), &Ask::get(), &max_age()),
                false,
                true,
            ),
            ("H-CACHE-34", |rules| is_served(rules, &guessed(), &Ask::get(), &Ask::get()), true, false),
            ("H-CACHE-35", |rules| is_served(rules, &Head::cached(WHILE), &Ask::get(), &Ask::get()), true, false),
            ("H-CACHE-36", |rules| is_served(rules, &Head::cached("max-age=1"), &Ask::get(), &only()), false, true),
            ("H-CACHE-40", |rules| is_served(rules, &negotiated(), &language("en"), &language("EN")), true, false),
            ("H-CACHE-53", |rules| stands(rules, "max-age=1, stale-if-error=600", Failure::Status(BUSY)), true, false),
            ("H-CACHE-53", |rules| stands(rules, "max-age=1", Failure::Disconnected), true, false),
            ("H-CACHE-56", is_sliced, true, false),
            ("H-CACHE-60", is_early, false, true),
            ("H-LOST-07", is_dropped_by_412, true, false),
        ];
        for (row, behaviour, ours, httplib2s) in rows {
            assert_eq!(behaviour(&Rules::private()), ours, "{row}");
            assert_eq!(behaviour(&Rules::httplib2()), httplib2s, "{row}, httplib2");
        }
    }

    fn max_age() -> Ask {
        Ask::get().control("max-age=3600")
    }

    fn only() -> Ask {
        Ask::get().control("only-if-cached")
    }

    fn language(language: &str) -> Ask {
        Ask::get().with("accept-language", language)
    }

    fn negotiated() -> Head {
        Head::cached("max-age=600").with("vary", "accept-language")
    }

    fn guessed() -> Head {
        Head::new(200).date("date", 0).date("last-modified", -100_000)
    }

    fn is_sliced(rules: &Rules) -> bool {
        let entry = Head::cached("max-age=600").kept(rules, &Ask::get());
        let ask = Ask::get().with("range", "bytes=0-1");
        matches!(slice(rules, &ask.asked(), &entry.held(), 10), Slice::Ranges(..))
    }

    fn is_early(rules: &Rules) -> bool {
        let put = Ask { method: http::Method::PUT, ..Ask::get() };
        consider(rules, &put.asked()) == Consider::Invalidate(Invalidate::Early)
    }

    fn is_dropped_by_412(rules: &Rules) -> bool {
        let uris = invalidates(rules, &Ask::get().asked(), StatusCode::PRECONDITION_FAILED, &Head::new(412).headers);
        !uris.is_empty()
    }
}
