//! Lists in field values (RFC 9110 §5.6.1).

use http::{HeaderName, header};

/// Fields that are no lists, of those that `Vary` names in practice.
const NO_LISTS: [HeaderName; 5] = [header::FROM, header::HOST, header::ORIGIN, header::REFERER, header::USER_AGENT];

/// Whether a request field that `Vary` may name is a list, so that blanks around its members say nothing. Of those that
/// are not known, it is assumed.
///
/// ```
/// use http::header;
/// use httplib2_syntax::list;
///
/// assert!(list::is_list(&header::ACCEPT) && !list::is_list(&header::USER_AGENT));
/// ```
#[must_use]
pub fn is_list(name: &HeaderName) -> bool {
    !NO_LISTS.contains(name)
}

/// The members of one line of a list: split at commas outside of quotes, without blanks around them, empty ones left
/// out (RFC 9110 §5.6.1.2). A quote that is not closed reaches to the end.
///
/// ```
/// use httplib2_syntax::list;
///
/// let members: Vec<_> = list::members(b"a, , \"b, c\" ;q=1,d").collect();
/// assert_eq!(members, [&b"a"[..], b"\"b, c\" ;q=1", b"d"]);
/// ```
pub fn members(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let end = end_of_member(line);
        rest = line.get(end + 1..);
        Some(line[..end].trim_ascii())
    })
    .filter(|member| !member.is_empty())
}

fn end_of_member(line: &[u8]) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return at,
            _ => {}
        }
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_outside_of_quotes_divide_and_nothing_counts_for_nothing() {
        for (line, expected) in [
            ("", &[][..]),
            (" , ,\t", &[]),
            ("a", &["a"]),
            ("a,b , c", &["a", "b", "c"]),
            ("\"a,b\",c", &["\"a,b\"", "c"]),
            ("\"a\\\",b\",c", &["\"a\\\",b\"", "c"]),
            ("a\\,b", &["a\\", "b"]),
            ("\"a,b", &["\"a,b"]),
        ] {
            let members: Vec<_> = members(line.as_bytes()).collect();
            assert_eq!(members, expected.iter().map(|member| member.as_bytes()).collect::<Vec<_>>(), "{line}");
        }
    }
}
