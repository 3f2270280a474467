//! Ranges cut out of a stored response (RFC 9110 §14, §15.3.7).

use std::{
    collections::VecDeque,
    fmt::Write,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame};
use httplib2_core::context::Nonce;
use httplib2_store::{Entry, StoreError, StoredBody};
use httplib2_syntax::range::ContentRange;

use crate::{
    ask::Ask,
    found::{held, is_part},
    policy::{Slice, Span, slice},
    settings::Settings,
};

/// What is sent of a stored response with a body, and how its head has to say so.
pub(crate) enum Cut {
    /// All of it.
    Whole,
    /// One range.
    One(Span),
    /// Several, with the boundary between them and the length of all of it.
    Several(Boundary, u64),
    /// None: it is shorter than what was asked for.
    Nothing { complete: u64 },
}

/// What separates the parts of a multipart body: 32 random digits, which no content can foresee.
pub(crate) struct Boundary(String);

/// The body of a response with several ranges (RFC 9110 §15.3.7.2).
struct Multipart {
    parts: VecDeque<(Bytes, StoredBody)>,
    end: Option<Bytes>,
}

/// Opens what a request gets of an entry. `None` when it cannot be had, or when the entry does not hold it.
pub(crate) async fn open(settings: &Settings, ask: &Ask, entry: &Entry) -> Option<(Cut, StoredBody)> {
    match slice(&settings.rules, &ask.asked(), &held(settings, entry), entry.length()) {
        Slice::Whole => open_whole(settings, ask, entry).await,
        Slice::Unsatisfiable(span) => {
            Some((Cut::Nothing { complete: span.complete }, StoredBody::whole(Bytes::new(), None)))
        }
        Slice::Ranges(ranges, span) => match <[_; 1]>::try_from(ranges) {
            Ok([range]) => {
                let body = open_range(settings, ask, entry, &span, &range).await?;
                Some((Cut::One(Span { range, ..span }), body))
            }
            // In a box of its own, so that others do not carry its size about.
            Err(ranges) => Box::pin(several(settings, ask, entry, &ranges, &span)).await,
        },
    }
}

async fn open_whole(settings: &Settings, ask: &Ask, entry: &Entry) -> Option<(Cut, StoredBody)> {
    // A part never answers for the whole.
    if is_part(entry) {
        return None;
    }
    let body = settings.wait("reading", settings.store.open(&ask.key, entry)).await?;
    Some((Cut::Whole, body))
}

/// Opens bytes of the representation. `None` also where the entry does not hold them.
pub(crate) async fn open_range(
    settings: &Settings,
    ask: &Ask,
    entry: &Entry,
    held: &Span,
    range: &Range<u64>,
) -> Option<StoredBody> {
    let start = range.start.checked_sub(held.range.start)?;
    let length = range.end.checked_sub(range.start).filter(|length| start + length <= entry.length())?;
    settings.wait("reading", settings.store.open_range(&ask.key, entry, start..start + length)).await
}

/// All ranges are opened before the head goes out, for what is open is not disturbed by what happens to its entry.
async fn several(
    settings: &Settings,
    ask: &Ask,
    entry: &Entry,
    ranges: &[Range<u64>],
    span: &Span,
) -> Option<(Cut, StoredBody)> {
    // Without a boundary the whole is as good an answer (RFC 9110 §14.2).
    let Some(boundary) = Boundary::random(&*settings.nonce) else { return open_whole(settings, ask, entry).await };
    let mut parts = VecDeque::with_capacity(ranges.len());
    let mut length = 0;
    for range in ranges {
        let body = open_range(settings, ask, entry, span, range).await?;
        let part = Span { range: range.clone(), ..span.clone() };
        let head = boundary.head(&part, &entry.head().headers, length > 0);
        length += head.len() as u64 + part.length();
        parts.push_back((head, body));
    }
    let end = Bytes::from(format!("\r\n--{}--\r\n", boundary.0));
    length += end.len() as u64;
    let body = StoredBody::streaming(Multipart { parts, end: Some(end) }, length);
    Some((Cut::Several(boundary, length), body))
}

// === impl Cut ===

impl Cut {
    pub(crate) fn is_part(&self) -> bool {
        matches!(self, Self::One(_) | Self::Several(..))
    }

    /// Makes the head of a response with the whole that of a response with the part.
    pub(crate) fn describe<R>(self, response: &mut Response<R>) {
        match self {
            Self::Whole => {}
            Self::One(span) => {
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                let headers = response.headers_mut();
                span.describe(headers);
                headers.insert(header::CONTENT_RANGE, span.content_range());
            }
            Self::Several(boundary, length) => {
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                let headers = response.headers_mut();
                Span { range: 0..length, complete: length }.describe(headers);
                headers.insert(header::CONTENT_TYPE, boundary.content_type());
            }
            Self::Nothing { complete } => {
                *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                // What describes the representation, and for how long, is not about this answer.
                let stored = std::mem::take(response.headers_mut());
                let kept = stored.iter().filter(|(name, _)| [header::DATE, header::AGE, header::VARY].contains(name));
                let mut headers: HeaderMap = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
                let value = ContentRange::Unsatisfied { complete }.to_string();
                if let Ok(value) = HeaderValue::try_from(value) {
                    headers.insert(header::CONTENT_RANGE, value);
                }
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
                *response.headers_mut() = headers;
            }
        }
    }
}

// === impl Boundary ===

impl Boundary {
    fn random(nonce: &dyn Nonce) -> Option<Self> {
        let mut bytes = [0; 16];
        nonce.fill(&mut bytes).ok()?;
        let mut text = String::with_capacity(32);
        for byte in bytes {
            write!(text, "{byte:02x}").ok()?;
        }
        Some(Self(text))
    }

    fn content_type(&self) -> HeaderValue {
        let value = HeaderValue::try_from(format!("multipart/byteranges; boundary={}", self.0));
        value.unwrap_or_else(|_| HeaderValue::from_static("multipart/byteranges"))
    }

    /// What stands before the bytes of one part.
    fn head(&self, part: &Span, headers: &HeaderMap, is_behind: bool) -> Bytes {
        let mut head = Vec::new();
        if is_behind {
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"--");
        head.extend_from_slice(self.0.as_bytes());
        head.extend_from_slice(b"\r\n");
        if let Some(kind) = headers.get(header::CONTENT_TYPE) {
            head.extend_from_slice(b"Content-Type: ");
            head.extend_from_slice(kind.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"Content-Range: ");
        head.extend_from_slice(part.content_range().as_bytes());
        head.extend_from_slice(b"\r\n\r\n");
        Bytes::from(head)
    }
}

// === impl Multipart ===

impl Body for Multipart {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        loop {
            let Some((head, body)) = self.parts.front_mut() else {
                return Poll::Ready(self.end.take().map(|end| Ok(Frame::data(end))));
            };
            if !head.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(std::mem::take(head)))));
            }
            if let Some(frame) = ready!(Pin::new(body).poll_frame(cx)) {
                return Poll::Ready(Some(frame));
            }
            self.parts.pop_front();
        }
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty() && self.end.is_none()
    }
}
