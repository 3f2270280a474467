//! The request fields that selected a response, as httplib2 notes them (H-CACHE-19).
//!
//! httplib2 notes a value as it was sent; a cache keeps it in the form in which it is compared: the members of a list
//! with nothing but a comma between them. What is written has a blank behind the comma, as most send it, so that
//! httplib2, which compares octets, finds it again.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use httplib2_store::Head;
use httplib2_syntax::{
    list,
    vary::{self, Member},
};

/// What a head has of it: the name, and the value if the request had that field.
type Selecting = Vec<(HeaderName, Option<Box<[u8]>>)>;

/// Fields whose values say who somebody is. They are not written down in clear, and httplib2 knows no other way.
const SECRETS: [HeaderName; 3] = [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];

/// How many fields `Vary` may name. Who names more does not mean them.
const MOST: usize = 256;

/// The notes of what selected a response, or `None` when they cannot be written: they would give a secret away, or be
/// read as something else.
pub(crate) fn written(head: &Head) -> Option<Vec<(&HeaderName, Vec<u8>)>> {
    let named = named(&head.headers)?;
    let is_noted = |name| head.selecting.iter().any(|(selecting, _)| selecting == name);
    if !named.iter().all(is_noted) || !head.selecting.iter().all(|(name, _)| named.contains(name)) {
        return None;
    }
    let mut notes = Vec::new();
    for (name, value) in &head.selecting {
        let Some(value) = value else { continue };
        let is_text = value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f));
        if SECRETS.contains(name) || !is_text {
            return None;
        }
        notes.push((name, if list::is_list(name) { joined(value, b", ") } else { value.to_vec() }));
    }
    Some(notes)
}

/// What selected the response, in the form in which a cache compares it. `None` when nothing selects it (H-CACHE-42), or
/// when httplib2 noted a secret, which no cache compares in clear.
pub(crate) fn read(headers: &HeaderMap, notes: &[(HeaderName, Vec<u8>)]) -> Option<Selecting> {
    let mut selecting = Selecting::new();
    for name in named(headers)? {
        let note = notes.iter().find(|(noted, _)| *noted == name).map(|(_, value)| value);
        let value = match note {
            Some(_) if SECRETS.contains(&name) => return None,
            Some(value) if list::is_list(&name) => Some(joined(value, b",")),
            Some(value) => Some(value.clone()),
            None => None,
        };
        selecting.push((name, value.map(Vec::into_boxed_slice)));
    }
    Some(selecting)
}

/// The members of a list with this between them.
fn joined(list: &[u8], between: &[u8]) -> Vec<u8> {
    list::members(list).collect::<Vec<_>>().join(between)
}

/// `Vary` as httplib2 has to find it, or `None` where it came so.
///
/// httplib2 takes blanks out of the list, and nothing else: behind a tab, or on another line, it would see no name, and
/// serve whatever variant is there.
pub(crate) fn on_one_line(headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all(header::VARY).iter();
    let first = lines.next()?;
    if lines.next().is_none() && !first.as_bytes().contains(&b'\t') {
        return None;
    }
    Some(named(headers)?.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(", "))
}

/// The fields that `Vary` names, each once. `None` when it names more than fields (RFC 9110 §12.5.5), or too many.
fn named(headers: &HeaderMap) -> Option<Vec<HeaderName>> {
    let mut names = Vec::new();
    for member in vary::members(headers.get_all(header::VARY).iter().map(HeaderValue::as_bytes)) {
        let Member::Name(name) = member else { return None };
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        if !names.contains(&name) {
            names.push(name);
        }
        if names.len() > MOST {
            return None;
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use std::time::SystemTime;

    fn head(vary: &'static str, selecting: &[(&'static str, Option<&str>)]) -> Head {
        let headers = HeaderMap::from_iter([(header::VARY, HeaderValue::from_static(vary))]);
        let mut head = Head::new(StatusCode::OK, headers, SystemTime::UNIX_EPOCH);
        head.selecting = selecting
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.map(|value| value.as_bytes().into())))
            .collect();
        head
    }

    #[test]
    fn what_selected_a_response_is_noted_and_read_again() {
        // H-CACHE-19: what the request did not have leaves no line.
        let agent = "Mozilla/5.0 (X11; Linux, x)";
        for (vary, selecting, notes) in [
            ("accept", &[("accept", Some("text/html,text/plain"))][..], &[("accept", "text/html, text/plain")][..]),
            ("Accept-Language, accept", &[("accept-language", None), ("accept", Some(""))], &[("accept", "")]),
            ("user-agent", &[("user-agent", Some(agent))], &[("user-agent", agent)]),
            ("x, X", &[("x", Some("\"a, b\",c"))], &[("x", "\"a, b\", c")]),
            ("x", &[("x", Some("\"a\\\", b\",c"))], &[("x", "\"a\\\", b\", c")]),
            ("cookie", &[("cookie", None)], &[]),
        ] {
            let head = head(vary, selecting);
            let written = written(&head).unwrap();
            let written: Vec<_> =
                written.iter().map(|(name, value)| (name.as_str(), str::from_utf8(value).unwrap())).collect();
            assert_eq!(written, notes, "{vary}");
            let notes: Vec<_> =
                notes.iter().map(|(name, value)| (HeaderName::from_static(name), value.as_bytes().to_vec())).collect();
            assert_eq!(read(&head.headers, &notes), Some(head.selecting), "{vary}");
        }
    }

    #[test]
    fn vary_is_one_line_without_tabs() {
        for (lines, expected) in [
            (&[][..], None),
            (&["accept"], None),
            (&["Accept , x,, y,"], None),
            (&["accept", "Accept-Language"], Some("accept, accept-language")),
            (&["accept,\tx", "", "y , accept"], Some("accept, x, y")),
            (&["accept,\tx"], Some("accept, x")),
            (&["x", "*"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::VARY, HeaderValue::from_static(line));
            }
            assert_eq!(on_one_line(&headers).as_deref(), expected, "{headers:?}");
        }
    }

    #[test]
    fn what_httplib2_noted_is_read_in_the_form_in_which_it_is_compared() {
        let note = |value: &str| vec![(header::ACCEPT_ENCODING, value.as_bytes().to_vec())];
        for value in ["gzip, deflate", "gzip,deflate", " gzip ,, deflate"] {
            let head = head("Accept-Encoding", &[("accept-encoding", Some("gzip,deflate"))]);
            assert_eq!(read(&head.headers, &note(value)), Some(head.selecting), "{value}");
        }
    }

    #[test]
    fn secrets_are_neither_written_nor_read() {
        for name in ["authorization", "cookie", "proxy-authorization"] {
            let head = head(name, &[(name, Some("s3cret"))]);
            assert_eq!(written(&head), None, "{name}");
            assert_eq!(read(&head.headers, &[(HeaderName::from_static(name), b"s3cret".to_vec())]), None, "{name}");
        }
    }

    #[test]
    fn a_response_that_varies_on_too_much_is_not_kept() {
        for (number, is_kept) in [(256, true), (257, false)] {
            let names: Vec<_> = (0..number).map(|number| format!("x-{number}")).collect();
            let mut head = head("", &[]);
            head.headers.insert(header::VARY, HeaderValue::try_from(names.join(",")).unwrap());
            head.selecting = names.iter().map(|name| (HeaderName::try_from(name).unwrap(), None)).collect();
            assert_eq!(written(&head).is_some(), is_kept, "{number}");
            assert_eq!(read(&head.headers, &[]).is_some(), is_kept, "{number}");
        }
    }

    #[test]
    fn what_would_be_read_as_something_else_is_not_written() {
        for (vary, selecting) in [
            // H-CACHE-42.
            ("*", &[][..]),
            ("a b", &[]),
            ("accept", &[]),
            ("", &[("accept", None)]),
            // What came on two lines, of a field that is no list.
            ("user-agent", &[("user-agent", Some("a\nb"))]),
        ] {
            assert_eq!(written(&head(vary, selecting)), None, "{vary}");
        }
    }
}
