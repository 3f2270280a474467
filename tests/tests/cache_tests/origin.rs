//! The origin of the suite, as a tower service: answers by the case's script and writes down what it saw.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use http::{HeaderName, HeaderValue};
use httplib2_core::context::Clock;
use httplib2_testing::{FixedClock, Received, Reply, Server, reply};
use serde_json::Value;

use crate::case::{Exchange, date, list, unwire, wire};

/// What the origin knows of all cases. Clones share it.
#[derive(Clone, Debug)]
pub struct Origin {
    clock: FixedClock,
    cases: Arc<Mutex<HashMap<String, State>>>,
}

/// What it knows of one case.
#[derive(Debug, Default)]
struct State {
    script: Vec<Exchange>,
    seen: Vec<Seen>,
    /// The fields that each step of the script was answered with when it was last answered.
    answered: BTreeMap<usize, Vec<(String, String)>>,
}

/// One request that arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub number: usize,
    pub method: String,
    /// By name in lower case, lines of one name joined by a comma.
    pub headers: BTreeMap<String, String>,
    /// What the client must have got, unless the script says that it need not.
    pub echo: BTreeMap<String, String>,
}

// === impl Origin ===

impl Origin {
    pub fn new(clock: FixedClock) -> Self {
        Self { clock, cases: Arc::default() }
    }

    /// The tower service.
    pub fn server(&self) -> Server {
        let origin = self.clone();
        Server::answering(move |request, _| origin.answer(request))
    }

    pub fn begin(&self, id: &str, script: Vec<Exchange>) {
        self.with(|cases| cases.insert(id.to_owned(), State { script, ..State::default() }));
    }

    pub fn seen(&self, id: &str) -> Vec<Seen> {
        self.with(|cases| cases[id].seen.clone())
    }

    pub fn now(&self) -> i64 {
        let now = self.clock.now().duration_since(UNIX_EPOCH).expect("a time after 1970");
        i64::try_from(now.as_millis()).expect("a time that fits")
    }

    fn answer(&self, request: &Received) -> Reply {
        let id = request.uri().path().split('/').nth(2).expect("the id of a case").to_owned();
        self.with(|cases| self.answer_case(cases.get_mut(&id).expect("a case"), &id, request))
    }

    fn answer_case(&self, state: &mut State, id: &str, request: &Received) -> Reply {
        let mut headers = BTreeMap::<String, String>::new();
        for (name, value) in request.headers() {
            let joined = headers.entry(name.as_str().to_owned()).or_default();
            if !joined.is_empty() {
                joined.push_str(", ");
            }
            joined.push_str(&unwire(value));
        }
        let number = headers.get("req-num").and_then(|number| number.parse().ok()).unwrap_or(state.seen.len() + 1);
        let script = state.script.get(number - 1).expect("a step of the script").clone();
        if let Some(seconds) = script.get("response_pause").as_u64() {
            self.clock.advance(Duration::from_secs(seconds));
        }
        let now = self.now();
        let url = request.uri().to_string();
        let before = state.answered.get(&(number - 1)).cloned().or_else(|| {
            // The cache answered that request alone.
            Some(generate(state.script.get(number.checked_sub(2)?)?, now, &url))
        });
        let status = status(&script, &headers, before.as_deref());
        let mut fields = vec![
            ("Server-Base-Url".to_owned(), url.clone()),
            ("Server-Request-Count".to_owned(), (state.seen.len() + 1).to_string()),
            ("Client-Request-Count".to_owned(), number.to_string()),
            ("Server-Now".to_owned(), now.to_string()),
        ];
        let generated = state.answered.entry(number).or_insert_with(|| generate(&script, now, &url)).clone();
        let echo = echo(&script, &generated);
        fields.extend(generated);
        for (name, value) in [("Content-Type", "text/plain".to_owned()), ("Date", date(now, 0, false))] {
            if !fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                fields.push((name.to_owned(), value));
            }
        }
        state.seen.push(Seen { number, method: request.method().to_string(), headers, echo });
        let numbers: Vec<_> = state.seen.iter().map(|seen| seen.number.to_string()).collect();
        fields.push(("Request-Numbers".to_owned(), numbers.join(" ")));

        if *script.get("disconnect") == true {
            return Reply::failing(|| io::Error::from(io::ErrorKind::ConnectionReset));
        }
        let mut answer = reply(u16::try_from(status).expect("a status"));
        for (name, value) in &fields {
            let name: HeaderName = name.parse().expect("a field name");
            answer = answer.header(name, wire(value));
        }
        if matches!(status, 204 | 304) || request.method() == http::Method::HEAD {
            return answer;
        }
        // On the wire, the length that is declared cuts the content.
        let mut body = script.text("response_body").unwrap_or(id).to_owned();
        let declared = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if let Some(length) = declared.and_then(|(_, length)| length.parse().ok()) {
            body.truncate(length);
        }
        answer.body(body)
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut HashMap<String, State>) -> T) -> T {
        use_it(&mut self.cases.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// 304 where the script wants a conditional request and it is one; 999 where it is none.
fn status(script: &Exchange, headers: &BTreeMap<String, String>, before: Option<&[(String, String)]>) -> u64 {
    if !script.text("expected_type").is_some_and(|expected| expected.ends_with("validated")) {
        return script.response_status().unwrap_or(200);
    }
    let last =
        |name: &str| before?.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let holds = |field: &str, validator: &str| headers.get(field).is_some_and(|sent| Some(sent) == last(validator));
    if holds("if-none-match", "etag") || holds("if-modified-since", "last-modified") { 304 } else { 999 }
}

/// The fields of the script, with what is relative to now or to the URL filled in.
fn generate(script: &Exchange, now: i64, url: &str) -> Vec<(String, String)> {
    let magic = *script.get("magic_locations") == true;
    let field = |field: &Value| {
        let name = field[0].as_str().expect("a field name").to_owned();
        let lower = name.to_ascii_lowercase();
        let value = match (&field[1], lower.as_str()) {
            (Value::String(value), "location" | "content-location") if magic && value.is_empty() => url.to_owned(),
            (Value::String(value), "location" | "content-location") if magic => format!("{url}/{value}"),
            (Value::String(value), _) => value.clone(),
            (Value::Number(seconds), "date" | "expires" | "last-modified") => {
                date(now, seconds.as_i64().expect("seconds"), script.uses_rfc850(&lower))
            }
            (other, _) => other.to_string(),
        };
        (name, value)
    };
    script.list("response_headers").iter().map(field).collect()
}

/// What the client must get of the fields: all that the script does not except, and never the date.
fn echo(script: &Exchange, generated: &[(String, String)]) -> BTreeMap<String, String> {
    let mut echo = BTreeMap::<String, String>::new();
    for (field, (name, value)) in script.list("response_headers").iter().zip(generated) {
        if list(field).get(2).is_some_and(|echoed| *echoed == false) || name.eq_ignore_ascii_case("date") {
            continue;
        }
        let joined = echo.entry(name.to_ascii_lowercase()).or_default();
        if !joined.is_empty() {
            joined.push_str(", ");
        }
        joined.push_str(value);
    }
    echo
}

/// All lines of a field, joined as the suite does.
pub fn joined(headers: &http::HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|value: &HeaderValue| unwire(value)).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}
