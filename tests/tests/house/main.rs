//! The rules of the house that a machine can check. Each test is one rule, and names it; a rule that is broken
//! is told with file and line. The functions that find the breaches are pure and proven on small bad inputs.

mod arrows;
mod docs;
mod laws;
mod lints;
mod map;
mod msrv;
mod tracked;
mod workspace;
