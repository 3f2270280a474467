//! The order of the layers: what the shipped stack does, and the harm that another order would do.

mod authentication;
mod cache;
mod credentials;
mod deadline;
mod loopback;
mod lost_update;
mod retry;
mod wire;
