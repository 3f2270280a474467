//! The value of `Age` (RFC 9111 §5.1).

use crate::{
    cache_control::delta_seconds,
    lex::{Cursor, trim},
};

/// Parses all the lines of `Age` to a number of seconds, or returns `None` when there is none or it is no number: such
/// an `Age` is ignored (RFC 9111 §5.1).
///
/// There should be one value. Of several, on one line or on more, the first counts, even if it is no number. What is
/// greater than [`MAX_SECONDS`](crate::cache_control::MAX_SECONDS) becomes that.
///
/// ```
/// use httplib2_syntax::age;
///
/// assert_eq!(age::parse([&b"7200, 0"[..]]), Some(7200));
/// assert_eq!(age::parse([&b"-7200"[..], b"0"]), None);
/// ```
#[must_use]
pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<u32> {
    lines.into_iter().find_map(first_member).and_then(delta_seconds)
}

/// The first member that is not empty, without the blanks around it.
fn first_member(line: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(line);
    cursor.skip_delimiters();
    let member = trim(cursor.take_while(|byte| byte != b','));
    Some(member).filter(|member| !member.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_ages_counts() {
        // The cases of the public cache-tests, age-parse-*.
        for (lines, expected) in [
            (&["abc"][..], None),
            (&["-7200"], None),
            (&["7200.0"], None),
            (&["+7200"], None),
            (&["72 00"], None),
            (&["7200;foo=bar"], None),
            (&["7200;foo=111"], None),
            (&["2147483647"], Some(2_147_483_647)),
            (&["2147483648"], Some(2_147_483_648)),
            (&["2147483649"], Some(2_147_483_648)),
            (&["99999999999999999999999999"], Some(2_147_483_648)),
            (&["7200, 0"], Some(7200)),
            (&["0, 7200"], Some(0)),
            (&["7200", "0"], Some(7200)),
            (&["0", "7200"], Some(0)),
            (&["0, 0"], Some(0)),
            (&["3600", "3600"], Some(3600)),
            (&["abc, 0"], None),
            (&["abc", "0"], None),
            (&[" \t5\t "], Some(5)),
            (&[" , 5"], Some(5)),
            (&["", "5"], Some(5)),
            (&["", " ,"], None),
            (&[], None),
        ] {
            assert_eq!(parse(lines.iter().map(|line| line.as_bytes())), expected, "{lines:?}");
        }
    }
}
