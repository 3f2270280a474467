//! Real servers on loopback, each on ports of its own, each ended when its value is dropped.
//!
//! | server | what it is here for |
//! |---|---|
//! | [`nginx`] | redirects, framing, HTTP/2, keep-alive and closed connections, slow answers |
//! | [`apache`] | the same site, written by other hands |
//! | [`httpbin`] | answers that say what was asked |
//!
//! A test that starts one says `#[ignore = "needs nginx"]`: it runs where the program is installed, and where
//! it is not it fails, it does not pass over.
//!
//! nginx and Apache serve one [`Site`], so one test body can be run against both.

pub mod apache;
pub mod httpbin;
pub mod nginx;

mod certs;
mod process;
mod site;

pub use certs::Certs;
pub use process::StartError;
pub use site::{HELLO, REDIRECT_CODES, Site, echoed, large, text};
