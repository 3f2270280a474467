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
}
