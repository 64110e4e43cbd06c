//! How bad, how sure, and of which family a finding is. The build script reads this file too.

use serde::{Deserialize, Serialize};

/// How much harm the finding can do. Ordered from low to critical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A hint; it should not stop anyone.
    Low,
    /// Bad practice that becomes harm together with something else.
    Medium,
    /// Access to something of value.
    High,
    /// Access that acts as a person, a service or an administrator at once.
    Critical,
}

/// How sure leakstop is that the finding is what its rule says. Ordered from low to high.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Something speaks against it, a wrong checksum for example.
    Low,
    /// Shape and context fit.
    Medium,
    /// The shape is unmistakable, or a checksum or structure proves it.
    High,
}

/// What kind of thing a rule looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// A literal credential.
    Secret,
    /// Code that handles credentials unsafely.
    Handling,
    /// A file that should not be in a repository.
    File,
    /// Permissions wider than the work needs.
    Access,
}

/// What lowered the confidence in a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A checksum in the value does not fit.
    Checksum,
    /// No account can be read from the value.
    Account,
    /// The token is not signed.
    Unsigned,
    /// The token says itself that it is over.
    Lapsed,
    /// A password like the user's name, for a host that only the own machine answers to.
    Local,
    /// Name and value make a credential likely and no more.
    Likely,
    /// It stands in a test, in documentation or in a sample.
    Sample,
    /// The value says itself that it is an example.
    Documentation,
    /// The rule itself is a hint.
    Hint,
}

impl Doubt {
    /// What speaks against the finding.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checksum => "its checksum is wrong",
            Self::Account => "no account number can be read from it",
            Self::Unsigned => "the token is not signed",
            Self::Lapsed => "the token has expired by its own word",
            Self::Local => "the password is the user's name, on a host that is this machine",
            Self::Likely => "name and value make a credential likely, not sure",
            Self::Sample => "it stands in a test, in documentation or in a sample",
            Self::Documentation => "the value says that it is an example, though a program runs with it",
            Self::Hint => "what this rule looks for is often harmless",
        }
    }
}

impl Severity {
    /// The word used in configuration and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl Family {
    /// The word used in configuration and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Handling => "handling",
            Self::File => "file",
            Self::Access => "access",
        }
    }
}
