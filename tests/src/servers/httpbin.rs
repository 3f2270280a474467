//! httpbin, in the virtual environment that `.ci/run` makes.

use std::{
    env,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{
    StartError,
    process::{Plan, Process, on_free_ports},
};

/// The environment variable that names the Python that has httpbin.
const PYTHON: &str = "HTTPBIN_PYTHON";

/// A running httpbin, plain http.
#[derive(Debug)]
pub struct Httpbin {
    // Dropped first, so that the server is gone before its files are.
    _process: Process,
    _dir: TempDir,
    port: u16,
}

/// Starts httpbin.
///
/// # Panics
///
/// When it does not start; the message says why.
#[track_caller]
pub fn start() -> Httpbin {
    match try_start() {
        Ok(server) => server,
        Err(error) => panic!("{error}"),
    }
}

/// Starts httpbin, or says why not.
pub fn try_start() -> Result<Httpbin, StartError> {
    let python = python();
    if !python.is_file() {
        return Err(StartError::NotInstalled { program: "httpbin".into() });
    }
    on_free_ports(|[port]| {
        let dir = tempfile::Builder::new().prefix("httplib2-httpbin-").tempdir()?;
        let run = format!("from httpbin import app; app.run(host='127.0.0.1', port={port}, threaded=True)");
        let process = Process::start(&Plan {
            program: &python,
            args: vec!["-c".into(), run],
            log: &dir.path().join("log"),
            pid_file: None,
            ports: &[port],
        })?;
        Ok(Httpbin { _process: process, _dir: dir, port })
    })
}

fn python() -> PathBuf {
    env::var_os(PYTHON)
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/ci-venv/bin/python"), PathBuf::from)
}

// === impl Httpbin ===

impl Httpbin {
    /// Returns the URI of a path.
    pub fn uri(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Returns the URI of what lets `user` in by Digest, which it answers with `"authenticated": true`.
    ///
    /// | | what httpbin 0.10 makes of it |
    /// |---|---|
    /// | `qop` | `auth` and `auth-int` are offered alone, whatever else as `auth, auth-int`; none is accepted too |
    /// | `algorithm` | MD5, SHA-256 and SHA-512, which is not the SHA-512-256 of RFC 7616; whatever else is MD5 |
    /// | the algorithm in the answer | must be there, or else MD5 is taken for it |
    /// | nonce, count, cnonce, opaque | not looked at: any nonce is good, again and again; no `rspauth`, no `nextnonce` |
    /// | the `uri` in the answer | not looked at: the path as it was decoded goes into the digest |
    /// | `user` and `password` | are segments of the path; what must be escaped there never matches (see above) |
    /// | a query | ends in a 500, so `require-cookie` cannot be used |
    /// | methods | GET and HEAD, also with a body, which `auth-int` covers |
    /// | `stale` | is unquoted: `stale=False` |
    ///
    /// Nothing of it needs a cookie. With cookies, a number behind the algorithm (`/MD5/1`) is how many answers
    /// are let in until one is challenged with `stale=True`: see [`stale_uri`](Self::stale_uri).
    pub fn digest_uri(&self, qop: &str, algorithm: &str, user: &str, password: &str) -> String {
        self.uri(&format!("/digest-auth/{qop}/{user}/{password}/{algorithm}"))
    }

    /// Like [`digest_uri`](Self::digest_uri), where nonces are stale after `answers`.
    ///
    /// The server keeps the count in the cookie `stale_after`, and the nonce that it refuses in `last_nonce`: a client
    /// without cookies is let in for ever. A client that goes by them is let in `answers` times, then challenged
    /// with `stale=True`, a new nonce and the count set anew.
    pub fn stale_uri(&self, algorithm: &str, user: &str, password: &str, answers: u32) -> String {
        format!("{}/{answers}", self.digest_uri("auth", algorithm, user, password))
    }
}
