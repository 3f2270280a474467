//! Responses that the cache makes itself.

use http::{Extensions, HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use httplib2_core::context::Journal;
use httplib2_store::Entry;

use crate::{
    CacheBody, Served,
    ask::Ask,
    found::{held, now},
    policy::{CacheStatus, Give, Hit},
    range::{self, Cut},
    settings::Settings,
};

/// A response that is made of a stored one.
pub(crate) struct FromStore<'a> {
    pub(crate) entry: &'a Entry,
    /// The stored fields, or the updated ones.
    pub(crate) headers: HeaderMap,
    pub(crate) give: Give,
    pub(crate) age: u32,
}

/// What was opened of a stored response.
pub(crate) struct Opened<R> {
    cut: Cut,
    body: CacheBody<R>,
}

/// Answers with a stored response as it is; `None` when its body cannot be had.
pub(crate) async fn serve<R>(
    settings: &Settings,
    ask: &Ask,
    entry: &Entry,
    hit: Hit,
    status: CacheStatus,
) -> Option<Response<CacheBody<R>>> {
    let from = FromStore { entry, headers: HeaderMap::new(), give: hit.give, age: hit.age };
    let body = from.open(settings, ask).await?;
    let is_part = body.cut.is_part();
    let from = FromStore { headers: entry.head().headers.clone(), ..from };
    let mut response = from.response(body);
    let ttl = settings.cache_status.then(|| held(settings, entry).stored.remaining(now(settings, Some(entry))));
    let status = CacheStatus { ttl, ..status };
    let served = Served::from_store(hit.age, hit.why, is_part);
    mark(settings, &ask.head.extensions, &mut response, served, status);
    Some(response)
}

/// Says on a response, in its fields and in the journal what the cache did.
pub(crate) fn mark<R>(
    settings: &Settings,
    options: &Extensions,
    response: &mut Response<R>,
    served: Served,
    status: CacheStatus,
) {
    Journal::record(options, "cache", &served);
    response.extensions_mut().insert(served);
    if settings.cache_status
        && let Ok(value) = HeaderValue::try_from(format!("httplib2{status}"))
    {
        // That of a cache nearer to the origin comes first (RFC 9211 §2).
        response.headers_mut().append(header::HeaderName::from_static("cache-status"), value);
    }
}

/// A 504, because the origin may not be asked (RFC 9111 §5.2.1.7).
pub(crate) fn refusal<R>(settings: &Settings, options: &Extensions, served: Served) -> Response<CacheBody<R>> {
    let mut response = Response::new(CacheBody::empty());
    *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    mark(settings, options, &mut response, served, CacheStatus::default());
    response
}

// === impl Opened ===

impl<R> Opened<R> {
    /// A body that is given as it is.
    pub(crate) fn whole(body: CacheBody<R>) -> Self {
        Self { cut: Cut::Whole, body }
    }
}

// === impl FromStore ===

impl FromStore<'_> {
    /// Opens the stored body as far as the caller gets one. `None` when it cannot be had, and then the entry is
    /// dropped.
    pub(crate) async fn open<R>(&self, settings: &Settings, ask: &Ask) -> Option<Opened<R>> {
        if self.give == Give::NotModified || ask.head.method == Method::HEAD {
            return Some(Opened::whole(CacheBody::empty()));
        }
        let opened = range::open(settings, ask, self.entry).await;
        if opened.is_none() {
            settings.remove(&ask.key, self.entry).await;
        }
        opened.map(|(cut, body)| Opened { cut, body: CacheBody::stored(body) })
    }

    pub(crate) fn response<R>(self, opened: Opened<R>) -> Response<CacheBody<R>> {
        let mut response = Response::new(opened.body);
        *response.status_mut() = self.entry.head().status;
        *response.version_mut() = self.entry.head().version;
        *response.headers_mut() = self.headers;
        response.headers_mut().insert(header::AGE, decimal(self.age));
        if self.give == Give::NotModified {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            describe_nothing(response.headers_mut());
        }
        opened.cut.describe(&mut response);
        response
    }
}

/// A number as a field value, in one allocation.
fn decimal(mut number: u32) -> HeaderValue {
    const ZERO: HeaderValue = HeaderValue::from_static("0");
    let mut digits = [b'0'; 10];
    let mut first = digits.len() - 1;
    loop {
        digits[first] += (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return HeaderValue::from_bytes(&digits[first..]).unwrap_or(ZERO);
        }
        first -= 1;
    }
}

/// A 304 describes no content: it is there to update what the caller has (RFC 9110 §15.4.5).
fn describe_nothing(headers: &mut HeaderMap) {
    for name in [
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::CONTENT_LANGUAGE,
        header::CONTENT_RANGE,
        header::CONTENT_TYPE,
    ] {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_digits() {
        for number in [0, 7, 10, 1_234_567_890, u32::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
    }
}
