//! The server of all scenarios: a process of its own, so that nothing it does is counted.
//!
//! It is written by hand, not with hyper: all it knows is where a request ends, so it takes little of the two ends'
//! common time, and it stays the same when hyper's server changes.

pub mod cached;

use std::{
    collections::HashMap,
    env,
    io::{self, BufRead, BufReader, Read, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime,
};

use self::cached::{Resource, Stream, Tally};
use crate::BoxError;

/// A running origin. It ends when this is dropped, and when the process that started it ends.
#[derive(Debug)]
pub struct Origin {
    process: Child,
    address: SocketAddr,
}

/// The argument with which the worker is an origin.
pub const ORIGIN: &str = "origin";

/// The content of every answer that a scenario ends with.
pub static CONTENT: [u8; 200] = [b'x'; 200];

/// A path that is answered only on a new connection: one that was kept is closed as the request arrives.
pub const DYING: &str = "/dying";

/// A path that is answered only to those who sign. What they sign nobody checks.
pub const DIGEST: &str = "/digest";

/// A path whose answer is the small one, with a tag.
pub const TAGGED: &str = "/tagged";

/// How long the head of a request may be.
const MAX_HEAD: usize = 64 * 1024;

/// The answer to a GET of `path`, signed or not: that of the origin, and of the mock that stands for it.
pub fn answer(path: &str, is_signed: bool) -> Response<Bytes> {
    let location = match path {
        DIGEST if !is_signed => return challenge(),
        TAGGED => return tagged(),
        "/redirect-3" => "/redirect-2",
        "/redirect-2" => "/redirect-1",
        "/redirect-1" => "/small",
        _ => return small(),
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(location));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

/// Answers until its standard input ends, and says first on its standard output where.
///
/// # Errors
///
/// Where it cannot listen.
pub fn serve() -> Result<(), BoxError> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    println!("{}", listener.local_addr()?);
    io::stdout().flush()?;
    let tally = Tally::default();
    std::thread::spawn(move || {
        runtime.block_on(async {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, tally.clone()));
            }
        });
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// Answers each head that arrives. No request has a body.
async fn connection(mut stream: TcpStream, tally: Tally) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut known = HashMap::new();
    let mut head = Vec::new();
    loop {
        match head.windows(4).position(|end| end == b"\r\n\r\n") {
            None if head.len() > MAX_HEAD || stream.read_buf(&mut head).await? == 0 => return Ok(()),
            None => {}
            Some(end) => {
                let target = target(&head[..end]);
                if target == DYING && !known.is_empty() {
                    return Ok(());
                }
                let path = target.split_once('?').map_or(target, |(path, _)| path);
                if let Some(long) = Stream::at(path) {
                    tally.note(target, false);
                    long.send(&mut stream).await?;
                } else if let Some(count) = tally.report(target) {
                    stream.write_all(&wire(&count)).await?;
                } else if let Some(resource) = Resource::at(path) {
                    let still_holds = resource.is_validated() && has_field(&head[..end], b"\r\nif-none-match:");
                    tally.note(target, still_holds);
                    let answer = known
                        .entry((path.to_owned(), still_holds))
                        .or_insert_with(|| wire(&resource.answer(still_holds)));
                    stream.write_all(&resource.for_target(answer, target)).await?;
                } else {
                    let is_signed = path == DIGEST && has_field(&head[..end], b"\r\nauthorization:");
                    let answer = known
                        .entry((path.to_owned(), is_signed))
                        .or_insert_with_key(|(path, is_signed)| wire(&answer(path, *is_signed)));
                    stream.write_all(answer).await?;
                }
                head.drain(..end + 4);
            }
        }
    }
}

fn target(head: &[u8]) -> &str {
    let target = head.split(|byte| *byte == b' ').nth(1);
    target.and_then(|target| str::from_utf8(target).ok()).unwrap_or_default()
}

/// Field names come in lower case from all clients that are compared, or in the case of the RFC.
fn has_field(head: &[u8], name: &[u8]) -> bool {
    head.windows(name.len()).any(|start| start.eq_ignore_ascii_case(name))
}

fn wire(answer: &Response<Bytes>) -> Vec<u8> {
    let mut wire = format!("HTTP/1.1 {}\r\n", answer.status()).into_bytes();
    for (name, value) in answer.headers() {
        wire.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    wire.extend(b"\r\n");
    wire.extend(answer.body());
    wire
}

fn small() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(&CONTENT));
    for (name, value) in [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_LENGTH, "200"),
        (header::CACHE_CONTROL, "no-store"),
        (header::DATE, "Sat, 01 Jan 2000 00:00:00 GMT"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn tagged() -> Response<Bytes> {
    let mut response = small();
    response.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"33a64df551425fcc55e4d42a148795d9\""));
    response
}

fn challenge() -> Response<Bytes> {
    const CHALLENGE: &str =
        r#"Digest realm="bench", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c0", qop="auth", algorithm=MD5"#;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

// === impl Origin ===

impl Origin {
    /// Starts the program `worker` as an origin.
    ///
    /// # Errors
    ///
    /// Where it does not start.
    pub fn start(worker: &Path) -> Result<Self, BoxError> {
        let mut process = Command::new(worker).arg(ORIGIN).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut said = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout.take(64)).read_line(&mut said)?;
        }
        Ok(Self { address: said.trim().parse()?, process })
    }

    /// Starts this very program as an origin.
    ///
    /// # Errors
    ///
    /// Where it does not start.
    pub fn start_self() -> Result<Self, BoxError> {
        Self::start(&env::current_exe()?)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}
