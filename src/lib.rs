//! leakstop blocks commits and pushes that bring in secrets or unsafe secret handling.
//!
//! The library exists so that tests, fuzz targets and benches can call the pure rooms. It is not stable.
//!
//! # Invariants
//! 1. Any doubt blocks. An error, a panic, a broken configuration, an unreadable object ends in exit code 2, never in 0.
//! 2. What was not read is said: `Coverage` lists it and every report shows it.
//! 3. What would be recorded is what is scanned. No hook reads the work tree, but for one comparison that can only add a
//!    finding (`run/across.rs::own_values`); the repository is opened from git's environment and never discovered while
//!    that environment is set.
//! 4. Neither the user's git configuration nor attributes change the answer: objects are read, never porcelain output.
//! 5. A secret's bytes leave the process nowhere. Reports show path, line, column and a mask, never the source line.
//! 6. On a server, policy comes from the server or the already accepted tip, never from what is being pushed.
//! 7. The exit code does not depend on the format.
//! 8. `scan` and `judge` are functions of their inputs: the order of files and the number of threads change nothing.
//! 9. Keywords never change an answer, only its cost.
//! 10. Every decision has a reason.

pub mod audit;
pub mod change;
pub mod cli;
pub mod config;
pub mod finding;
pub mod import;
pub mod install;
pub mod judge;
pub mod report;
pub mod rules;
pub mod run;
pub mod scan;
pub mod terminal;
