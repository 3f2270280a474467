//! Writing what httplib2 reads, and what is read back as the same response.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use httplib2_store::{Head, Key};
use httplib2_syntax::uri;

use super::{CODING, JOINT, LENGTH, NOTE, PERMANENT, STATUS, VARIED, times, varied, word};

/// Why a response cannot be kept in this format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It was obtained for somebody, and a blob does not say for whom.
    Identity,
    /// It was selected by a secret, or by something that cannot be noted.
    Selection,
    /// httplib2 would take it for something else: a part for the whole, a temporary redirect for an answer.
    Status,
}

/// What there is besides the head of a response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'a> {
    /// Its length without a content coding, in bytes.
    pub(crate) length: usize,
    /// The coding that was removed.
    pub(crate) coding: Option<&'a [u8]>,
}

/// Whether a response with this head can be kept at all.
pub(crate) fn check(key: &Key, head: &Head) -> Result<(), Refused> {
    if head.identity.is_some() {
        return Err(Refused::Identity);
    }
    varied::written(head).ok_or(Refused::Selection)?;
    status_and_target(key, head).map(drop)
}

/// The head of a blob, up to where the body begins.
pub(crate) fn head(key: &Key, head: &Head, body: Body<'_>) -> Result<Vec<u8>, Refused> {
    check(key, head)?;
    let (status, target) = status_and_target(key, head)?;
    let notes = varied::written(head).ok_or(Refused::Selection)?;
    let times = times::written(head).ok_or(Refused::Status)?;

    let mut blob = Vec::with_capacity(512);
    line(&mut blob, STATUS, status.as_str().as_bytes());
    field(&mut blob, &header::DATE, &[&times.date]);
    if times.age > 0 {
        field(&mut blob, &header::AGE, &[&HeaderValue::from(times.age)]);
    }
    for name in head.headers.keys().filter(|name| is_kept(name)) {
        let values: Vec<_> = head.headers.get_all(name).iter().collect();
        let one_line = (*name == header::VARY).then(|| varied::on_one_line(&head.headers)).flatten();
        match one_line {
            Some(vary) => raw_line(&mut blob, name.as_str(), vary.as_bytes()),
            None => field(&mut blob, name, &values),
        }
    }
    let says_length = body.coding.is_some() || head.headers.contains_key(header::CONTENT_LENGTH);
    if says_length {
        field(&mut blob, &header::CONTENT_LENGTH, &[&HeaderValue::from(body.length)]);
    }
    if !head.headers.contains_key(header::CONTENT_LOCATION) {
        line(&mut blob, header::CONTENT_LOCATION.as_str(), key.uri().as_bytes());
    }
    if !says_length {
        line(&mut blob, LENGTH, body.length.to_string().as_bytes());
    }
    if let Some(coding) = body.coding {
        line(&mut blob, CODING, coding);
    }
    for (name, value) in notes {
        line(&mut blob, &format!("{VARIED}{name}"), &value);
    }
    if let Some(target) = target {
        line(&mut blob, PERMANENT, target.as_bytes());
    }
    blob.extend_from_slice(b"\r\n");
    Ok(blob)
}

/// Undoes what [`head`] adds: the `Content-Location` that only says what was asked for (H-CACHE-21, RFC 9110 §8.7).
pub(crate) fn drop_added(key: &Key, headers: &mut HeaderMap) {
    let mut lines = headers.get_all(header::CONTENT_LOCATION).iter();
    let location = lines.next().and_then(|location| uri::parse(location.to_str().ok()?).ok());
    let sole = lines.next().is_none();
    if sole && location.and_then(|location| Key::of(&location.uri)).is_some_and(|named| named.uri() == key.uri()) {
        headers.remove(header::CONTENT_LOCATION);
    }
}

/// The content coding of a response, if it has one.
pub(crate) fn coding(headers: &HeaderMap) -> Option<Vec<u8>> {
    let lines = headers.get_all(header::CONTENT_ENCODING).iter().map(|line| line.as_bytes().trim_ascii());
    let codings: Vec<_> =
        lines.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")).collect();
    (!codings.is_empty()).then(|| codings.join(&b", "[..]))
}

/// Fields that are left out (H-CACHE-15, H-CACHE-22), and those that are written in another place.
fn is_kept(name: &HeaderName) -> bool {
    const OTHERWISE: [HeaderName; 5] =
        [header::AGE, header::CONTENT_ENCODING, header::CONTENT_LENGTH, header::DATE, header::TRANSFER_ENCODING];
    *name != STATUS && !name.as_str().starts_with(NOTE) && !OTHERWISE.contains(name)
}

/// The status that is written, and of a permanent redirect where it leads to (H-CACHE-17, H-CACHE-20).
fn status_and_target(key: &Key, head: &Head) -> Result<(StatusCode, Option<String>), Refused> {
    match head.status.as_u16() {
        304 => Ok((StatusCode::OK, None)),
        301 | 308 => {
            let mut lines = head.headers.get_all(header::LOCATION).iter();
            let location = lines.next().filter(|_| lines.next().is_none()).ok_or(Refused::Status)?;
            let base = uri::parse(key.uri()).map_err(|_| Refused::Status)?.uri;
            let target = uri::resolve(&base, location.as_bytes()).map_err(|_| Refused::Status)?;
            let fragment = target.fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
            Ok((head.status, Some(format!("{}{fragment}", target.uri))))
        }
        // It keeps no parts (H-CACHE-10), and follows no redirect that it finds but the permanent ones.
        ..200 | 206 | 300..400 | 600.. => Err(Refused::Status),
        _ => Ok((head.status, None)),
    }
}

/// One field: on one line as httplib2 has it, where what is read back is the same.
fn field(blob: &mut Vec<u8>, name: &HeaderName, values: &[&HeaderValue]) {
    let has_joint = |value: &[u8]| value.windows(JOINT.len()).any(|window| window == JOINT);
    let is_joinable = |value: &[u8]| !value.is_empty() && word::is_plain(value) && !has_joint(value);
    if values.len() > 1 && values.iter().all(|value| is_joinable(value.as_bytes())) {
        let joined = values.iter().map(|value| value.as_bytes()).collect::<Vec<_>>().join(JOINT);
        // The first and the last one together may look like an encoded-word.
        if word::is_plain(&joined) {
            return raw_line(blob, name.as_str(), &joined);
        }
    }
    for value in values {
        let value = value.as_bytes();
        let value = if has_joint(value) { Cow::Owned(word::encode_always(value)) } else { word::encode(value) };
        raw_line(blob, name.as_str(), &value);
    }
}

fn line(blob: &mut Vec<u8>, name: &str, value: &[u8]) {
    raw_line(blob, name, &word::encode(value));
}

fn raw_line(blob: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        blob.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests;
