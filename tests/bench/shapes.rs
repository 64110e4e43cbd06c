//! Texts that were thought up to cost much: each repeats something that a rule, a check or a decoder looks into.

/// A shape's name, and how a text of about so many bytes is made of it.
pub(crate) type Shape = (&'static str, fn(usize) -> Vec<u8>);

/// Paths under which each shape is read: one for each way in which texts are looked at.
pub(crate) const PATHS: [&str; 11] = ["a.py", "a.yml", "a.json", "a.tf", "a.js", "Dockerfile", ".env", "a.ipynb", "noextension", "a.sh", "a.rb"];

macro_rules! repeated {
    ($($text:literal),* $(,)?) => { [$({ let shape: Shape = ($text, |size| repeat($text, size)); shape }),*] };
}

/// All shapes.
pub(crate) fn shapes() -> Vec<Shape> {
    let mut shapes: Vec<Shape> = repeated![
        "key=",
        "password=",
        "key=\"",
        "key='",
        "%41",
        "QUJD",
        "4142",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n",
        "a://b:c",
        "eyJ",
        "[\"",
        "([\"a\",",
        "[\"a\",\"b\"",
        "a=3Db\n",
        "a: !!binary YWJjZGVmZ2g=\n",
        "eyJ.",
        "secret ",
        "print(password",
        "print(",
        "print(a, password)\n",
        "token={",
        "Authorization: Basic ",
        "key_",
        "key=a\n",
        "key=abcd\n",
        "\"Action\": \"*\",",
        "\"Action\": \"*\",\n",
        "{\"Action\": \"*\",",
        "  - \"Action\": \"*\"\n",
        "os.environ.get(\"KEY\", ",
        "os.environ.get(\"KEY\", \"abcd\")\n",
        "{",
        "(",
        "[",
        "- ",
        "((password",
        "echo $TOKEN",
        "echo a\n",
        "a['",
        "\"",
        "'",
        "`",
        "\\",
        "\\\\",
        "\n",
        " ",
        "\r\n",
        "=",
        "key: |\n",
        "name: password\n  value: ",
        "ENV A=1 \\\n",
        "resource \"a\" \"b\" {",
        "kind: Secret\ndata:\n  a: YWJjZA==\n",
        "login a password b ",
        "<password>",
        "AKIA",
        "ghp_",
        "https://u:p@h/",
        "data: ",
        "data:\n  k: YWJjZGVm\n",
        "run: |\n  echo ${{ secrets.A }}\n",
        "sk-",
        "xox",
        "AIza",
        "Bearer ",
        "puts a,\n\n\n\n\n\n\n\n",
        "0",
        "ab12cd34ef56",
        "====",
        "/",
        "://",
        "@",
        "-----BEGIN",
        "----",
        "$",
        "${",
        "${{",
        "secret=\"a\" + \"b\" + ",
        // Lists of bytes, calls that put literals together, dumps, and values beside their names in other ways.
        "'a',",
        "'a', 'b', ",
        "0x61, ",
        "103, ",
        "1024, ",
        "1,\n        ",
        "chr(97) + ",
        "chr(",
        ".append(\"ab\")",
        "x.append(\"a\");\n",
        "new StringBuilder(\"a\").append(",
        "format(\"{}\", ",
        "\"{}{}\".format(\"a\", ",
        "\"%s\" % (\"a\", ",
        "concat(\"a\", ",
        "concat(\"concat('\",'",
        "[\"a\", ",
        "([\"a\"",
        "join([{(\"",
        "\n  \"a\"",
        "00000000: 6162 6364\n",
        "00000000  61 62 63 64\n",
        "000000 ",
        "password: !!binary ",
        "password: !!binary QUJD\n",
        "password: |\n",
        "password: >-\n  a\n",
        "password: &a &b ",
        "password = q{",
        "password = %q(",
        "password = <<A\n",
        "password = <<A\nb\nA\n",
        "password = [[",
        "password = [====",
        "password = r####",
        "password = @\"\n",
        "password =\n",
        "password =\n  \"a",
        "<password><![CDATA[",
        "<a name=\"password\">",
        "<a name=\"password\">\n",
        "password</key>\n<string>",
        "<a value=\"x\" name=\"password\" ",
        "enable secret ",
        "rootpw a",
        // What the rules for handling read with: scopes, brackets, tables, arguments of calls, lines of YAML.
        "{\"env\": {\"API_KEY\": \"x\"},",
        "{\"mcpServers\":{\"env\":{\"API_KEY\":[",
        "[mcp_servers.a.env]\nAPI_KEY = \"x\"\n",
        "API_KEY = \"x\"\n",
        "<<EOF\n",
        "/*",
        "# {\n",
        "  - run:\n",
        "- a:\n  ",
        "run: set -x $TOKEN\n",
        "environment:\n  API_KEY: x\n",
        "name: DB_PASSWORD, value: ",
        "value: abcd\n  name: DB_PASSWORD\n",
        "Outputs:\n  a: !GetAtt k.SecretAccessKey\n",
        "echo $(echo \"$TOKEN\" | ",
        "print(f\"{",
        "logger.info(\"%s\", (",
        "open('a.txt', 'w').write(token, ",
        "os.environ[\"API_KEY\"] if a else ",
        "def f(password=\"ab\", ",
        "login --password $(",
        "https://{user}:",
        "fetch(`?token=${",
        "default:\n",
        "api_key:\n  type: a\n",
        "provider \"a\" {\n  token = \"x\"\n",
        "permissions:\n",
        "on: pull_request_target\n",
        "\"outputs\": [{\"text\": [\"API_KEY=x\\n\"]}],",
    ]
    .to_vec();
    let others: [Shape; 23] = [
        ("deep indentation", deep),
        ("names in one value", |size| (0..size / 8).flat_map(|at| format!("k{at:x}key=").into_bytes()).take(size).collect()),
        ("different bindings", |size| (0..size / 30).flat_map(|at| format!("db_password{at} = \"xQ{:x}\"\n", at * 7_654_321).into_bytes()).collect()),
        ("different bindings, one line", |size| (0..size / 30).flat_map(|at| format!("token{at}=xQ{:x};", at * 7_654_321).into_bytes()).collect()),
        ("one long word", |size| vec![b'a'; size]),
        ("random bytes", |size| Random(1).take(size).collect()),
        ("random text", |size| Random(2).map(|b| b' ' + b % 95).take(size).collect()),
        ("random base64", |size| {
            Random(3).map(|b| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[usize::from(b % 64)]).take(size).collect()
        }),
        ("base64 in base64", layers),
        ("tokens, one line", |size| filled(" {n}ghp_{crc32:30}", size)),
        ("tokens that fail their check, one line", |size| filled(" ghp_{alnum:36}", size)),
        ("values of one name, one line", |size| filled("password='{alnum:16}';", size)),
        ("tokens, a line each", |size| filled("key = \"ghp_{crc32:30}\"\n", size)),
        ("connection strings, one line", |size| filled("postgres://u:{alnum:14}@db{n}/x ", size)),
        ("brackets within brackets", |size| nested(b"[", b"]", size)),
        ("JSON in JSON strings", json_layers),
        ("a folder of small files, zipped", |size| zipped(size, 40, b"password = 'none'\n")),
        ("zeros, zipped", |size| zipped(size, size * 8, b"\0\0\0\0\0\0\0\0")),
        ("zeros, gzipped", |size| gzipped(&vec![0; size * 20])),
        ("heads of streams in a PDF", |size| document(b"x\x9c", size)),
        ("streams in a PDF", |size| document(&deflated(b"password = 'none'\n"), size)),
        // Each head unpacks to a picture of one colour, which is a kilobyte of zeros.
        ("pictures in a PDF", |size| document(&deflated(&[0; 1 << 10]), size)),
        ("a line without end, gzipped", |size| gzipped(&repeat("password=abcdefgh;", size * 4))),
    ];
    shapes.extend(others);
    shapes
}

fn repeat(text: &str, size: usize) -> Vec<u8> {
    text.bytes().cycle().take(size).collect()
}

/// A document of one thing over and over.
fn document(part: &[u8], size: usize) -> Vec<u8> {
    [b"%PDF-1.7\n", part.iter().copied().cycle().take(size).collect::<Vec<u8>>().as_slice()].concat()
}

fn deflated(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, text).unwrap();
    encoder.finish().unwrap()
}

fn deep(size: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for depth in (0..400).cycle() {
        text.extend(std::iter::repeat_n(b' ', depth));
        text.extend(b"run: echo \"Action\": \"*\"\n");
        if text.len() > size {
            return text;
        }
    }
    text
}

fn layers(size: usize) -> Vec<u8> {
    use base64::Engine as _;
    let mut text: Vec<u8> = Random(4).take(size / 4).collect();
    while text.len() * 4 / 3 <= size {
        text = base64::engine::general_purpose::STANDARD.encode(&text).into_bytes();
    }
    text
}

/// A template over and over, each time with other values; `{n}` is its number.
fn filled(template: &str, size: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(size + 100);
    for at in 0.. {
        text.extend(leakstop::rules::shape::fill(&template.replace("{n}", &at.to_string()), at).into_bytes());
        if text.len() >= size {
            break;
        }
    }
    text
}

fn nested(open: &[u8], close: &[u8], size: usize) -> Vec<u8> {
    [open.repeat(size / 2), close.repeat(size / 2)].concat()
}

/// Each layer is a string of the one around it, so that its quotes and backslashes are escaped once more.
fn json_layers(size: usize) -> Vec<u8> {
    let mut text = "{\"password\": \"none\"}".to_owned();
    while text.len() < size.min(60_000) {
        text = format!("{{\"inner\": \"{}\"}}", text.replace('\\', "\\\\").replace('"', "\\\""));
    }
    repeat(&text, size)
}

/// A zip file of about so many bytes: `unpacked` bytes of the text in each of its files.
fn zipped(size: usize, unpacked: usize, text: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut file = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let content: Vec<u8> = text.iter().copied().cycle().take(unpacked).collect();
    // What a file takes beside its content: two heads and two names.
    let each = 130 + unpacked / 900;
    for at in 0..(size / each).max(1) {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        if file.start_file(format!("file{at:06}.txt"), options).is_ok() && file.write_all(&content).is_err() {
            break;
        }
    }
    file.finish().map(std::io::Cursor::into_inner).unwrap_or_default()
}

fn gzipped(text: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let written = file.write_all(text);
    written.and_then(|()| file.finish()).unwrap_or_default()
}

/// Bytes that are the same each time.
struct Random(u64);

impl Iterator for Random {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some((self.0 >> 56) as u8)
    }
}
