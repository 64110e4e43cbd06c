//! How long may a run take, and how long does it wait for git? Known before anything is read through git: only what the
//! machine, the user or the server says counts.

use crate::change::{self, ChangeError};
use crate::config::{Layer, Origin};

/// Where a run takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// In a work tree.
    Client,
    /// In a hook that receives a push.
    Server,
}

/// GitHub Enterprise gives all hooks of a push 5 seconds together, and what happens then is not ours to say.
const GITHUB_ENTERPRISE_MS: u64 = 4000;

/// Variables that its hooks see. (A runner of GitHub Actions has others that begin the same.)
const GITHUB_ENTERPRISE: [&str; 4] = ["GITHUB_VIA", "GITHUB_REPO_NAME", "GITHUB_USER_LOGIN", "GITHUB_REPO_PUBLIC"];

/// Sets both times as the layers say, or else the platform.
///
/// # Errors
/// Nobody can be set to watch the time.
pub(super) fn keep(layers: &[Layer], side: Side) -> Result<(), ChangeError> {
    let trusted = || layers.iter().rev().filter(|layer| layer.origin == Origin::Trusted).map(|layer| &layer.config.limits);
    if let Some(seconds) = trusted().find_map(|limits| limits.git_seconds) {
        change::set_git_seconds(seconds);
    }
    let configured = trusted().find_map(|limits| limits.deadline_ms).filter(|&milliseconds| milliseconds > 0);
    let is_github_enterprise = side == Side::Server && GITHUB_ENTERPRISE.iter().any(|name| std::env::var_os(name).is_some());
    change::set_deadline(configured.or(is_github_enterprise.then_some(GITHUB_ENTERPRISE_MS)))
}
