//! Which reply answers which request.

use std::{collections::VecDeque, error::Error, fmt};

use http::{Method, Uri, request::Parts};

use crate::{Received, Reply};

/// A request that no line of the script answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unscripted {
    /// Method and URI of the request.
    pub request: String,
    scripted: Vec<String>,
}

/// The replies of a server.
#[derive(Default)]
pub(crate) struct Script {
    lines: Vec<Line>,
    program: Option<Program>,
}

pub(crate) type Program = Box<dyn FnMut(&Received, usize) -> Reply + Send>;

struct Line {
    method: Method,
    uri: Uri,
    replies: VecDeque<Reply>,
}

/// Splits a line like `GET http://a.example/`.
#[track_caller]
pub(crate) fn parse(line: &str) -> (Method, Uri) {
    let parsed = line.split_once(' ').and_then(|(method, uri)| Some((method.parse().ok()?, uri.parse().ok()?)));
    parsed.unwrap_or_else(|| panic!("{line:?} is not a method, a space and a URI"))
}

// === impl Script ===

impl Script {
    pub(crate) fn program(program: Program) -> Self {
        Self { lines: Vec::new(), program: Some(program) }
    }

    pub(crate) fn add(&mut self, method: Method, uri: Uri, reply: Reply) {
        match self.lines.iter_mut().find(|line| line.answers(&method, &uri)) {
            Some(line) => line.replies.push_back(reply),
            None => self.lines.push(Line { method, uri, replies: [reply].into() }),
        }
    }

    /// The reply that a line gives for this head, or `None` when the program is to be asked.
    pub(crate) fn reply(&mut self, head: &Parts) -> Result<Option<Reply>, Unscripted> {
        if let Some(line) = self.lines.iter_mut().find(|line| line.answers(&head.method, &head.uri)) {
            return Ok(line.next());
        }
        if self.program.is_some() {
            return Ok(None);
        }
        let scripted = self.lines.iter().map(Line::to_string).collect();
        Err(Unscripted { request: format!("{} {}", head.method, head.uri), scripted })
    }

    /// The reply of the program to the request of this number, if there is a program.
    pub(crate) fn run(&mut self, received: &Received, number: usize) -> Option<Reply> {
        self.program.as_mut().map(|program| program(received, number))
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lines.iter().map(Line::to_string)).finish()
    }
}

// === impl Line ===

impl Line {
    fn answers(&self, method: &Method, uri: &Uri) -> bool {
        self.method == *method && self.uri == *uri
    }

    /// The next reply; the last one is kept, so that it repeats.
    fn next(&mut self) -> Option<Reply> {
        if self.replies.len() > 1 { self.replies.pop_front() } else { self.replies.front().cloned() }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.uri)
    }
}

// === impl Unscripted ===

impl fmt::Display for Unscripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the script has no answer to {}, only to {:?}", self.request, self.scripted)
    }
}

impl Error for Unscripted {}
