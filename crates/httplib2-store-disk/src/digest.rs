//! The name of a content: its SHA-256.

use std::fmt;

use cacache::{Algorithm, Integrity};
use sha2::Sha256;

/// The SHA-256 of a content, by which it is found.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

// === impl Digest ===

impl Digest {
    pub(crate) fn of(content: &[u8]) -> Self {
        Self(<Sha256 as sha2::Digest>::digest(content).into())
    }

    pub(crate) fn finish(hasher: Sha256) -> Self {
        Self(sha2::Digest::finalize(hasher).into())
    }

    /// What cacache says of a content that it has written. `None` unless that is one SHA-256.
    pub(crate) fn of_integrity(integrity: &Integrity) -> Option<Self> {
        let (Algorithm::Sha256, text) = integrity.to_hex() else { return None };
        Self::from_hex(&text)
    }

    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let text: &[u8; 64] = text.as_bytes().try_into().ok()?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }

    pub(crate) fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// As the integrity attribute of a page spells it, which is how cacache's index does.
    pub(crate) fn to_integrity(self) -> String {
        // It is the hexadecimal form of 32 bytes, so this never fails.
        Integrity::from_hex(self.to_hex(), Algorithm::Sha256).map(|integrity| integrity.to_string()).unwrap_or_default()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// Bytes in lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Only lower-case digits: a content has one name.
fn digit(text: u8) -> Option<u8> {
    match text {
        b'0'..=b'9' => Some(text - b'0'),
        b'a'..=b'f' => Some(text - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_from_what_it_is_written_as() {
        let digest = Digest::of(b"hello world");
        let text = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
        assert_eq!(digest.to_hex(), text);
        assert_eq!(Digest::from_hex(text), Some(digest));
        assert_eq!(Digest::of_integrity(&Integrity::from(b"hello world")), Some(digest));
        assert_eq!(digest.to_integrity(), Integrity::from(b"hello world").to_string());
        for other in ["", "b9", &text.to_uppercase(), &format!("{text}0"), &text.replace('b', "g")] {
            assert_eq!(Digest::from_hex(other), None, "{other}");
        }
    }
}
