//! The facade against servers that others wrote. They run where `.ci/run` has installed the servers:
//! `cargo test -p httplib2-tests --test real_servers -- --ignored`.

mod auth;
mod client;
mod codings;
mod digest;
mod guards;
mod httpbin;
mod httplib2_files;
mod lost_update;
mod nonces;
mod redirects;
mod site;
mod wsse;
