//! A pattern of another scanner in our words: the group that it reports becomes `secret`, all others group and nothing more.

use regex_syntax::ast::{self, Ast, GroupKind, Visitor};

/// A group of a pattern that remembers what it matched.
struct Group {
    /// Where its parenthesis stands.
    start: usize,
    /// Where its content begins.
    inner: usize,
    index: usize,
}

/// The pattern with the group `index` as the credential; without an index the first one, and all of the match where there is
/// none. Says also whether there was a choice.
pub(super) fn with_secret(pattern: &str, index: Option<usize>) -> Result<(String, bool), String> {
    let mut groups = groups(pattern)?;
    groups.sort_by_key(|group| group.start);
    let chosen = match index.filter(|index| *index > 0) {
        Some(index) if groups.iter().any(|group| group.index == index) => Some(index),
        Some(index) => return Err(format!("its `secretGroup` {index} is not in the pattern")),
        None => groups.first().map(|group| group.index),
    };
    let chosen = chosen.filter(|_| index != Some(0));
    let mut out = String::new();
    let mut from = 0;
    for group in &groups {
        out.push_str(&pattern[from..group.start]);
        out.push_str(if Some(group.index) == chosen { "(?<secret>" } else { "(?:" });
        from = group.inner;
    }
    out.push_str(&pattern[from..]);
    if chosen.is_none() {
        out = format!("(?<secret>{out})");
    }
    Ok((out, index.is_none() && groups.len() > 1))
}

fn groups(pattern: &str) -> Result<Vec<Group>, String> {
    let parsed = ast::parse::Parser::new().parse(pattern).map_err(|e| format!("it is no regular expression here: {}", e.kind()))?;
    struct Collect(Vec<Group>);
    impl Visitor for Collect {
        type Output = Vec<Group>;
        type Err = std::convert::Infallible;

        fn finish(self) -> Result<Vec<Group>, Self::Err> {
            Ok(self.0)
        }

        fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
            let Ast::Group(group) = ast else { return Ok(()) };
            let start = group.span.start.offset;
            match &group.kind {
                GroupKind::CaptureIndex(index) => self.0.push(Group { start, inner: start + 1, index: *index as usize }),
                // The name ends before `>`.
                GroupKind::CaptureName { name, .. } => self.0.push(Group { start, inner: name.span.end.offset + 1, index: name.index as usize }),
                GroupKind::NonCapturing(_) => {}
            }
            Ok(())
        }
    }
    match ast::visit(&parsed, Collect(Vec::new())) {
        Ok(groups) => Ok(groups),
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reported_group_becomes_the_secret() {
        for (pattern, index, expected) in [
            (r"acme_[0-9]{9}", None, Ok((r"(?<secret>acme_[0-9]{9})", false))),
            (r"x=(acme_[0-9]{9})", None, Ok((r"x=(?<secret>acme_[0-9]{9})", false))),
            (r"(a|b)=(acme_[0-9]{9})", Some(2), Ok((r"(?:a|b)=(?<secret>acme_[0-9]{9})", false))),
            (r"(a|b)=(acme_[0-9]{9})", None, Ok((r"(?<secret>a|b)=(?:acme_[0-9]{9})", true))),
            (r"(a|b)=(?P<key>\(acme)", Some(2), Ok((r"(?:a|b)=(?<secret>\(acme)", false))),
            (r"(?i)(?:a)((b)c)", Some(1), Ok((r"(?i)(?:a)(?<secret>(?:b)c)", false))),
            (r"(a)b", Some(0), Ok((r"(?<secret>(?:a)b)", false))),
            (r"(a)b", Some(3), Err("its `secretGroup` 3 is not in the pattern")),
        ] {
            let made = with_secret(pattern, index);
            assert_eq!(made.as_ref().map(|(text, choice)| (text.as_str(), *choice)).map_err(String::as_str), expected, "{pattern}");
        }
        assert!(with_secret("(", None).is_err());
    }
}
