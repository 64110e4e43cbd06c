//! What language is a file in? Read from its name, or from its first line where the name says nothing.

/// What a template's name ends in, behind the name of what it makes.
const TEMPLATES: [&str; 8] = [".j2", ".jinja", ".jinja2", ".tmpl", ".tftpl", ".example", ".sample", ".dist"];

/// A language that a rule can be bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    JavaScript,
    Go,
    Java,
    Groovy,
    Kotlin,
    Scala,
    CSharp,
    Ruby,
    Php,
    Rust,
    Swift,
    C,
    Shell,
    PowerShell,
    Sql,
    Dockerfile,
    Yaml,
    Json,
    Toml,
    Ini,
    Xml,
    Terraform,
    Markdown,
    Make,
    /// The last one, see [`Language::COUNT`].
    Other,
}

impl Language {
    /// Number of languages.
    pub(super) const COUNT: usize = Self::Other as usize + 1;

    /// Does a literal that follows another one, with nothing but blanks between, go on with it? What is of no known language
    /// may be of one in which it does.
    pub(super) fn joins_neighbours(self) -> bool {
        matches!(self, Self::Python | Self::C | Self::Swift | Self::Ruby | Self::Sql | Self::Other)
    }

    /// The name rules use.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::Go => "go",
            Self::Java => "java",
            Self::Groovy => "groovy",
            Self::Kotlin => "kotlin",
            Self::Scala => "scala",
            Self::CSharp => "csharp",
            Self::Ruby => "ruby",
            Self::Php => "php",
            Self::Rust => "rust",
            Self::Swift => "swift",
            Self::C => "c",
            Self::Shell => "shell",
            Self::PowerShell => "powershell",
            Self::Sql => "sql",
            Self::Dockerfile => "dockerfile",
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Toml => "toml",
            Self::Ini => "ini",
            Self::Xml => "xml",
            Self::Terraform => "terraform",
            Self::Markdown => "markdown",
            Self::Make => "make",
            Self::Other => "other",
        }
    }

    /// True for languages in which a bare word on the right of an assignment is an expression and no text.
    pub(super) fn quotes_text(self) -> bool {
        matches!(
            self,
            Self::Python
                | Self::JavaScript
                | Self::Go
                | Self::Java
                | Self::Groovy
                | Self::Kotlin
                | Self::Scala
                | Self::CSharp
                | Self::Ruby
                | Self::Php
                | Self::Rust
                | Self::Swift
                | Self::C
                | Self::Terraform
        )
    }

    /// True for formats in which a bare word on the right of an assignment is a value.
    pub(super) fn is_configuration(self) -> bool {
        matches!(self, Self::Yaml | Self::Toml | Self::Ini | Self::Xml | Self::Shell | Self::PowerShell | Self::Dockerfile | Self::Sql)
    }

    pub(super) fn of(path: &[u8], text: &[u8]) -> Self {
        let name = path.rsplit(|&b| b == b'/').next().unwrap_or(path).to_ascii_lowercase();
        let name = TEMPLATES.iter().find_map(|ending| name.strip_suffix(ending.as_bytes())).filter(|stem| !stem.is_empty()).unwrap_or(&name);
        if name.starts_with(b"jenkinsfile") {
            return Self::Groovy;
        }
        if name.starts_with(b"dockerfile") || name.starts_with(b"containerfile") || name.ends_with(b".dockerfile") {
            return Self::Dockerfile;
        }
        if matches!(name, b"makefile" | b"gnumakefile" | b"justfile") || name.ends_with(b".mk") {
            return Self::Make;
        }
        if name.starts_with(b".env") || name.starts_with(b".bash") || name.starts_with(b".zsh") || name == b".profile" {
            return if name.starts_with(b".env") { Self::Ini } else { Self::Shell };
        }
        let extension = name.iter().rposition(|&b| b == b'.').map_or(&b""[..], |dot| &name[dot + 1..]);
        match extension {
            b"py" | b"pyi" | b"pyw" => Self::Python,
            b"js" | b"jsx" | b"ts" | b"tsx" | b"mjs" | b"cjs" | b"mts" | b"cts" | b"vue" | b"svelte" | b"astro" => Self::JavaScript,
            b"go" => Self::Go,
            b"java" => Self::Java,
            b"groovy" | b"gradle" | b"jenkinsfile" => Self::Groovy,
            b"kt" | b"kts" => Self::Kotlin,
            b"scala" | b"sc" | b"sbt" => Self::Scala,
            b"cs" | b"fs" | b"vb" => Self::CSharp,
            b"rb" | b"erb" | b"rake" | b"gemspec" => Self::Ruby,
            b"php" | b"phtml" => Self::Php,
            b"rs" => Self::Rust,
            b"swift" | b"m" | b"mm" => Self::Swift,
            b"c" | b"h" | b"cc" | b"cpp" | b"cxx" | b"hpp" | b"hh" => Self::C,
            b"sh" | b"bash" | b"zsh" | b"ksh" | b"bats" => Self::Shell,
            b"ps1" | b"psm1" | b"psd1" => Self::PowerShell,
            b"sql" => Self::Sql,
            b"yml" | b"yaml" => Self::Yaml,
            b"json" | b"jsonc" | b"json5" | b"ipynb" => Self::Json,
            b"toml" => Self::Toml,
            b"ini" | b"cfg" | b"conf" | b"properties" | b"env" => Self::Ini,
            b"xml" | b"config" | b"plist" | b"csproj" => Self::Xml,
            b"tf" | b"tfvars" | b"hcl" | b"tofu" => Self::Terraform,
            b"md" | b"markdown" | b"rst" | b"adoc" | b"txt" => Self::Markdown,
            _ => Self::of_first_line(text),
        }
    }

    fn of_first_line(text: &[u8]) -> Self {
        /// A `#!` line is short; a first line of megabytes is none.
        const LONGEST: usize = 128;
        let Some(line) = text.strip_prefix(b"#!") else { return Self::Other };
        let line = &line[..line.len().min(LONGEST)];
        let line = line.split(|&b| b == b'\n').next().unwrap_or(line);
        let runs = |name: &[u8]| memchr::memmem::find(line, name).is_some();
        if runs(b"python") {
            Self::Python
        } else if runs(b"node") || runs(b"deno") || runs(b"bun") {
            Self::JavaScript
        } else if runs(b"ruby") {
            Self::Ruby
        } else if runs(b"php") {
            Self::Php
        } else if runs(b"sh") {
            Self::Shell
        } else {
            Self::Other
        }
    }
}
