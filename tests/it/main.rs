//! The integration tests: real git in temporary folders with a scrubbed environment. One module a behaviour.

#![allow(unreachable_pub, reason = "the modules of a test binary share items freely")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a helper of a scene fails the scene")]

mod across;
mod agreement;
mod archives;
#[cfg(unix)]
mod audit_chain;
mod audits;
#[cfg(unix)]
mod backends;
mod baseline;
mod both;
mod bounds;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod chroot;
mod commits;
mod configuration;
mod corpus;
mod crafted;
#[cfg(unix)]
mod doctor;
mod documents;
mod encodings;
mod explaining;
#[cfg(unix)]
mod failing;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod faults;
mod forms;
mod fuzzed;
mod histories;
#[cfg(target_os = "linux")]
mod hostile;
mod human;
mod importing;
#[cfg(unix)]
mod injection;
#[cfg(unix)]
mod installing;
mod kinds;
mod lfs;
#[cfg(unix)]
mod limits;
mod managers;
mod merges;
mod notebooks;
mod own_rules;
mod places;
#[cfg(unix)]
mod progress;
mod properties;
mod pushes;
mod readme;
mod reports;
#[cfg(unix)]
mod resuming;
mod rules;
mod scans;
mod sequences;
mod shards;
mod support;
mod tampering;
mod taxonomy;
mod tidy;
mod written;
