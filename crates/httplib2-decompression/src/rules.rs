//! The settings of a layer, and the field that they make.

use http::{Extensions, HeaderValue};

use crate::{Coding, DecodeLimits, Decoding};

/// The settings of a layer.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) decoding: Decoding,
    /// Those that are decoded, in the order in which they are named in `Accept-Encoding`.
    pub(crate) codings: Vec<Coding>,
    pub(crate) ranked: bool,
    pub(crate) max_codings: usize,
    pub(crate) limits: DecodeLimits,
    /// What is asked for, made of the above; `None` asks for nothing.
    pub(crate) accept_encoding: Option<HeaderValue>,
}

// === impl Rules ===

impl Default for Rules {
    fn default() -> Self {
        let mut rules = Self {
            decoding: Decoding::Auto,
            codings: Vec::new(),
            ranked: false,
            max_codings: 2,
            limits: DecodeLimits::default(),
            accept_encoding: None,
        };
        rules.set_codings([Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd]);
        rules
    }
}

impl Rules {
    pub(crate) fn set_codings(&mut self, codings: impl IntoIterator<Item = Coding>) {
        self.codings.clear();
        for coding in codings {
            if coding.is_available() && !self.codings.contains(&coding) {
                self.codings.push(coding);
            }
        }
        self.set_accept_encoding();
    }

    pub(crate) fn set_ranked(&mut self, ranked: bool) {
        self.ranked = ranked;
        self.set_accept_encoding();
    }

    pub(crate) fn decoding_for(&self, options: &Extensions) -> Decoding {
        options.get().copied().unwrap_or(self.decoding)
    }

    pub(crate) fn limits_for(&self, options: &Extensions) -> DecodeLimits {
        options.get().copied().unwrap_or(self.limits)
    }

    fn set_accept_encoding(&mut self) {
        let mut list = String::new();
        for (index, coding) in self.codings.iter().enumerate() {
            if index > 0 {
                list.push_str(", ");
            }
            list.push_str(coding.as_str());
            if self.ranked && index > 0 {
                // RFC 9110 §12.4.2. There are fewer than ten codings.
                list.push_str(&format!(";q=0.{}", 10 - index));
            }
        }
        // An empty field would say that no coding is welcome; saying nothing is not the same.
        self.accept_encoding = HeaderValue::try_from(list).ok().filter(|list| !list.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Coding::{Brotli, Deflate, Gzip};

    #[test]
    fn the_field_names_each_coding_once_in_the_given_order() {
        let table: [(&[Coding], bool, Option<&str>); 6] = [
            (&[], false, None),
            (&[Gzip], false, Some("gzip")),
            (&[Gzip], true, Some("gzip")),
            (&[Brotli, Gzip, Brotli], false, Some("br, gzip")),
            (&[Brotli, Gzip, Deflate], true, Some("br, gzip;q=0.9, deflate;q=0.8")),
            (&[Gzip, Deflate, Brotli], false, Some("gzip, deflate, br")),
        ];
        for (codings, ranked, expected) in table {
            let mut rules = Rules::default();
            rules.set_codings(codings.iter().copied());
            rules.set_ranked(ranked);
            assert_eq!(rules.accept_encoding.as_ref().map(|value| value.to_str().unwrap()), expected);
        }
    }

    #[test]
    fn a_coding_that_this_build_cannot_decode_is_not_asked_for() {
        let asked = Rules::default().accept_encoding.unwrap();
        let names_zstd = asked.to_str().unwrap().contains("zstd");
        assert_eq!(names_zstd, Coding::Zstd.is_available());
    }
}
