//! httplib2's file names.

use md5::{Digest, Md5};

/// How many characters of the URI are kept, so that a whole path stays within what Windows allows.
const KEPT: usize = 90;

/// The name of the file in which httplib2 keeps what has this key (H-CACHE-05).
///
/// It is what is left of the URI without its scheme and without everything but ASCII letters, digits and `_-.()=!`, cut to
/// 90 characters, and behind a comma the MD5 digest of the whole key in hexadecimal digits: at most 123 characters.
///
/// ```
/// use httplib2_store_object::safename;
///
/// assert_eq!(safename("http://example.org/a?b=c"), "example.orgab=c,9ab4f6e1beb7e35098fa2f77258abf55");
/// ```
#[must_use]
pub fn safename(key: &str) -> String {
    let is_kept = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.()=!".contains(byte);
    let rest = without_scheme(key).bytes().filter(is_kept).take(KEPT);
    let mut name: String = rest.map(char::from).collect();
    name.push(',');
    for byte in Md5::digest(key) {
        for digit in [byte >> 4, byte & 15] {
            name.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    name
}

/// A scheme is what a word, of letters of any language, digits and underscores, says before `://`.
fn without_scheme(key: &str) -> &str {
    match key.split_once("://") {
        Some((word, rest)) if !word.is_empty() && word.chars().all(is_of_a_word) => rest,
        _ => key,
    }
}

fn is_of_a_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests;
