//! A document that several people edit.

use std::sync::{Arc, Mutex};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{self, MethodRouter},
};

/// The current version and its number.
type Document = Arc<Mutex<(u32, String)>>;

/// Answers GET with the text, and PUT with 204, or with 412 where `If-Match` names another version (RFC 9110 §13.1.1).
pub fn document(text: &str) -> MethodRouter {
    let document = Document::new(Mutex::new((1, text.to_owned())));
    routing::get(read).put(write).with_state(document)
}

async fn read(State(document): State<Document>) -> Response {
    let Ok(current) = document.lock() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    ([(header::ETAG, tag(current.0))], current.1.clone()).into_response()
}

async fn write(State(document): State<Document>, headers: HeaderMap, text: String) -> Response {
    let Ok(mut current) = document.lock() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    if headers.get(header::IF_MATCH).is_some_and(|expected| expected != tag(current.0).as_str()) {
        return (StatusCode::PRECONDITION_FAILED, [(header::ETAG, tag(current.0))]).into_response();
    }
    *current = (current.0 + 1, text);
    (StatusCode::NO_CONTENT, [(header::ETAG, tag(current.0))]).into_response()
}

fn tag(version: u32) -> String {
    format!("\"v{version}\"")
}
