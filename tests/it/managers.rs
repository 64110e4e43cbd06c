//! The hook managers themselves, driven by the README's examples.

pub const MANAGERS: [&str; 3] = ["pre-commit and prek", "husky", "lefthook"];
