//! What the whole-stack suites share: real servers on loopback, ready to be talked to.

pub mod servers;
