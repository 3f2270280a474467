//! The cases as data: what the public suite's files hold.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use http::HeaderValue;
use serde_json::Value;

use crate::Mode;

/// One case: a few requests that one client sends, one after the other, about one URI.
#[derive(Debug)]
pub struct Case {
    pub id: String,
    pub kind: Kind,
    pub depends_on: Vec<String>,
    pub browser_only: bool,
    pub browser_skip: bool,
    pub cdn_only: bool,
    pub exchanges: Vec<Exchange>,
}

/// What is at stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Required,
    Optimal,
    Check,
}

/// One request of a case, what the origin answers to it, and what is expected of the cache.
#[derive(Clone, Debug)]
pub struct Exchange(Value);

/// Reads all cases, or returns `None` where the folder is absent.
pub fn read_all() -> Option<Vec<Case>> {
    let folder = env::var_os("CACHE_TESTS_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cache-tests"), PathBuf::from);
    let mut files: Vec<_> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let suites = files.iter().map(|file| -> Value {
        serde_json::from_slice(&fs::read(file).expect("a readable file")).expect("a suite in JSON")
    });
    let cases: Vec<_> =
        suites.flat_map(|suite| list(&suite["tests"]).iter().map(Case::of).collect::<Vec<_>>()).collect();
    (!cases.is_empty()).then_some(cases)
}

/// The elements of an array, none of anything else.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text of the suite as it goes over the wire: one byte for each character (ISO-8859-1).
pub fn wire(text: &str) -> HeaderValue {
    let bytes: Vec<u8> = text.chars().map(|char| u8::try_from(char).expect("a character of ISO-8859-1")).collect();
    HeaderValue::from_bytes(&bytes).expect("a field value")
}

/// What came over the wire as the suite's files write it.
pub fn unwire(value: &HeaderValue) -> String {
    value.as_bytes().iter().map(|&byte| char::from(byte)).collect()
}

/// The HTTP date so many seconds from a time in milliseconds.
pub fn date(milliseconds: i64, seconds: i64, rfc850: bool) -> String {
    let unix = u64::try_from(milliseconds.div_euclid(1000) + seconds).expect("a date after 1970");
    let imf = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(unix));
    if !rfc850 {
        return imf;
    }
    let words: Vec<&str> = imf.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let [day, date, month, year, time, zone] = words[..] else { panic!("{imf} is not a date") };
    let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    let day = days.iter().find(|full| full.starts_with(day)).expect("a day of the week");
    format!("{day}, {date}-{month}-{} {time} {zone}", &year[2..])
}

// === impl Case ===

impl Case {
    fn of(value: &Value) -> Self {
        let kind = match value["kind"].as_str() {
            None | Some("required") => Kind::Required,
            Some("optimal") => Kind::Optimal,
            Some("check") => Kind::Check,
            Some(other) => panic!("there is no kind {other}"),
        };
        Self {
            id: text(&value["id"]),
            kind,
            depends_on: list(&value["depends_on"]).iter().map(text).collect(),
            browser_only: value["browser_only"] == true,
            browser_skip: value["browser_skip"] == true,
            cdn_only: value["cdn_only"] == true,
            exchanges: list(&value["requests"]).iter().cloned().map(Exchange).collect(),
        }
    }

    /// Whether the case is played in this mode.
    pub fn is_for(&self, mode: Mode) -> bool {
        match mode {
            Mode::Private => !self.browser_skip && !self.cdn_only,
            Mode::Shared => !self.browser_only,
        }
    }
}

// === impl Exchange ===

impl Exchange {
    /// The field of this name, `Null` when it is absent.
    pub fn get(&self, field: &str) -> &Value {
        &self.0[field]
    }

    /// Whether the field is there, be it `null`.
    pub fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some()
    }

    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field).as_str()
    }

    pub fn list(&self, field: &str) -> &[Value] {
        list(self.get(field))
    }

    pub fn method(&self) -> &str {
        self.text("request_method").unwrap_or("GET")
    }

    pub fn response_status(&self) -> Option<u64> {
        self.get("response_status")[0].as_u64()
    }

    pub fn uses_rfc850(&self, name: &str) -> bool {
        self.list("rfc850date").iter().any(|listed| listed.as_str() == Some(name))
    }

    /// Whether a failure of this check means that the case could not be set up.
    pub fn is_setup(&self, check: &str) -> bool {
        *self.get("setup") == true || self.list("setup_tests").iter().any(|listed| listed.as_str() == Some(check))
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
