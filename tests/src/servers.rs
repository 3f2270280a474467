//! Real servers on loopback, each on ports of its own, each ended when its value is dropped.
//!
//! | server | what it is here for |
//! |---|---|
//! | [`nginx`] | redirects, framing, HTTP/2, keep-alive and closed connections, slow answers, Basic |
//! | [`apache`] | the same site, written by other hands; Digest, and WebDAV |
//! | [`httpbin`] | answers that say what was asked; Digest with SHA-256 and `auth-int` |
//! | [`wsse`] | a guard of our own, since nobody else has one |
//!
//! A test that starts one says `#[ignore = "needs nginx"]`: it runs where the program is installed, and where
//! it is not it fails, it does not pass over.
//!
//! nginx and Apache serve one [`Site`], so one test body can be run against both.

pub mod apache;
pub mod guards;
pub mod httpbin;
pub mod nginx;
pub mod wsse;

mod certs;
mod process;
mod site;

pub use certs::Certs;
pub use guards::{DIGESTS, PASSWORD, SECRET, USER};
pub use process::StartError;
pub use site::{HELLO, REDIRECT_CODES, Site, echoed, large, text};
