//! The client of the suite: sends the requests of a case and checks what comes back.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use httplib2_cache::CacheMode;
use httplib2_core::{error::BoxError, send::HttpService};
use httplib2_testing::FixedClock;
use serde_json::Value;
use tower::ServiceExt;

use crate::{
    Mode,
    case::{Case, Exchange, date, list, wire},
    origin::{Origin, Seen, joined},
};

/// How a case ended.
pub type Outcome = Result<(), Failure>;

/// Why a case did not pass.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Whether only the preparation of the case failed.
    pub is_setup: bool,
    pub why: String,
}

/// What is remembered of the responses to a case's requests.
struct Got {
    server_now: i64,
    headers: HeaderMap,
}

/// The pause that the suite makes where a case asks for one.
const PAUSE: Duration = Duration::from_secs(3);

/// Plays one case against a cache over the origin.
pub async fn play<S>(case: &Case, mode: Mode, cache: &S, origin: &Origin, clock: &FixedClock) -> Outcome
where
    S: HttpService<Full<Bytes>>,
{
    let id = format!("case-{}", case.id);
    origin.begin(&id, case.exchanges.clone());
    let mut got: Vec<Got> = Vec::new();
    for (index, exchange) in case.exchanges.iter().enumerate() {
        let number = index + 1;
        let request = request(case, mode, exchange, number, &id, got.last().map_or(0, |got| got.server_now));
        let response = match cache.clone().oneshot(request).await {
            Ok(response) => {
                let (head, body) = response.into_parts();
                let body = body.collect().await.map_err(|error| {
                    let error: BoxError = error.into();
                    failed(exchange, "fetch", format!("the body failed, {error}"))
                })?;
                Response::from_parts(head, body.to_bytes())
            }
            Err(_) => no_answer(),
        };
        let server_now = joined(response.headers(), "server-now").and_then(|now| now.parse().ok()).unwrap_or_default();
        check_response(exchange, number, &id, &response, server_now)?;
        got.push(Got { server_now, headers: response.into_parts().0.headers });
        if *exchange.get("pause_after") == true {
            clock.advance(PAUSE);
        }
    }
    check_requests(case, &got, &origin.seen(&id))
}

/// What a proxy says that got no answer itself; the cases take it for none.
fn no_answer() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

fn request(
    case: &Case,
    mode: Mode,
    exchange: &Exchange,
    number: usize,
    id: &str,
    server_now: i64,
) -> Request<Full<Bytes>> {
    let mut uri = format!("http://origin.example/test/{id}");
    if let Some(name) = exchange.text("filename") {
        uri.push('/');
        uri.push_str(name);
    }
    if let Some(query) = exchange.text("query_arg") {
        uri.push('?');
        uri.push_str(query);
    }
    let body = Full::from(exchange.text("request_body").unwrap_or_default().to_owned());
    let mut request = Request::builder().method(exchange.method()).uri(uri).body(body).expect("a request");
    let headers = request.headers_mut();
    if mode == Mode::Shared {
        headers.append("pragma", wire("foo"));
        headers.append("cache-control", wire("nothing-to-see-here"));
    }
    for field in exchange.list("request_headers") {
        let name = field[0].as_str().expect("a field name");
        let value = match &field[1] {
            Value::String(value) => value.clone(),
            Value::Number(seconds) => {
                let seconds = seconds.as_i64().expect("seconds");
                date(server_now, seconds, exchange.uses_rfc850(&name.to_ascii_lowercase()))
            }
            other => panic!("{other} is no field value"),
        };
        headers.append(name.parse::<HeaderName>().expect("a field name"), wire(&value));
    }
    headers.insert("test-id", wire(&case.id));
    headers.insert("req-num", wire(&number.to_string()));
    match exchange.text("cache") {
        None => {}
        Some("no-cache") => drop(request.extensions_mut().insert(CacheMode::Revalidate)),
        Some(other) => panic!("there is no mode {other}"),
    }
    request
}

fn check_response(
    exchange: &Exchange,
    number: usize,
    id: &str,
    response: &Response<Bytes>,
    server_now: i64,
) -> Outcome {
    let headers = response.headers();
    let status = u64::from(response.status().as_u16());
    let mut numbers: Vec<_> =
        joined(headers, "request-numbers").unwrap_or_default().split(' ').map(str::to_owned).collect();
    let before = numbers.len();
    numbers.sort();
    numbers.dedup();
    setup(numbers.len() == before, || "retry".to_owned())?;

    let count = joined(headers, "server-request-count").and_then(|count| count.parse::<usize>().ok());
    match exchange.text("expected_type") {
        Some("cached") => {
            let reused = count.map_or(status == 304, |count| count < number);
            check(exchange, "expected_type", reused, || format!("response {number} does not come from the cache"))?;
        }
        Some("not_cached") => {
            let fresh = count == Some(number);
            check(exchange, "expected_type", fresh, || format!("response {number} comes from the cache"))?;
        }
        _ => {}
    }

    if exchange.has("expected_status") {
        let expected = exchange.get("expected_status").as_u64();
        let holds = expected.is_none_or(|expected| expected == status);
        check(exchange, "expected_status", holds, || {
            format!("response {number} has status {status}, not {expected:?}")
        })?;
    } else if let Some(expected) = exchange.response_status() {
        setup(status == expected, || format!("response {number} has status {status}, not {expected}"))?;
    } else if status == 999 {
        return Err(failed(exchange, "expected_status", format!("request {number} should have been conditional")));
    } else {
        setup(status == 200, || format!("response {number} has status {status}"))?;
    }

    for expected in exchange.list("expected_response_headers") {
        let holds = header_holds(expected, headers, exchange, server_now);
        check(exchange, "expected_response_headers", holds, || {
            format!("response {number} should have {expected}, but has {headers:?}")
        })?;
    }
    for missing in exchange.list("expected_response_headers_missing").iter().filter_map(Value::as_str) {
        let holds = !headers.contains_key(missing);
        check(exchange, "expected_response_headers_missing", holds, || format!("response {number} has {missing}"))?;
    }
    if exchange.has("expected_interim_responses") {
        return Err(failed(
            exchange,
            "expected_interim_responses",
            "interim responses are not seen by a layer".to_owned(),
        ));
    }

    if *exchange.get("check_body") == false {
        return Ok(());
    }
    let body = String::from_utf8_lossy(response.body());
    if exchange.has("expected_response_text") {
        let expected = exchange.text("expected_response_text");
        let holds = expected.is_none_or(|expected| expected == body);
        return check(exchange, "expected_response_text", holds, || format!("the body is {body:?}, not {expected:?}"));
    }
    if matches!(status, 204 | 304) || exchange.method() == "HEAD" {
        return Ok(());
    }
    let expected = exchange.text("response_body").unwrap_or(id);
    setup(body == expected, || format!("the body is {body:?}, not {expected:?}"))
}

fn header_holds(expected: &Value, headers: &HeaderMap, exchange: &Exchange, server_now: i64) -> bool {
    let field = match expected {
        Value::String(name) => return headers.contains_key(name),
        field => list(field),
    };
    let name = field[0].as_str().expect("a field name");
    let Some(value) = joined(headers, name) else { return false };
    match (&field[1], field.get(2)) {
        (Value::String(sign), Some(other)) if sign == "=" => {
            Some(value) == joined(headers, other.as_str().expect("a field name"))
        }
        (Value::String(sign), Some(least)) if sign == ">" => {
            value.parse::<i64>().is_ok_and(|value| value > least.as_i64().expect("a number"))
        }
        (Value::Number(seconds), _) if is_date(name) => {
            value
                == date(
                    server_now,
                    seconds.as_i64().expect("seconds"),
                    exchange.uses_rfc850(&name.to_ascii_lowercase()),
                )
        }
        (Value::String(text), _) => value == *text,
        (Value::Number(number), _) => value.parse().ok() == number.as_i64(),
        (other, _) => panic!("{other} is no field value"),
    }
}

/// What the origin saw, request by request; those that the cache was to answer alone left nothing.
fn check_requests(case: &Case, got: &[Got], seen: &[Seen]) -> Outcome {
    let mut seen = seen.iter();
    for (index, exchange) in case.exchanges.iter().enumerate() {
        if exchange.text("expected_type") == Some("cached") {
            continue;
        }
        // One that did not come is missed only where something is expected of it.
        match seen.next() {
            Some(entry) => check_request(exchange, index + 1, entry, &got[index])?,
            None => {
                let is_expected = exchange.has("expected_type")
                    || exchange.has("expected_method")
                    || !exchange.list("expected_request_headers").is_empty();
                let why = || format!("request {} did not reach the origin", index + 1);
                check(exchange, "expected_type", !is_expected, why)?;
            }
        }
    }
    Ok(())
}

fn check_request(exchange: &Exchange, number: usize, entry: &Seen, got: &Got) -> Outcome {
    let has = |name: &str| entry.headers.contains_key(name);
    let (holds, why) = match exchange.text("expected_type") {
        Some("not_cached") => (entry.number == number, "is not the one that reached the origin"),
        Some("etag_validated") => (has("if-none-match"), "has no If-None-Match"),
        Some("lm_validated") => (has("if-modified-since"), "has no If-Modified-Since"),
        _ => (true, ""),
    };
    check(exchange, "expected_type", holds, || format!("request {number} {why}"))?;
    for field in exchange.list("expected_request_headers") {
        let (name, value) = match field {
            Value::String(name) => (name.as_str(), None),
            field => (field[0].as_str().expect("a field name"), field[1].as_str()),
        };
        let sent = entry.headers.get(&name.to_ascii_lowercase());
        let holds = sent.is_some_and(|sent| value.is_none_or(|value| value == sent));
        check(exchange, "expected_request_headers", holds, || format!("request {number} has {name}: {sent:?}"))?;
    }
    for name in exchange.list("expected_request_headers_missing").iter().filter_map(Value::as_str) {
        let holds = !has(&name.to_ascii_lowercase());
        check(exchange, "expected_request_headers_missing", holds, || format!("request {number} has {name}"))?;
    }
    for (name, value) in &entry.echo {
        let received = joined(&got.headers, name);
        setup(received.as_ref() == Some(value), || format!("response {number} has {name}: {received:?}, not {value}"))?;
    }
    if let Some(method) = exchange.text("expected_method") {
        check(exchange, "expected_method", entry.method == method, || format!("request {number} is {}", entry.method))?;
    }
    Ok(())
}

fn is_date(name: &str) -> bool {
    ["date", "expires", "last-modified"].iter().any(|date| name.eq_ignore_ascii_case(date))
}

fn check(exchange: &Exchange, name: &str, holds: bool, why: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(failed(exchange, name, why())) }
}

fn setup(holds: bool, why: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(Failure { is_setup: true, why: why() }) }
}

fn failed(exchange: &Exchange, check: &str, why: String) -> Failure {
    Failure { is_setup: exchange.is_setup(check), why }
}
