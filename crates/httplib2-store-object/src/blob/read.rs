//! Reading what httplib2 wrote, or something else did.

use std::{fmt, ops::Range};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::{
    CODING, JOINT, LENGTH, MAX_HEAD, NOTE, STATUS, VARIED,
    lines::{fields, split, trim},
    word,
};

/// What a blob says. `Debug` shows no values.
pub struct Blob {
    /// The status of the response.
    pub status: StatusCode,
    /// Its header fields, without those of a connection, and without notes.
    pub headers: HeaderMap,
    /// The noted request fields and their values.
    pub varied: Vec<(HeaderName, Vec<u8>)>,
    /// The noted content coding that was removed.
    pub coding: Option<Vec<u8>>,
    /// Where the body is.
    pub body: Range<usize>,
    /// The noted length of the body. What is no number notes nothing.
    length: Option<usize>,
}

/// Fields of a connection (RFC 9110 §7.6.1), which httplib2 stores but for one (H-CACHE-15), and the one that describes
/// a body which is not there any more.
const LEFT_OUT: [HeaderName; 7] = [
    header::CONTENT_ENCODING,
    header::TRANSFER_ENCODING,
    header::TE,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
];

/// Fields that a response needs to be used with care, whatever its `Connection` says.
const NEVER_OF_A_CONNECTION: [HeaderName; 4] =
    [header::CACHE_CONTROL, header::CONTENT_LENGTH, header::DATE, header::VARY];

/// Reads a blob, or returns `None` for what is none, was cut off, or holds no whole response.
///
/// Lines that say nothing are passed over (H-CACHE-25). A body that is shorter than its `Content-Length` was cut off; of
/// a longer one the field is wrong (H-CACHE-51) and is put right. A noted length is that of the body, or something
/// happened to the blob.
#[must_use]
pub fn read_blob(blob: &[u8]) -> Option<Blob> {
    let (head_end, body_start) = split(blob, MAX_HEAD)?;
    let mut status = None;
    let mut read = Blob {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        varied: Vec::new(),
        coding: None,
        body: body_start..blob.len(),
        length: None,
    };
    for (name, value) in fields(&blob[..head_end]) {
        let Ok(name) = HeaderName::from_bytes(name) else { continue };
        if name == STATUS {
            status = status.or_else(|| Some(value.into_owned()));
        } else if name.as_str().starts_with(NOTE) {
            read.note(&name, &value);
        } else if !LEFT_OUT.contains(&name) {
            read.field(&name, &value)?;
        }
    }
    read.status = whole_status(&status?)?;
    read.drop_named_by_connection();
    read.settle_length()?;
    Some(read)
}

/// The most lines of fields that are read: each takes more memory than it has octets.
const MAX_LINES: usize = 4096;

/// The most notes of request fields that are read: as many as `Vary` may name.
const MAX_NOTES: usize = 256;

// === impl Blob ===

impl Blob {
    /// Names that begin with `-` are notes, whoever wrote them, and never fields of the response (H-CACHE-22).
    fn note(&mut self, name: &HeaderName, value: &[u8]) {
        let value = || word::decode(value).unwrap_or_else(|| value.to_vec());
        if let Some(varied) = name.as_str().strip_prefix(VARIED) {
            if self.varied.len() < MAX_NOTES
                && let Ok(varied) = HeaderName::from_bytes(varied.as_bytes())
                && !self.varied.iter().any(|(noted, _)| *noted == varied)
            {
                self.varied.push((varied, value()));
            }
        } else if name == CODING {
            self.coding = Some(value());
        } else if name == LENGTH {
            self.length = number(&value());
        }
    }

    /// `None` when there are more lines than a response has.
    fn field(&mut self, name: &HeaderName, value: &[u8]) -> Option<()> {
        if let Some(value) = word::decode(value).and_then(|value| HeaderValue::from_maybe_shared(value).ok()) {
            return self.append(name, value);
        }
        let mut rest = Some(value);
        while let Some(value) = rest {
            let joint = value.windows(JOINT.len()).position(|window| window == JOINT);
            let (line, after) = match joint {
                Some(at) => (&value[..at], Some(&value[at + JOINT.len()..])),
                None => (value, None),
            };
            rest = after;
            // What is no field value is left out.
            if let Ok(line) = HeaderValue::from_bytes(line) {
                self.append(name, line)?;
            }
        }
        Some(())
    }

    fn append(&mut self, name: &HeaderName, value: HeaderValue) -> Option<()> {
        let has_room = self.headers.len() < MAX_LINES;
        has_room.then(|| self.headers.try_append(name, value).ok()).flatten().map(drop)
    }

    /// RFC 9110 §7.6.1: what `Connection` names is of the connection, too.
    fn drop_named_by_connection(&mut self) {
        let named: Vec<HeaderName> = self
            .headers
            .get_all(header::CONNECTION)
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
            .filter_map(|name| HeaderName::from_bytes(trim(name)).ok())
            .collect();
        for name in named.iter().filter(|name| !NEVER_OF_A_CONNECTION.contains(name)) {
            self.headers.remove(name);
        }
        self.headers.remove(header::CONNECTION);
    }

    fn settle_length(&mut self) -> Option<()> {
        if self.length.is_some_and(|noted| noted != self.body.len()) {
            return None;
        }
        let Some(said) = self.headers.get(header::CONTENT_LENGTH) else { return Some(()) };
        if number(said.as_bytes()).is_some_and(|said| said > self.body.len()) {
            return None;
        }
        self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        Some(())
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob")
            .field("status", &self.status)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("varied", &self.varied.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

fn number(text: &[u8]) -> Option<usize> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// A final status of a whole response. Whoever wrote another one did not mean a response to be served.
fn whole_status(text: &[u8]) -> Option<StatusCode> {
    let status = StatusCode::from_bytes(text.split(|byte| *byte == b' ').next()?).ok()?;
    (!status.is_informational() && !matches!(status.as_u16(), 206 | 304 | 600..)).then_some(status)
}

#[cfg(test)]
mod tests;
