//! Heads for the tables of the tests. Time zero is an hour after midnight on 2020-09-13.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use httplib2_core::who::Identity;

use super::{Answered, Asked, Held, Rules, Selecting, Signed, Stored, Times, stored_fields};

const ZERO: u64 = 1_600_000_000;

/// So many seconds after time zero.
pub(super) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(ZERO + seconds)
}

pub(super) fn http_date(seconds: i64) -> String {
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(ZERO.saturating_add_signed(seconds)))
}

/// The head of a response that was asked for and came at time zero.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) signed: Signed,
    pub(super) at: u64,
}

/// A GET of `http://a.example/x`.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) identity: Option<Identity>,
}

/// A stored response and what it is selected by.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) stored: Stored,
    pub(super) headers: HeaderMap,
    pub(super) selecting: Selecting,
    pub(super) identity: Option<Identity>,
}

// === impl Head ===

impl Head {
    pub(super) fn new(status: u16) -> Self {
        Self { status, headers: HeaderMap::new(), signed: Signed::No, at: 0 }
    }

    /// A 200 with these `Cache-Control` directives, dated at time zero.
    pub(super) fn cached(directives: &str) -> Self {
        Self::new(200).date("date", 0).with("cache-control", directives)
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    /// Appends a date so many seconds after time zero.
    pub(super) fn date(self, name: &'static str, seconds: i64) -> Self {
        let date = http_date(seconds);
        self.with(name, &date)
    }

    pub(super) fn answered(&self) -> Answered<'_> {
        Answered {
            status: StatusCode::from_u16(self.status).unwrap(),
            headers: &self.headers,
            times: Times { requested_at: at(self.at), received_at: at(self.at) },
            signed: self.signed,
        }
    }

    /// The response as it is kept after `ask`.
    pub(super) fn kept(&self, rules: &Rules, ask: &Ask) -> Entry {
        let headers = stored_fields(rules, &self.answered());
        Entry {
            stored: Stored::read(rules, &self.answered()),
            selecting: Selecting::of(rules, &ask.headers, &headers).expect("it does not vary on everything"),
            headers,
            identity: ask.identity.clone(),
        }
    }
}

// === impl Ask ===

impl Ask {
    pub(super) fn get() -> Self {
        Self {
            method: Method::GET,
            uri: Uri::from_static("http://a.example/x"),
            headers: HeaderMap::new(),
            identity: None,
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    pub(super) fn date(self, name: &'static str, seconds: i64) -> Self {
        let date = http_date(seconds);
        self.with(name, &date)
    }

    pub(super) fn control(self, directives: &str) -> Self {
        self.with("cache-control", directives)
    }

    pub(super) fn by(mut self, user: &str) -> Self {
        self.identity = Some(Identity::new(user));
        self
    }

    pub(super) fn asked(&self) -> Asked<'_> {
        Asked::new(&self.method, &self.uri, &self.headers).signed_for(self.identity.as_ref())
    }
}

// === impl Entry ===

impl Entry {
    pub(super) fn held(&self) -> Held<'_> {
        Held {
            stored: &self.stored,
            headers: &self.headers,
            selecting: &self.selecting,
            identity: self.identity.as_ref(),
        }
    }
}
