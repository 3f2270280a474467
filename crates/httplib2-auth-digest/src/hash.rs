//! The hash functions of the scheme, and their results as text.

use std::fmt;

use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512_256};
use zeroize::Zeroize;

/// A hash function (RFC 7616 §3.2). `SHA-512-256` is SHA-512/256 with initial values of its own (FIPS 180-4 §5.3.6)
/// and not a SHA-512 that was cut off, which is what the example of RFC 7616 §3.9.2 shows (erratum 4897).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Md5,
    Sha256,
    Sha512_256,
}

/// What the server asks for: a hash function, and whether its keys are made per session (RFC 7616 §3.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Algorithm {
    pub(crate) hash: Hash,
    pub(crate) is_session: bool,
}

/// A hash that is being computed.
pub(crate) enum Hasher {
    Md5(Md5),
    Sha256(Sha256),
    Sha512_256(Sha512_256),
}

/// Up to 32 bytes as lower-case hexadecimal digits, without an allocation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hex {
    digits: [u8; 64],
    length: usize,
}

const ALGORITHMS: [(&str, Algorithm); 6] = [
    ("MD5", Algorithm { hash: Hash::Md5, is_session: false }),
    ("MD5-sess", Algorithm { hash: Hash::Md5, is_session: true }),
    ("SHA-256", Algorithm { hash: Hash::Sha256, is_session: false }),
    ("SHA-256-sess", Algorithm { hash: Hash::Sha256, is_session: true }),
    ("SHA-512-256", Algorithm { hash: Hash::Sha512_256, is_session: false }),
    ("SHA-512-256-sess", Algorithm { hash: Hash::Sha512_256, is_session: true }),
];

// === impl Algorithm ===

impl Algorithm {
    /// The algorithm of this name, whatever its case (H-DIG-08).
    pub(crate) fn named(name: &str) -> Option<Self> {
        ALGORITHMS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, algorithm)| *algorithm)
    }

    pub(crate) fn name(self) -> &'static str {
        ALGORITHMS.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

// === impl Hash ===

impl Hash {
    /// The hash of the pieces with a colon between each two.
    pub(crate) fn of(self, pieces: &[&[u8]]) -> Hex {
        let mut hasher = self.hasher();
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                hasher.update(b":");
            }
            hasher.update(piece);
        }
        hasher.finish()
    }

    pub(crate) fn hasher(self) -> Hasher {
        match self {
            Self::Md5 => Hasher::Md5(Md5::new()),
            Self::Sha256 => Hasher::Sha256(Sha256::new()),
            Self::Sha512_256 => Hasher::Sha512_256(Sha512_256::new()),
        }
    }
}

// === impl Hasher ===

impl Hasher {
    pub(crate) fn update(&mut self, piece: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(piece),
            Self::Sha256(hasher) => hasher.update(piece),
            Self::Sha512_256(hasher) => hasher.update(piece),
        }
    }

    pub(crate) fn finish(self) -> Hex {
        match self {
            Self::Md5(hasher) => Hex::of(&hasher.finalize()),
            Self::Sha256(hasher) => Hex::of(&hasher.finalize()),
            Self::Sha512_256(hasher) => Hex::of(&hasher.finalize()),
        }
    }
}

// === impl Hex ===

impl Hex {
    /// The digits of the first 32 bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self { digits, length: bytes.len().min(32) * 2 }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.digits[..self.length]
    }
}

impl Zeroize for Hex {
    fn zeroize(&mut self) {
        self.digits.zeroize();
        self.length = 0;
    }
}

impl fmt::Debug for Hex {
    // It may be the hash of a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hex(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(hex: &Hex) -> &str {
        str::from_utf8(hex.as_bytes()).unwrap()
    }

    // The expected values are those of Python's hashlib.
    #[test]
    fn each_algorithm_has_its_hash() {
        for (name, expected) in [
            ("MD5", "d8160c9b3dc20d4e931aeb4f45262155"),
            ("SHA-256", "6783a31eabf68ccc0660f935c0826282bdd2241f3a80a9f2d10d59aea9ebb5d8"),
            ("SHA-512-256", "399ce3b985f4a59dcded69bacdd23f8fe39ff5dacb7ced8431ff48ca561cf644"),
        ] {
            let algorithm = Algorithm::named(name).unwrap();
            assert_eq!(text(&algorithm.hash.of(&[b"a", b"b"])), expected, "{name}");
        }
    }

    #[test]
    fn names_of_algorithms_have_no_case_and_no_other_spelling() {
        for (name, algorithm) in ALGORITHMS {
            assert_eq!(Algorithm::named(&name.to_ascii_lowercase()), Some(algorithm));
            assert_eq!(Algorithm::named(&name.to_ascii_uppercase()), Some(algorithm));
            assert_eq!(algorithm.name(), name);
        }
        for name in ["", "ROT13", "SHA-512", "SHA-512/256", "SHA256", "MD5 ", "-sess"] {
            assert_eq!(Algorithm::named(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_wiped_hash_has_no_digits_left() {
        let mut hex = Hash::Md5.of(&[b"secret"]);
        hex.zeroize();
        assert_eq!((hex.as_bytes(), hex.digits), (&b""[..], [0; 64]));
    }
}
