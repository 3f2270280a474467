//! Which fields of a response are stored (RFC 9111 §3.1).

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use httplib2_syntax::vary::{self, Member};

use super::{Answered, Rules, SetCookies, directives, wire};

/// Fields that speak of one connection (RFC 9110 §7.6.1) or of one proxy (RFC 9111 §3.1).
const OF_ONE_CONNECTION: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Fields that reuse depends on. No list in another field can make them go away.
const DEPENDED_ON: [HeaderName; 13] = [
    header::AGE,
    header::CACHE_CONTROL,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::DATE,
    header::ETAG,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::LOCATION,
    header::VARY,
];

/// For more than this no room is made beforehand; a map panics when it is asked for too much at once.
const USUAL_FIELDS: usize = 128;

/// The fields of a response that are stored.
///
/// Left out are fields that speak of one connection or proxy, those that `Connection` names, those that
/// `no-cache` or (in a shared cache) `private` list, in a shared cache `Set-Cookie` ([`SetCookies`]), and names
/// that begin with `-`, in which httplib2 wrote notes of its own (H-CACHE-22). Where the origin sent no `Date` that
/// can be read, the time of arrival is added (RFC 9110 §6.6.1). All lines of a field stay, in their order.
#[must_use]
pub fn stored_fields(rules: &Rules, answered: &Answered<'_>) -> HeaderMap {
    let withheld = withheld(rules, answered.headers);
    let mut stored = HeaderMap::with_capacity((answered.headers.keys_len() + 1).min(USUAL_FIELDS));
    for (name, value) in answered.headers {
        if is_storable(rules, name) && !withheld.contains(name) {
            stored.append(name.clone(), value.clone());
        }
    }
    if wire::date(&stored, &header::DATE, answered.times.received_at).is_none() {
        stored.insert(header::DATE, http_date(answered.times.received_at));
    }
    stored
}

/// The names that other fields of the response keep out of the store.
pub(super) fn withheld(rules: &Rules, headers: &HeaderMap) -> Vec<HeaderName> {
    let mut names = directives::withheld(rules, headers);
    names.extend(vary::members(wire::lines(headers, &header::CONNECTION)).filter_map(name));
    names.retain(|name| !is_depended_on(rules, name));
    names
}

pub(super) fn is_storable(rules: &Rules, name: &HeaderName) -> bool {
    let is_cookie = matches!(name.as_str(), "set-cookie" | "set-cookie2");
    let keeps_cookies = !rules.is_shared() || rules.set_cookies == SetCookies::Keep;
    !OF_ONE_CONNECTION.contains(&name.as_str()) && !name.as_str().starts_with('-') && (!is_cookie || keeps_cookies)
}

fn is_depended_on(rules: &Rules, name: &HeaderName) -> bool {
    DEPENDED_ON.contains(name) || rules.targets.contains(name)
}

/// The field names in the argument of `no-cache` or `private`. `None` when the directive has to be taken
/// without its argument: that can be no list, or lists a field that reuse depends on.
pub(super) fn listed(argument: &[u8]) -> Option<Vec<HeaderName>> {
    let names: Option<Vec<_>> = vary::members([argument]).map(name).collect();
    names.filter(|names| !names.is_empty() && !names.iter().any(|name| DEPENDED_ON.contains(name)))
}

pub(super) fn name(member: Member<'_>) -> Option<HeaderName> {
    match member {
        Member::Name(name) => HeaderName::from_bytes(name.as_bytes()).ok(),
        Member::Any | Member::Malformed => None,
    }
}

/// Writes a date, clamped to the years that can be written.
fn http_date(time: SystemTime) -> HeaderValue {
    const LAST: u64 = 253_402_300_799;
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let time = SystemTime::UNIX_EPOCH + since.min(Duration::from_secs(LAST));
    HeaderValue::from_str(&httpdate::fmt_http_date(time)).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{Head, at, http_date as date_at};

    fn stored(rules: &Rules, head: &Head) -> HeaderMap {
        stored_fields(rules, &head.answered())
    }

    #[test]
    fn fields_of_one_connection_are_not_stored() {
        // RFC 9111 §3.1, H-CACHE-15, H-CACHE-22. The names are those of the public cases.
        let mut head = Head::cached("max-age=60").with("connection", "A, b, vary, etag").with("a", "1").with("b", "2");
        for name in OF_ONE_CONNECTION.into_iter().chain(["-x-permanent-redirect-url", "-varied-x"]) {
            head = head.with(name, "v");
        }
        let head = head.with("c", "3").with("vary", "x").with("etag", "\"a\"").with("clear-site-data", "cookies");
        let mut names: Vec<_> = stored(&Rules::private(), &head).keys().map(|name| name.to_string()).collect();
        names.sort_unstable();
        // What reuse depends on stays, whatever Connection says.
        assert_eq!(names, ["c", "cache-control", "clear-site-data", "date", "etag", "vary"]);
    }

    #[test]
    fn all_lines_of_a_field_are_stored_in_their_order() {
        // Trap 23.
        let head = Head::cached("max-age=60").with("link", "<a>").with("link", "<b>").with("x", "\u{fc}");
        let stored = stored(&Rules::private(), &head);
        assert_eq!(stored.get_all("link").iter().collect::<Vec<_>>(), ["<a>", "<b>"]);
        assert_eq!(stored["x"].as_bytes(), "\u{fc}".as_bytes());
    }

    #[test]
    fn a_response_without_a_date_gets_that_of_its_arrival() {
        // RFC 9110 §6.6.1, H-CACHE-37, trap 24.
        for head in
            [Head::new(200), Head::new(200).with("date", "today"), Head::new(200).date("date", 5).date("date", 6)]
        {
            assert_eq!(stored(&Rules::private(), &head).get_all("date").iter().collect::<Vec<_>>(), [&*date_at(0)]);
        }
        let dated = Head::new(200).with("date", "Sunday, 06-Nov-94 08:49:37 GMT");
        assert_eq!(stored(&Rules::private(), &dated)["date"], "Sunday, 06-Nov-94 08:49:37 GMT");
    }

    #[test]
    fn a_date_that_cannot_be_written_is_clamped() {
        let last = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(http_date(last), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(http_date(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(at(0)), "Sun, 13 Sep 2020 12:26:40 GMT");
    }

    #[test]
    fn listed_fields_are_not_stored() {
        // RFC 9111 §5.2.2.4, §5.2.2.7.
        let head = Head::cached("no-cache=\"a, b\", private=\"c\"").with("a", "1").with("b", "2").with("c", "3");
        let names = |rules: &Rules| stored(rules, &head).keys().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&Rules::private()), ["date", "cache-control", "c"]);
        assert_eq!(names(&Rules::shared()), ["date", "cache-control"]);
    }
}
