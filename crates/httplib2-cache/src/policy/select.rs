//! Which of the stored responses of a URI answers a request (RFC 9111 §4.1).

use std::fmt;

use http::{HeaderMap, HeaderName, header};
use httplib2_syntax::vary;

use super::{Asked, Held, Rules, canonical::Canonical, fields, wire};

/// The request fields that a response was selected by, in the form in which they are compared.
///
/// Those are the fields that `Vary` names and, in a private cache, the [credentials](Rules::credentials): a caller
/// that signs its requests itself never gets what another one got. `Debug` shows the names and no values.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Selecting(Box<[Field]>);

/// A name and, if the request had such a field, its canonical value.
type Field = (HeaderName, Option<Box<[u8]>>);

/// Selects the response that answers the request: the position in `variants` of the most recent one, by its
/// `Date`, whose selecting fields and, in a private cache, whose identity are those of the request.
#[must_use]
pub fn select<'a>(rules: &Rules, asked: &Asked<'_>, variants: impl IntoIterator<Item = Held<'a>>) -> Option<usize> {
    let matching = variants.into_iter().enumerate().filter(|(_, held)| answers(rules, asked, held));
    matching.max_by_key(|(at, held)| (held.stored.date(), held.stored.received_at(), *at)).map(|(at, _)| at)
}

fn answers(rules: &Rules, asked: &Asked<'_>, held: &Held<'_>) -> bool {
    is_same_user(rules, asked, held) && held.selecting.matches(rules, asked.headers)
}

/// Whether the response was obtained for the one who asks. What a shared cache keeps is for everybody.
pub(super) fn is_same_user(rules: &Rules, asked: &Asked<'_>, held: &Held<'_>) -> bool {
    rules.is_shared()
        || (held.identity == asked.identity
            && rules.credentials.iter().all(|name| held.selecting.matches_field(rules, name, asked.headers)))
}

// === impl Selecting ===

impl Selecting {
    /// Takes from a request the fields that a response to it, with the header fields `response`, is selected
    /// by. `None` when nothing selects it: `Vary` says `*`, or cannot be read (RFC 9111 §4.1).
    #[must_use]
    pub fn of(rules: &Rules, request: &HeaderMap, response: &HeaderMap) -> Option<Self> {
        let mut names: Vec<HeaderName> = Vec::new();
        for member in vary::members(wire::lines(response, &header::VARY)) {
            let name = fields::name(member)?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if !rules.is_shared() {
            for name in rules.credentials.iter().filter(|name| request.contains_key(*name)) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        Some(Self::named(rules, request, names))
    }

    /// Takes the fields of these names from a request.
    pub(crate) fn named(rules: &Rules, request: &HeaderMap, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let field = |name: HeaderName| {
            let value = Canonical::of(rules, &name).of_request(request, &name);
            (name, value)
        };
        Self(names.into_iter().map(field).collect())
    }

    /// The names, and the values in the form in which they are compared; `None` where the request had no such
    /// field. For a store that writes them: they may be secret.
    pub fn fields(&self) -> impl Iterator<Item = (&HeaderName, Option<&[u8]>)> {
        self.0.iter().map(|(name, value)| (name, value.as_deref()))
    }

    /// Makes it again from what [`fields`](Self::fields) gave. The negotiation setting must be the same.
    pub fn from_fields(fields: impl IntoIterator<Item = (HeaderName, Option<Box<[u8]>>)>) -> Self {
        Self(fields.into_iter().collect())
    }

    fn matches(&self, rules: &Rules, request: &HeaderMap) -> bool {
        self.0.iter().all(|(name, value)| Canonical::of(rules, name).equals(value.as_deref(), request, name))
    }

    /// Whether the request has the same value of one field. A field that was not noted was absent.
    fn matches_field(&self, rules: &Rules, field: &HeaderName, request: &HeaderMap) -> bool {
        let noted = self.0.iter().find(|(name, _)| name == field).and_then(|(_, value)| value.as_deref());
        Canonical::of(rules, field).equals(noted, request, field)
    }
}

impl fmt::Debug for Selecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{
        Negotiation,
        testing::{Ask, Entry, Head},
    };

    fn matches(rules: &Rules, vary: &str, first: &Ask, second: &Ask) -> bool {
        let entry = Head::cached("max-age=60").with("vary", vary).kept(rules, first);
        select(rules, &second.asked(), [entry.held()]).is_some()
    }

    fn ask(lines: &[(&'static str, &str)]) -> Ask {
        lines.iter().fold(Ask::get(), |ask, (name, value)| ask.with(name, value))
    }

    #[test]
    fn a_response_answers_requests_with_the_same_selecting_fields() {
        // RFC 9111 §4.1, H-CACHE-40, CACHE-07, CACHE-09, trap 26.
        for (vary, first, second, expected) in [
            ("x", &[("x", "1")][..], &[("x", "1")][..], true),
            ("X", &[("x", "1")], &[("x", "1"), ("y", "2")], true),
            ("x", &[("x", "1")], &[("x", "2")], false),
            ("x", &[], &[("x", "1")], false),
            ("x", &[("x", "1")], &[], false),
            ("x", &[], &[], true),
            ("x", &[("x", "")], &[], false),
            ("x, y", &[("x", "1"), ("y", "2")], &[("x", "1"), ("y", "3")], false),
            ("x, y", &[("x", "1")], &[("x", "1")], true),
            ("x", &[("x", "1"), ("x", "2")], &[("x", "1, 2")], true),
            ("x", &[("x", "1"), ("x", "2")], &[("x", "1"), ("x", "3")], false),
            ("x", &[("x", "1")], &[("x", "1"), ("x", "2")], false),
            ("x", &[("x", "1,2")], &[("x", " 1 ,  2 ")], true),
            ("x", &[("x", "\"1,2\"")], &[("x", "\"1, 2\"")], false),
            ("x", &[("x", "1,2")], &[("x", "12")], false),
            ("user-agent", &[("user-agent", "a"), ("user-agent", "b")], &[("user-agent", "ab")], false),
            ("x", &[("x", "a")], &[("x", "A")], false),
            // No lists: white space counts.
            ("cookie", &[("cookie", "a=1,2")], &[("cookie", "a=1, 2")], false),
            ("user-agent", &[("user-agent", "a/1")], &[("user-agent", "a/1")], true),
        ] {
            assert_eq!(
                matches(&Rules::private(), vary, &ask(first), &ask(second)),
                expected,
                "{vary} {first:?} {second:?}"
            );
            assert_eq!(
                matches(&Rules::shared(), vary, &ask(first), &ask(second)),
                expected,
                "{vary} {first:?} {second:?}"
            );
        }
    }

    #[test]
    fn nothing_selects_a_response_that_varies_on_everything() {
        // RFC 9111 §4.1, H-CACHE-42, CACHE-10.
        for vary in ["*", "x, *", "a b", "x, \"y\""] {
            let head = Head::cached("max-age=60").with("vary", vary);
            assert_eq!(Selecting::of(&Rules::private(), &HeaderMap::new(), &head.headers), None, "{vary}");
        }
    }

    #[test]
    fn negotiation_is_compared_as_the_setting_says() {
        // RFC 9111 §4.1, RFC 9110 §12.4.2, §12.5.
        for (name, first, second, spelling, order) in [
            ("accept-language", "en, de", "eN,De", true, true),
            ("accept-language", "en, de;q=0.5", "en;q=1.0, de ; q=0.5", true, true),
            ("accept-language", "en, de", "de, en", false, true),
            ("accept-language", "en, de", "en", false, false),
            ("accept-language", "de, en", "deen", false, false),
            ("accept-language", "en, en", "en", false, false),
            ("accept-language", "en;q=0.5", "en;q=0.50", false, false),
            ("accept-encoding", "gzip, br", "BR, GZIP;q=1", false, true),
            ("accept", "text/HTML;level=A", "text/html; level=A", true, true),
            ("accept", "text/html;level=A", "text/html;level=a", false, false),
            ("accept", "text/html;p=\"a b\"", "text/html;p=\"ab\"", false, false),
        ] {
            for (negotiation, expected) in
                [(Negotiation::Exact, false), (Negotiation::Spelling, spelling), (Negotiation::Order, order)]
            {
                let rules = Rules { negotiation, ..Rules::private() };
                let found = matches(&rules, name, &ask(&[(name, first)]), &ask(&[(name, second)]));
                assert_eq!(found, expected, "{negotiation:?}: {first} and {second}");
                assert!(matches(&rules, name, &ask(&[(name, first)]), &ask(&[(name, first)])));
            }
        }
    }

    fn selected(rules: &Rules, ask: &Ask, entries: &[Entry]) -> Option<usize> {
        select(rules, &ask.asked(), entries.iter().map(Entry::held))
    }

    #[test]
    fn of_several_matches_the_most_recent_one_answers() {
        // RFC 9111 §4.1.
        let rules = Rules::private();
        let entry = |date, at| Head { at, ..Head::new(200).date("date", date) }.kept(&rules, &Ask::get());
        assert_eq!(selected(&rules, &Ask::get(), &[entry(1, 9), entry(5, 8), entry(3, 9)]), Some(1));
        assert_eq!(selected(&rules, &Ask::get(), &[entry(5, 9), entry(5, 8)]), Some(0));
        assert_eq!(selected(&rules, &Ask::get(), &[entry(5, 8), entry(5, 8)]), Some(1));
        assert_eq!(selected(&rules, &Ask::get(), &[]), None);
    }

    #[test]
    fn one_of_several_variants_answers() {
        // H-CACHE-41, traps 2 and 6.
        let rules = Rules::private();
        let of = |lang| Ask::get().with("accept-language", lang);
        let entry = |lang| Head::cached("max-age=60").with("vary", "accept-language").kept(&rules, &of(lang));
        let entries = [entry("de"), entry("en")];
        assert_eq!(selected(&rules, &of("de"), &entries), Some(0));
        assert_eq!(selected(&rules, &of("en"), &entries), Some(1));
        assert_eq!(selected(&rules, &of("fr"), &entries), None);
    }

    #[test]
    fn a_private_cache_keeps_its_users_apart() {
        // CACHE-51, trap 8.
        let users = [
            Ask::get(),
            Ask::get().by("alice"),
            Ask::get().by("bob"),
            Ask::get().with("authorization", "Bearer alice"),
            Ask::get().with("authorization", "Bearer bob"),
        ];
        for vary in ["x", "authorization"] {
            for (at, first) in users.iter().enumerate() {
                for (other, second) in users.iter().enumerate() {
                    assert_eq!(matches(&Rules::private(), vary, first, second), at == other, "{vary} {at} {other}");
                }
            }
        }
    }

    #[test]
    fn a_shared_cache_compares_authorization_only_if_vary_names_it() {
        let users = [Ask::get(), Ask::get().with("authorization", "Bearer alice")];
        assert!(matches(&Rules::shared(), "x", &users[0], &users[1]));
        assert!(!matches(&Rules::shared(), "authorization", &users[0], &users[1]));
    }

    #[test]
    fn selecting_fields_survive_a_store_and_hide_their_values() {
        let rules = Rules::private();
        let head = Head::cached("max-age=60").with("vary", "cookie, x");
        let ask = Ask::get().with("cookie", "s3cret").with("authorization", "Bearer s3cret");
        let entry = head.kept(&rules, &ask);
        let again =
            Selecting::from_fields(entry.selecting.fields().map(|(name, value)| (name.clone(), value.map(Into::into))));
        assert_eq!(again, entry.selecting);
        // Not in clear.
        let has_secret = |value: &[u8]| value.windows(6).any(|text| text == b"s3cret");
        assert!(!again.fields().flat_map(|(_, value)| value).any(has_secret));
        assert_eq!(format!("{again:?}"), "[\"cookie\", \"x\", \"authorization\"]");
        assert!(!format!("{:?} {:?}", entry.held(), ask.asked()).contains("s3cret"));
    }
}
