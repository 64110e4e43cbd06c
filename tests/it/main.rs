//! The integration tests: real git in temporary folders with a scrubbed environment. One module a behaviour.

#![allow(unreachable_pub, reason = "the modules of a test binary share items freely")]

mod backends;
mod commits;
mod configuration;
mod documents;
mod installing;
mod merges;
mod properties;
mod pushes;
mod reports;
mod rules;
mod scans;
mod support;
mod tidy;
