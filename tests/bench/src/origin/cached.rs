//! What a cache may keep, how often it was asked for, and content that is too long for one.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream as Blocking},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::BoxError;

/// What a cache may do with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cacheable {
    /// Use it again without asking.
    Fresh,
    /// As [`Fresh`](Self::Fresh), and each URI has content of its own: see [`numbered`].
    Numbered,
    /// Use it again after asking: the origin then says that it still holds.
    Validated,
    /// Nothing.
    Never,
}

/// How often one resource was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// How often it was sent whole.
    pub whole: usize,
    /// How often it still held.
    pub not_modified: usize,
}

/// How the end of a long answer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By its announced length.
    Sized,
    /// By its last chunk.
    Chunked,
}

/// A resource that a cache may or may not keep.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resource {
    cacheable: Cacheable,
    length: usize,
}

/// A long answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    framing: Framing,
    length: u64,
}

/// How often everything was asked for, on all connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(Arc<Mutex<HashMap<String, Asked>>>);

/// The tag of all that can be validated.
pub const TAG: &str = "\"33a64df551425fcc55e4d42a148795d9\"";

/// A long answer repeats this many bytes, and all its chunks but the last are as long.
pub const PERIOD: usize = 64 * 1024;

/// How many bytes of [`numbered`] content are its number.
pub const NUMBER: usize = 8;

/// Before a target: how often was it asked for?
const ASKED: &str = "/asked";

/// The path of a resource. Behind `?` may stand who asks, and behind `&` what makes it another URI: those with the same
/// text before `&` are counted together.
#[must_use]
pub fn path(cacheable: Cacheable, length: usize) -> String {
    let name = match cacheable {
        Cacheable::Fresh => "fresh",
        Cacheable::Numbered => "numbered",
        Cacheable::Validated => "validated",
        Cacheable::Never => "never",
    };
    format!("/cached/{name}/{length}")
}

/// The path of a long answer.
#[must_use]
pub fn stream_path(framing: Framing, length: u64) -> String {
    let name = match framing {
        Framing::Sized => "sized",
        Framing::Chunked => "chunked",
    };
    format!("/streamed/{name}/{length}")
}

/// Content that does not look like its neighbours: a piece at the wrong place is seen.
#[must_use]
pub fn content(length: usize) -> Bytes {
    let mut random = 1_u64;
    let mut content = Vec::with_capacity(length + 8);
    while content.len() < length {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        content.extend((random >> 16).to_be_bytes());
    }
    content.truncate(length);
    content.into()
}

/// Content with a number at its start, so that a store that knows what is the same keeps all of them.
#[must_use]
pub fn numbered(content: &[u8], number: u64) -> Bytes {
    let mut numbered = content.to_vec();
    put_number(&mut numbered, number);
    numbered.into()
}

/// What is sent for a GET of a resource. What is [`Numbered`](Cacheable::Numbered) has no number yet.
#[must_use]
pub fn answer(cacheable: Cacheable, length: usize) -> Response<Bytes> {
    let resource = Resource { cacheable, length };
    let mut response = Response::new(content(length));
    *response.headers_mut() = resource.headers();
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    response
}

/// The number behind `&` in a target. Without one it is 0.
#[must_use]
pub fn number(target: &str) -> u64 {
    target.split_once('&').and_then(|(_, number)| number.parse().ok()).unwrap_or_default()
}

/// Asks the origin how often `target` was asked for.
///
/// # Errors
///
/// Where it does not say.
pub fn asked(origin: SocketAddr, target: &str) -> Result<Asked, BoxError> {
    let mut stream = Blocking::connect(origin)?;
    stream.write_all(format!("GET {ASKED}{target} HTTP/1.1\r\nhost: {origin}\r\n\r\n").as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, content) = answer.split_once("\r\n\r\n").ok_or("the origin broke off")?;
    let (whole, not_modified) = content.split_once(' ').ok_or("the origin does not count")?;
    Ok(Asked { whole: whole.parse()?, not_modified: not_modified.parse()? })
}

#[expect(clippy::disallowed_methods, reason = "what is fresh is so by the clock of those who ask")]
fn date() -> String {
    httpdate::fmt_http_date(SystemTime::now())
}

// === impl Resource ===

impl Resource {
    pub(super) fn at(path: &str) -> Option<Self> {
        let (name, length) = path.strip_prefix("/cached/")?.split_once('/')?;
        let cacheable = match name {
            "fresh" => Cacheable::Fresh,
            "numbered" => Cacheable::Numbered,
            "validated" => Cacheable::Validated,
            _ => Cacheable::Never,
        };
        Some(Self { cacheable, length: length.parse().ok()? })
    }

    /// What is sent for this target, where `wire` is sent for any.
    pub(super) fn for_target<'a>(self, wire: &'a [u8], target: &str) -> Cow<'a, [u8]> {
        if self.cacheable != Cacheable::Numbered {
            return wire.into();
        }
        let mut wire = wire.to_vec();
        let content = wire.len() - self.length;
        put_number(&mut wire[content..], number(target));
        wire.into()
    }

    pub(super) fn is_validated(self) -> bool {
        self.cacheable == Cacheable::Validated
    }

    pub(super) fn answer(self, still_holds: bool) -> Response<Bytes> {
        if !still_holds {
            return answer(self.cacheable, self.length);
        }
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.headers_mut() = self.headers();
        response
    }

    fn headers(self) -> HeaderMap {
        let cache_control = match self.cacheable {
            Cacheable::Fresh | Cacheable::Numbered => "max-age=86400",
            Cacheable::Validated => "max-age=0",
            Cacheable::Never => "no-store",
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control));
        headers.insert(header::ETAG, HeaderValue::from_static(TAG));
        if let Ok(date) = HeaderValue::try_from(date()) {
            headers.insert(header::DATE, date);
        }
        headers
    }
}

// === impl Tally ===

impl Tally {
    pub(super) fn note(&self, target: &str, still_holds: bool) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let target = counted(target);
        if !counts.contains_key(target) {
            counts.insert(target.to_owned(), Asked::default());
        }
        if let Some(asked) = counts.get_mut(target) {
            *(if still_holds { &mut asked.not_modified } else { &mut asked.whole }) += 1;
        }
    }

    /// The answer to who asks for the count of a target.
    pub(super) fn report(&self, target: &str) -> Option<Response<Bytes>> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = counts.get(counted(target.strip_prefix(ASKED)?)).copied().unwrap_or_default();
        Some(Response::new(format!("{} {}", asked.whole, asked.not_modified).into()))
    }
}

fn put_number(content: &mut [u8], number: u64) {
    let length = NUMBER.min(content.len());
    content[..length].copy_from_slice(&number.to_be_bytes()[..length]);
}

fn counted(target: &str) -> &str {
    target.split_once('&').map_or(target, |(counted, _)| counted)
}

// === impl Stream ===

impl Stream {
    pub(super) fn at(path: &str) -> Option<Self> {
        let (name, length) = path.strip_prefix("/streamed/")?.split_once('/')?;
        let framing = if name == "sized" { Framing::Sized } else { Framing::Chunked };
        Some(Self { framing, length: length.parse().ok()? })
    }

    pub(super) async fn send(self, stream: &mut TcpStream) -> io::Result<()> {
        let framing = match self.framing {
            Framing::Sized => format!("content-length: {}", self.length),
            Framing::Chunked => "transfer-encoding: chunked".to_owned(),
        };
        let head = format!("HTTP/1.1 200 OK\r\n{framing}\r\ncache-control: max-age=86400\r\ndate: {}\r\n\r\n", date());
        stream.write_all(head.as_bytes()).await?;
        let period = content(PERIOD);
        let chunk = [format!("{PERIOD:x}\r\n").as_bytes(), &period, b"\r\n"].concat();
        let mut left = self.length;
        while left > 0 {
            let length = left.min(PERIOD as u64) as usize;
            match self.framing {
                Framing::Sized => stream.write_all(&period[..length]).await?,
                Framing::Chunked if length == PERIOD => stream.write_all(&chunk).await?,
                Framing::Chunked => {
                    let chunk = [format!("{length:x}\r\n").as_bytes(), &period[..length], b"\r\n"].concat();
                    stream.write_all(&chunk).await?;
                }
            }
            left -= length as u64;
        }
        if self.framing == Framing::Chunked {
            stream.write_all(b"0\r\n\r\n").await?;
        }
        Ok(())
    }
}
