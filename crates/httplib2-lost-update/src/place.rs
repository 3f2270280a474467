//! Of what, and for whom, something is known: hashes with keys that nobody knows, so that a ledger holds neither
//! URIs nor secrets, and nobody can make two of them meet.

use std::hash::{BuildHasher, Hasher, RandomState};

use http::{Extensions, HeaderMap, HeaderName, Uri, header};
use httplib2_core::who::OriginParts;
use httplib2_syntax::vary::{self, Member};

use crate::Editor;

/// A URI as one editor sees it, and the fields of a request that may select a variant of it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) key: Key,
    pub(crate) fields: Fields,
}

/// A URI as one editor sees it. Wide enough that no two of them meet by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key(u64, u64);

/// The fields of a request: the hash of each name and of its values, in the order of the name's hash.
#[derive(Clone, Debug)]
pub(crate) struct Fields(Vec<(u64, u64)>);

/// The fields that selected a variant (RFC 9111 §4.1): the hash of each name, and of its values if the request
/// had any.
pub(crate) type Selecting = Vec<(u64, Option<u64>)>;

/// The keys of the hashes.
#[derive(Clone, Debug)]
pub(crate) struct Keys(RandomState, RandomState);

/// How well the fields of a request fit those that selected a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// A field has another value.
    Not,
    /// Where the request has a field, it has the same value; of others it says nothing.
    Partly,
    /// They are the same.
    Wholly,
}

/// A `Vary` with more names is taken for `*`.
const MOST_NAMES: usize = 32;

// === impl Keys ===

impl Default for Keys {
    fn default() -> Self {
        Self(RandomState::new(), RandomState::new())
    }
}

impl Keys {
    /// The place of a request, or `None` where its URI has no origin.
    pub(crate) fn place(&self, uri: &Uri, headers: &HeaderMap, options: &Extensions, by_user: bool) -> Option<Place> {
        let origin = OriginParts::of(uri)?;
        let key = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            for part in [&origin.scheme, &origin.host, uri.path(), uri.query().unwrap_or_default()] {
                write(&mut hasher, part.as_bytes());
            }
            hasher.write_u16(origin.port);
            hasher.write_u8(u8::from(uri.query().is_some()));
            match options.get() {
                Some(Editor(number)) => {
                    hasher.write_u8(1);
                    hasher.write_u64(*number);
                }
                None if by_user => {
                    hasher.write_u8(2);
                    for name in [header::AUTHORIZATION, header::COOKIE] {
                        write_values(&mut hasher, headers, &name);
                        hasher.write_u8(0);
                    }
                }
                None => hasher.write_u8(3),
            }
            hasher.finish()
        };
        Some(Place { key: Key(key(&self.0), key(&self.1)), fields: self.fields(headers) })
    }

    /// What of a request with these fields selected the answer with this `Vary`, or `None` where it cannot be
    /// known: `*`, or what is no list of names.
    pub(crate) fn selecting(&self, answer: &HeaderMap, fields: &Fields) -> Option<Selecting> {
        let mut selecting = Selecting::new();
        for member in vary::members(answer.get_all(header::VARY).iter().map(|value| value.as_bytes())) {
            let Member::Name(name) = member else { return None };
            let name = self.name(&HeaderName::from_bytes(name.as_bytes()).ok()?);
            if selecting.len() == MOST_NAMES {
                return None;
            }
            selecting.push((name, fields.values(name)));
        }
        selecting.sort_unstable();
        selecting.dedup();
        Some(selecting)
    }

    fn fields(&self, headers: &HeaderMap) -> Fields {
        let mut fields: Vec<_> = headers
            .keys()
            .map(|name| {
                let mut hasher = self.0.build_hasher();
                write_values(&mut hasher, headers, name);
                (self.name(name), hasher.finish())
            })
            .collect();
        fields.sort_unstable();
        Fields(fields)
    }

    fn name(&self, name: &HeaderName) -> u64 {
        self.1.hash_one(name.as_str())
    }
}

fn write_values(hasher: &mut impl Hasher, headers: &HeaderMap, name: &HeaderName) {
    for value in headers.get_all(name) {
        write(hasher, value.as_bytes());
    }
}

/// The length keeps `ab`, `c` apart from `a`, `bc`.
fn write(hasher: &mut impl Hasher, bytes: &[u8]) {
    hasher.write_usize(bytes.len());
    hasher.write(bytes);
}

// === impl Fields ===

impl Fields {
    pub(crate) fn fit(&self, selecting: &Selecting) -> Fit {
        let of_field = |&(name, wanted): &(u64, Option<u64>)| match self.values(name) {
            values if values == wanted => Fit::Wholly,
            None => Fit::Partly,
            Some(_) => Fit::Not,
        };
        selecting.iter().map(of_field).min().unwrap_or(Fit::Wholly)
    }

    /// What of a request with these fields selects, where these names do.
    pub(crate) fn selecting_like(&self, selecting: &Selecting) -> Selecting {
        selecting.iter().map(|&(name, _)| (name, self.values(name))).collect()
    }

    fn values(&self, name: u64) -> Option<u64> {
        let index = self.0.binary_search_by_key(&name, |&(name, _)| name).ok()?;
        self.0.get(index).map(|&(_, values)| values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn one_resource_has_one_key() {
        let keys = Keys::default();
        let key = |uri: &str| {
            let uri = uri.parse().unwrap();
            keys.place(&uri, &HeaderMap::new(), &Extensions::new(), true).map(|place| place.key)
        };
        for (left, right, same) in [
            ("http://a.example/x", "http://A.EXAMPLE:80/x", true),
            ("http://u:p@a.example/x", "http://a.example/x", true),
            ("http://a.example", "http://a.example/", true),
            ("http://[::1]/x", "http://[0:0::1]/x", true),
            ("http://a.example/x", "https://a.example/x", false),
            ("http://a.example/x", "http://a.example:8080/x", false),
            ("http://a.example/x", "http://a.example/X", false),
            ("http://a.example/x", "http://a.example/x?", false),
            ("http://a.example/x?a", "http://a.example/x?b", false),
            ("http://a.example/x", "http://a.examplex/", false),
        ] {
            assert_eq!(key(left) == key(right), same, "{left} and {right}");
            assert!(key(left).is_some() && key(right).is_some());
        }
        assert_eq!(key("/x"), None);
    }

    #[test]
    fn editors_are_told_apart_by_their_number_or_their_credentials() {
        let keys = Keys::default();
        let uri = "http://a.example/".parse().unwrap();
        let key = |fields: &[_], editor: Option<u64>, by_user| {
            let mut options = Extensions::new();
            editor.map(|number| options.insert(Editor(number)));
            keys.place(&uri, &headers(fields), &options, by_user).unwrap().key
        };
        let (ann, bob) = ([("authorization", "Basic YW5u")], [("authorization", "Basic Ym9i")]);
        assert_eq!(key(&ann, None, true), key(&ann, None, true));
        assert_ne!(key(&ann, None, true), key(&bob, None, true));
        assert_ne!(key(&ann, None, true), key(&[("cookie", "Basic YW5u")], None, true));
        assert_ne!(key(&ann, None, true), key(&[], None, true));
        assert_eq!(key(&ann, None, false), key(&bob, None, false));
        assert_eq!(key(&ann, Some(1), true), key(&bob, Some(1), true));
        assert_ne!(key(&ann, Some(1), true), key(&ann, Some(2), true));
        // Two fields are not one with both values.
        let (one, two) = ([("cookie", "ab")], [("cookie", "a"), ("cookie", "b")]);
        assert_ne!(key(&one, None, true), key(&two, None, true));
    }

    #[test]
    fn a_request_fits_the_variant_that_its_fields_select() {
        let keys = Keys::default();
        let fields = |fields: &[_]| keys.fields(&headers(fields));
        let vary = |value| headers(&[("vary", value)]);
        let json = fields(&[("accept", "json"), ("x-other", "1")]);
        let by_accept = keys.selecting(&vary("ACCEPT, accept,"), &json).unwrap();
        assert_eq!(by_accept.len(), 1);
        for (request, expected) in [
            (&[("accept", "json"), ("x-other", "2")][..], Fit::Wholly),
            (&[("accept", "html")][..], Fit::Not),
            (&[("accept", "json"), ("accept", "html")][..], Fit::Not),
            (&[][..], Fit::Partly),
        ] {
            assert_eq!(fields(request).fit(&by_accept), expected, "{request:?}");
        }
        // The variant of a request without the field is not that of one with it.
        let plain = keys.selecting(&vary("accept"), &fields(&[])).unwrap();
        assert_eq!(json.fit(&plain), Fit::Not);
        assert_eq!(fields(&[]).fit(&plain), Fit::Wholly);
        assert_eq!(fields(&[]).fit(&Selecting::new()), Fit::Wholly);
        assert_eq!(json.selecting_like(&plain), by_accept);
    }

    #[test]
    fn what_a_star_selects_is_not_known() {
        // Trap 54: httplib2 looked for a field with the name `*`.
        let keys = Keys::default();
        let none = keys.fields(&HeaderMap::new());
        let many: Vec<_> = (0..40).map(|n| format!("x-{n}")).collect();
        for vary in ["*", "accept, *", "accept language", &many.join(", ")] {
            let mut answer = HeaderMap::new();
            answer.insert("vary", vary.parse().unwrap());
            assert_eq!(keys.selecting(&answer, &none), None, "{vary}");
        }
        assert_eq!(keys.selecting(&HeaderMap::new(), &none), Some(Selecting::new()));
    }
}
