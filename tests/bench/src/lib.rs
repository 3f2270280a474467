//! Side by side: bare hyper-util, httplib2 and its peers, with the same requests in one run.
//!
//! How to run it and how to read what it prints is in `README.md`.

pub mod clients;
pub mod measure;
pub mod origin;
pub mod scenarios;
pub mod series;
pub mod streams;

/// What any part of a run may fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
