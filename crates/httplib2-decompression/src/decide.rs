//! Is a coding asked for, and is this response decoded? Pure: heads in, a decision out.

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};

use crate::{
    Coding, Decoded, Decoding, NotDecoded,
    coding::{Element, content_codings},
    rules::Rules,
};

/// What is done with a request and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Neither is touched.
    Pass,
    /// `Accept-Encoding` is added; the answer is not touched.
    Ask,
    /// `Accept-Encoding` is added and the answer decoded.
    AskAndDecode,
    /// The answer is decoded if it is coded without having been asked for.
    Decode,
}

/// What becomes of a response.
#[derive(Debug, PartialEq)]
pub(crate) enum Decision {
    /// It has no content or no coding.
    Pass,
    /// It has a coding, and still goes on as it is.
    HandOn(NotDecoded),
    /// Its coding is removed.
    Decode(Decoded),
}

pub(crate) fn plan<B>(rules: &Rules, request: &Request<B>) -> Plan {
    let headers = request.headers();
    if rules.decoding_for(request.extensions()) == Decoding::Raw
        || request.method() == Method::CONNECT
        // Who names codings wants to see them.
        || headers.contains_key(header::ACCEPT_ENCODING)
    {
        return Plan::Pass;
    }
    // A range is one of the coded bytes if there is a coding (RFC 9110 §14.2), so none is invited. The answer to
    // HEAD has the fields of a GET's and no content (RFC 9110 §9.3.2).
    match (request.method() == Method::HEAD, headers.contains_key(header::RANGE)) {
        (true, true) => Plan::Pass,
        (true, false) => Plan::Ask,
        (false, false) => Plan::AskAndDecode,
        (false, true) => Plan::Decode,
    }
}

/// Decides on the answer to a request other than HEAD and CONNECT.
pub(crate) fn decide(rules: &Rules, status: StatusCode, headers: &HeaderMap) -> Decision {
    if !headers.contains_key(header::CONTENT_ENCODING) || !has_whole_content(status) {
        return Decision::Pass;
    }
    match codings(rules, headers) {
        Err(reason) => Decision::HandOn(reason),
        Ok(codings) if codings.is_empty() => Decision::Pass,
        Ok(codings) => Decision::Decode(Decoded {
            codings,
            content_encoding: content_encoding(headers),
            content_length: content_length(headers),
        }),
    }
}

/// Whether a response with this status has content, and all of it.
fn has_whole_content(status: StatusCode) -> bool {
    !status.is_informational()
        && !matches!(
            status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED
        )
}

/// The codings of a response, in the order in which they were applied.
fn codings(rules: &Rules, headers: &HeaderMap) -> Result<Vec<Coding>, NotDecoded> {
    let mut codings = Vec::new();
    let mut count = 0;
    for element in content_codings(headers) {
        match element {
            Element::Identity => continue,
            Element::Known(coding) if rules.codings.contains(&coding) => {
                if count < rules.max_codings {
                    codings.push(coding);
                }
            }
            Element::Known(coding) => return Err(NotDecoded::unknown(coding.as_str().as_bytes())),
            Element::Unknown(name) => return Err(NotDecoded::unknown(name)),
        }
        count += 1;
    }
    if count > rules.max_codings {
        return Err(NotDecoded::TooManyCodings { count, limit: rules.max_codings });
    }
    Ok(codings)
}

fn content_encoding(headers: &HeaderMap) -> HeaderValue {
    let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
    match (values.next(), values.next()) {
        (Some(only), None) => only.clone(),
        _ => {
            let values: Vec<_> = headers.get_all(header::CONTENT_ENCODING).iter().map(HeaderValue::as_bytes).collect();
            HeaderValue::from_bytes(&values.join(&b", "[..])).unwrap_or_else(|_| HeaderValue::from_static(""))
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, fields: &[(&'static str, &str)]) -> Request<()> {
        let mut request = Request::builder().method(method).uri("http://a.example/");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn a_coding_is_asked_for_where_the_caller_names_neither_codings_nor_a_range() {
        // H-REQ-06, trap 35.
        let coded = ("accept-encoding", "br");
        let empty = ("accept-encoding", "");
        let range = ("range", "bytes=0-1");
        let table = [
            (request("GET", &[]), Plan::AskAndDecode),
            (request("POST", &[]), Plan::AskAndDecode),
            (request("HEAD", &[]), Plan::Ask),
            // Methods are case-sensitive (RFC 9110 §9.1).
            (request("head", &[]), Plan::AskAndDecode),
            (request("connect", &[]), Plan::AskAndDecode),
            (request("CONNECT", &[]), Plan::Pass),
            (request("GET", &[coded]), Plan::Pass),
            (request("GET", &[empty]), Plan::Pass),
            (request("HEAD", &[coded]), Plan::Pass),
            (request("GET", &[range]), Plan::Decode),
            (request("HEAD", &[range]), Plan::Pass),
            (request("GET", &[range, coded]), Plan::Pass),
        ];
        for (request, expected) in table {
            assert_eq!(plan(&Rules::default(), &request), expected, "{request:?}");
        }
    }

    #[test]
    fn the_option_of_the_request_replaces_the_setting_of_the_layer() {
        let off = Rules { decoding: Decoding::Raw, ..Rules::default() };
        let mut raw = request("GET", &[]);
        raw.extensions_mut().insert(Decoding::Raw);
        let mut auto = request("GET", &[]);
        auto.extensions_mut().insert(Decoding::Auto);
        assert_eq!(plan(&Rules::default(), &raw), Plan::Pass);
        assert_eq!(plan(&off, &request("GET", &[])), Plan::Pass);
        assert_eq!(plan(&off, &auto), Plan::AskAndDecode);
    }

    fn decided(status: u16, values: &[&str]) -> Decision {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_ENCODING, value.parse().unwrap());
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("12"));
        decide(&Rules::default(), StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn a_response_without_whole_content_is_not_decoded() {
        // Trap 35, H-DEC-01, H-DEC-06.
        for status in [100, 101, 103, 204, 205, 206, 304] {
            assert_eq!(decided(status, &["gzip"]), Decision::Pass, "{status}");
        }
        for status in [200, 201, 203, 300, 404, 416, 500] {
            assert!(matches!(decided(status, &["gzip"]), Decision::Decode(_)), "{status}");
        }
    }

    #[test]
    fn the_fact_tells_the_codings_and_what_the_fields_said() {
        assert_eq!(
            decided(200, &["X-GZIP", "identity, deflate"]),
            Decision::Decode(Decoded {
                codings: vec![Coding::Gzip, Coding::Deflate],
                content_encoding: HeaderValue::from_static("X-GZIP, identity, deflate"),
                content_length: Some(12),
            })
        );
    }

    #[test]
    fn what_cannot_be_decoded_whole_is_handed_on_with_the_reason() {
        let deep = vec!["gzip"; 60].join(",");
        let unknown = |name: &str| Decision::HandOn(NotDecoded::UnknownCoding(name.into()));
        let too_many = |count| Decision::HandOn(NotDecoded::TooManyCodings { count, limit: 2 });
        let table: [(&[&str], Decision); 8] = [
            (&[], Decision::Pass),
            (&["identity"], Decision::Pass),
            (&[" , "], Decision::Pass),
            (&["compress"], unknown("compress")),
            (&["gzip, aes128gcm"], unknown("aes128gcm")),
            (&["gzip, gzip", "identity", "gzip"], too_many(3)),
            // DEC-03.
            (&[&deep], too_many(60)),
            (&["a\u{e9}\tb, gzip"], unknown(r"a\xc3\xa9\tb")),
        ];
        for (values, expected) in table {
            assert_eq!(decided(200, values), expected, "{values:?}");
        }
    }

    #[test]
    fn only_the_codings_of_the_layer_are_decoded() {
        let mut rules = Rules::default();
        rules.set_codings([Coding::Gzip]);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        let expected = Decision::HandOn(NotDecoded::UnknownCoding("br".into()));
        assert_eq!(decide(&rules, StatusCode::OK, &headers), expected);
    }
}
