//! What a request asks of caches (RFC 9111 §5.2.1, §5.4).

use http::{HeaderMap, header};
use httplib2_syntax::cache_control::{Directive, directives};

use super::wire;

/// The cache directives of a request. Without a field that holds any, nothing is parsed.
///
/// Where a directive comes twice, or says what cannot be read, the stricter sense is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Nothing may be used without asking the origin: `no-cache`, or `Pragma: no-cache` (RFC 9111 §5.2.1.4).
    pub no_cache: bool,
    /// The answer may not be stored (RFC 9111 §5.2.1.5). What is stored already may be used.
    pub no_store: bool,
    /// The origin may not be asked (RFC 9111 §5.2.1.7).
    pub only_if_cached: bool,
    /// The greatest age that is acceptable, in seconds (RFC 9111 §5.2.1.1).
    pub max_age: Option<u32>,
    /// For how long a response must stay fresh, in seconds (RFC 9111 §5.2.1.3).
    pub min_fresh: Option<u32>,
    /// How stale a response may be, in seconds: without an argument however stale (RFC 9111 §5.2.1.2).
    pub max_stale: Option<u32>,
    /// How stale a response may be in place of an error, in seconds (RFC 5861 §4).
    pub stale_if_error: Option<u32>,
    /// Whatever is selected is used, however stale it is and whatever it says. No directive asks for that, only an
    /// option of the caller.
    pub accepts_any: bool,
}

// === impl Control ===

impl Control {
    /// Reads the `Cache-Control` and `Pragma` fields of a request.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut control = Self::default();
        if headers.contains_key(header::CACHE_CONTROL) {
            for directive in directives(wire::lines(headers, &header::CACHE_CONTROL)) {
                control.read(&directive);
            }
        }
        if headers.contains_key(header::PRAGMA) {
            // It is deprecated and does no harm beside `Cache-Control`: the stricter of the two wins.
            control.no_cache |= directives(wire::lines(headers, &header::PRAGMA)).any(|pragma| pragma.is("no-cache"));
        }
        control
    }

    fn read(&mut self, directive: &Directive<'_>) {
        if directive.is("no-cache") {
            self.no_cache = true;
        } else if directive.is("no-store") {
            self.no_store = true;
        } else if directive.is("only-if-cached") {
            self.only_if_cached = true;
        } else if directive.is("max-age") {
            least(&mut self.max_age, directive.seconds().unwrap_or(0));
        } else if directive.is("min-fresh") {
            let asked = directive.seconds().unwrap_or(u32::MAX);
            self.min_fresh = Some(self.min_fresh.map_or(asked, |before| before.max(asked)));
        } else if directive.is("max-stale") {
            let is_bare = directive.value().is_none() && !directive.is_malformed();
            least(&mut self.max_stale, if is_bare { u32::MAX } else { directive.seconds().unwrap_or(0) });
        } else if directive.is("stale-if-error") {
            least(&mut self.stale_if_error, directive.seconds().unwrap_or(0));
        }
    }
}

fn least(held: &mut Option<u32>, asked: u32) {
    *held = Some(held.map_or(asked, |before| before.min(asked)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(lines: &[(&'static str, &str)]) -> Control {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        Control::of(&headers)
    }

    fn cache_control(value: &str) -> Control {
        control(&[("cache-control", value)])
    }

    #[test]
    fn a_request_without_directives_asks_nothing() {
        assert_eq!(control(&[]), Control::default());
        assert_eq!(control(&[("cache-control", "nothing-to-see-here"), ("pragma", "foo")]), Control::default());
    }

    #[test]
    fn directives_are_read_in_any_case_and_over_several_lines() {
        // RFC 9111 §5.2.
        assert!(cache_control("No-CACHE").no_cache);
        assert!(cache_control("foo ,\tNO-store,").no_store);
        assert!(cache_control("only-if-cached").only_if_cached);
        let both = control(&[("cache-control", "max-age=5"), ("cache-control", "min-fresh=\"6\"")]);
        assert_eq!((both.max_age, both.min_fresh), (Some(5), Some(6)));
    }

    #[test]
    fn pragma_asks_for_what_no_cache_asks() {
        // RFC 9111 §5.4, H-CACHE-30.
        assert!(control(&[("pragma", "No-Cache")]).no_cache);
        assert!(control(&[("pragma", "no-cache"), ("cache-control", "foo")]).no_cache);
    }

    #[test]
    fn what_cannot_be_read_is_taken_in_the_stricter_sense() {
        for value in ["max-age", "max-age=", "max-age=-1", "max-age=abc", "max-age=1.5", "max-age=9, max-age=0"] {
            assert_eq!(cache_control(value).max_age, Some(0), "{value}");
        }
        assert_eq!(cache_control("min-fresh=x").min_fresh, Some(u32::MAX));
        assert_eq!(cache_control("max-stale=x").max_stale, Some(0));
        assert_eq!(cache_control("max-stale, max-stale=3").max_stale, Some(3));
        assert_eq!(cache_control("stale-if-error").stale_if_error, Some(0));
        assert_eq!(cache_control("stale-if-error=60").stale_if_error, Some(60));
    }

    #[test]
    fn max_stale_without_argument_accepts_any_staleness() {
        // RFC 9111 §5.2.1.2.
        assert_eq!(cache_control("max-stale").max_stale, Some(u32::MAX));
        assert_eq!(cache_control("max-stale=10").max_stale, Some(10));
    }
}
