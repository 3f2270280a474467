//! The facade against servers that others wrote. They run where `.ci/run` has installed the servers:
//! `cargo test -p httplib2-tests --test real_servers -- --ignored`.

mod client;
mod codings;
mod httpbin;
mod redirects;
mod site;
