//! Is this a path of tests, documentation or samples? What is unsafe there is worth a word and no refusal.
//!
//! Instructions to coding assistants are none of it, whatever they end in: an assistant does what it reads there.

/// Folders whose content nobody deploys, and nobody copies from.
const TESTS: &str = "test tests __tests__ spec specs testdata test-data test_data testing fixtures fixture __fixtures__ mocks mock __mocks__ e2e \
    cypress vendor third_party thirdparty node_modules testcases snapshots __snapshots__ integration-tests benches benchmarks";

/// Folders whose content people read.
const EXAMPLES: &str = "example examples sample samples demo demos doc docs documentation";

/// Notebooks, templates and sample configurations: assistants and people copy from them, wherever they lie but among tests.
const COPIED: [&str; 11] = [".ipynb", ".example", ".sample", ".template", ".dist", ".tmpl", ".tpl", ".tftpl", ".j2", ".jinja", ".jinja2"];

/// Text that people read.
const READ: [&str; 4] = [".md", ".rst", ".adoc", ".markdown"];

/// Files and folders that assistants read as instructions.
const ASSISTANTS: [&str; 19] = [
    "claude.md",
    "agents.md",
    "gemini.md",
    "claude.local.md",
    "copilot-instructions.md",
    "skill.md",
    ".claude/",
    ".cursor/",
    ".codex/",
    ".gemini/",
    ".windsurf/",
    ".cursorrules",
    ".windsurfrules",
    ".clinerules",
    "mcp.json",
    ".mdc",
    ".prompt.md",
    ".github/instructions/",
    "prompts/",
];

/// True where a finding about handling only warns.
pub(super) fn is_sample(path: &[u8]) -> bool {
    let path = String::from_utf8_lossy(path).to_ascii_lowercase();
    if ASSISTANTS.iter().any(|part| path.contains(part)) {
        return false;
    }
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let inside = |names: &str| folders.split('/').any(|folder| names.split_ascii_whitespace().any(|one| one == folder));
    if inside(TESTS) {
        return true;
    }
    if COPIED.iter().any(|ending| name.ends_with(ending)) {
        return false;
    }
    inside(EXAMPLES)
        || READ.iter().any(|ending| name.ends_with(ending))
        || name.contains(".test.")
        || name.contains(".spec.")
        || name.contains(".stories.")
        || stem.starts_with("test_")
        || ["_test", "_tests", "_spec", "conftest"].iter().any(|ending| stem.ends_with(ending))
        || is_test_class(&path, stem)
}

/// `UserServiceTest.java`, where the hump is lost in small letters: only languages that name tests so.
fn is_test_class(path: &str, stem: &str) -> bool {
    let named_so = [".java", ".kt", ".cs", ".scala", ".php", ".swift", ".groovy"].iter().any(|ending| path.ends_with(ending));
    named_so && (stem.ends_with("test") || stem.ends_with("tests")) && !stem.ends_with("latest")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_and_documentation_are_told_from_code_and_from_instructions() {
        for path in ["tests/a.py", "src/__tests__/a.js", "a_test.go", "test_a.py", "a.spec.ts", "docs/x.sh", "README.md", "src/FooTest.java", "e2e/x"]
        {
            assert!(is_sample(path.as_bytes()), "{path}");
        }
        for path in ["docs/a.ipynb", "examples/.env.example", "demo/values.yaml.tmpl", "docs/.cursor/mcp.json", "a/style.mdc"] {
            assert!(!is_sample(path.as_bytes()), "{path}");
        }
        assert!(is_sample(b"tests/a.ipynb"));
        for path in ["src/a.py", "contest.py", "latest.java", "CLAUDE.md", ".claude/skills/x/SKILL.md", ".env.example", "testing.py", "AGENTS.md"] {
            assert!(!is_sample(path.as_bytes()), "{path}");
        }
    }
}
