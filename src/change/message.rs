//! The commit message as git will store it, from the file that the `commit-msg` hook is given.

use super::error::ChangeError;
use super::store::Store;

/// git puts this after the comment character; with `commit --verbose` or `cleanup = scissors` it cuts from that line on.
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------";

/// Cuts from `text` what git will cut by `commit.cleanup`. Of the hook's environment, `editor` is `GIT_EDITOR`, which git
/// sets to `:` when no editor opens, and then comment lines are kept; `overrides` is what `git -c` set, which the
/// repository's configuration does not show. Where it is not sure what git cuts, nothing is cut.
///
/// # Errors
/// git's configuration cannot be read.
pub fn message_as_stored<'a>(store: &dyn Store, text: &'a [u8], editor: Option<&str>, overrides: &str) -> Result<Vec<&'a [u8]>, ChangeError> {
    let overrides = overrides.to_ascii_lowercase();
    if overrides.contains("commit.cleanup") || overrides.contains("core.comment") {
        return Ok(vec![text]);
    }
    let cleanup = store.setting("commit.cleanup")?.unwrap_or_else(|| "default".to_owned());
    let edited = editor != Some(":");
    let strips = match cleanup.as_str() {
        "strip" => true,
        "default" | "scissors" => edited,
        _ => false,
    };
    let comment = match store.setting("core.commentString")? {
        Some(comment) => Some(comment),
        None => store.setting("core.commentChar")?,
    };
    let comment = comment.unwrap_or_else(|| "#".to_owned());
    if !strips || comment == "auto" || comment.is_empty() {
        return Ok(vec![text]);
    }
    let keeps_comments = cleanup == "scissors" || !says_ignored(text, comment.as_bytes());
    let mut kept = Vec::new();
    let mut rest_at = 0;
    for line in text.split_inclusive(|&b| b == b'\n') {
        rest_at += line.len();
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        if let Some(rest) = bare.strip_prefix(comment.as_bytes()) {
            if rest == SCISSORS && (cleanup == "scissors" || is_verbose_diff(&text[rest_at..], comment.as_bytes())) {
                break;
            }
            if !keeps_comments {
                continue;
            }
        }
        kept.push(line);
    }
    Ok(kept)
}

/// `--cleanup=verbatim` and `--cleanup=whitespace` are not told to the hook. But git itself tells the user in the text, below
/// what is typed, whether lines with the comment character "will be ignored" or "will be kept": so they are cut only where
/// it says the first. In another language, or without that text (`--no-status`), a comment counts as part of the message.
fn says_ignored(text: &[u8], comment: &[u8]) -> bool {
    let mut comments = text.split(|&b| b == b'\n').filter(|line| line.starts_with(comment));
    // The comma keeps "Everything below it will be ignored." apart, which stands below scissors.
    comments.any(|line| memchr::memmem::find(line, b" will be ignored,").is_some())
}

/// `--verbose` is not told to the hook. Without it scissors are a comment like any other, and what is typed below them is
/// stored: so they count only where nothing but git's diff follows.
fn is_verbose_diff(below: &[u8], comment: &[u8]) -> bool {
    let first = below.split(|&b| b == b'\n').find(|line| !line.is_empty() && !line.starts_with(comment));
    first.is_none_or(|line| line.starts_with(b"diff --") || line.starts_with(b"Submodule "))
}
