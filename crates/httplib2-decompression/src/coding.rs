//! The content codings, and the lists in which they are named.

use std::fmt;

use http::{HeaderMap, header};

use crate::codec::zstd;

/// A content coding that this crate can decode (RFC 9110 §8.4.1). `Display` writes its registered name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coding {
    /// `gzip` and its old name `x-gzip` (RFC 1952).
    Gzip,
    /// `deflate`, also called `zlib`: the zlib format (RFC 1950), and also bare deflate data (RFC 1951), which some servers
    /// wrongly send (RFC 9110 §8.4.1.2).
    Deflate,
    /// `br` (RFC 7932).
    Brotli,
    /// `zstd` (RFC 8878), with a window of at most 8 MiB (RFC 9659).
    Zstd,
}

/// What one element of a `Content-Encoding` list says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    /// No coding at all.
    Identity,
    Known(Coding),
    Unknown(&'a [u8]),
}

// === impl Coding ===

impl Coding {
    /// Whether this build can decode it: `zstd` needs the feature of that name, the others always can.
    #[must_use]
    pub const fn is_available(self) -> bool {
        match self {
            Self::Gzip | Self::Deflate | Self::Brotli => true,
            Self::Zstd => zstd::AVAILABLE,
        }
    }

    /// Its registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Element ===

impl<'a> Element<'a> {
    fn of(name: &'a [u8]) -> Self {
        const KNOWN: [(&str, Coding); 6] = [
            ("gzip", Coding::Gzip),
            ("deflate", Coding::Deflate),
            ("br", Coding::Brotli),
            ("zstd", Coding::Zstd),
            // The same thing (RFC 9110 §8.4.1.3).
            ("x-gzip", Coding::Gzip),
            // Never registered, but what `deflate` means, and known to httplib2 (H-DEC-02).
            ("zlib", Coding::Deflate),
        ];
        if name.eq_ignore_ascii_case(b"identity") {
            return Self::Identity;
        }
        match KNOWN.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes())) {
            Some((_, coding)) => Self::Known(*coding),
            None => Self::Unknown(name),
        }
    }
}

/// The elements of all `Content-Encoding` fields, in the order in which the codings were applied
/// (RFC 9110 §8.4). Empty elements are passed over (RFC 9110 §5.6.1.2).
pub(crate) fn content_codings(headers: &HeaderMap) -> impl Iterator<Item = Element<'_>> {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty())
        .map(Element::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_from_lists_and_from_several_fields() {
        use Coding::{Brotli, Deflate, Gzip, Zstd};
        use Element::{Identity, Known, Unknown};
        let table: [(&[&str], &[Element<'_>]); 16] = [
            (&[], &[]),
            (&[""], &[]),
            (&["gzip"], &[Known(Gzip)]),
            (&["GZIP"], &[Known(Gzip)]),
            (&["x-gzip"], &[Known(Gzip)]),
            (&["X-GZip"], &[Known(Gzip)]),
            (&["deflate"], &[Known(Deflate)]),
            (&["zlib"], &[Known(Deflate)]),
            (&["br"], &[Known(Brotli)]),
            (&["zstd"], &[Known(Zstd)]),
            (&["identity"], &[Identity]),
            (&["identity, gzip"], &[Identity, Known(Gzip)]),
            (&["gzip,br", "\t deflate ,, "], &[Known(Gzip), Known(Brotli), Known(Deflate)]),
            (&["gzip, compress"], &[Known(Gzip), Unknown(b"compress")]),
            // Not a list of codings: a name with a parameter is no name that we know.
            (&["gzip;q=1"], &[Unknown(b"gzip;q=1")]),
            (&["gzip br"], &[Unknown(b"gzip br")]),
        ];
        for (values, expected) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_ENCODING, value.parse().unwrap());
            }
            assert_eq!(content_codings(&headers).collect::<Vec<_>>(), expected, "{values:?}");
        }
    }

    #[test]
    fn every_coding_is_read_back_from_its_name() {
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
            assert_eq!(Element::of(coding.as_str().as_bytes()), Element::Known(coding));
        }
    }
}
