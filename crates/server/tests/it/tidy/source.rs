//! Rust sources: their openings, lengths and names, and words that must not be in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Lines of a file, tests left out.
const FILE_LINES_MAX: usize = 500;
/// Lines of a function, its signature included.
const FUNCTION_LINES_MAX: usize = 70;

/// Files and functions that are longer, each with the reason.
const LONGER: &[(&str, &str)] = &[];

/// Files whose names or types hold a word that is banned elsewhere, each with the reason.
const NAMED_OTHERWISE: &[(&str, &str)] = &[
    ("crates/aws/src/exception/common.rs", "AWS calls them its common errors"),
    ("crates/aws", "Service is AWS's own word"),
];

/// Words that say nothing about what a thing is.
const BANNED: [&str; 10] = [
    "manager",
    "helper",
    "helpers",
    "util",
    "utils",
    "common",
    "misc",
    "service",
    "processor",
    "info",
];

/// The one module that may say it.
const MAPPING: &str = "crates/blobs/src/mapping.rs";

/// The root of the source tree.
pub(super) fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("crates/");
    crates.parent().expect("the workspace").to_owned()
}

/// Every file below some directories, by its path from the root, with its text.
pub(super) fn files(below: &[&str], is_wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = below.iter().map(|name| root.join(name)).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a directory");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let name = path.strip_prefix(&root).expect("below the root").display().to_string();
        if is_wanted(&name)
            && let Ok(text) = fs::read_to_string(&path)
        {
            found.push((name, text));
        }
    }
    found.sort();
    assert!(!found.is_empty(), "nothing below {below:?}");
    found
}

fn sources() -> Vec<(String, String)> {
    files(&["crates", "tests/clients"], |name| name.ends_with(".rs"))
}

/// Fails with everything that was found.
#[track_caller]
pub(super) fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

fn is_excepted(exceptions: &[(&str, &str)], name: &str) -> bool {
    exceptions.iter().any(|(excepted, _)| name.starts_with(excepted))
}

/// Whether a file holds tests, or the parts of a contract suite.
fn is_test(name: &str) -> bool {
    let tests =
        ["/tests/", "/tests.rs", "/conformance/", "/conformance.rs", "tests/", "/examples/"];
    tests.iter().any(|part| name.contains(part))
}

/// The lines before the tests of a file.
fn product_lines(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
    });
    lines[..tests.unwrap_or(lines.len())].to_vec()
}

/// A line without its comment. Good enough for sources in which no string holds `//` and a word.
fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
}

#[test]
fn every_file_says_what_it_is() {
    let silent = sources().into_iter().filter(|(_, text)| !text.starts_with("//! "));
    assert_none(
        &silent.map(|(name, _)| format!("{name} does not open with //!")).collect::<Vec<_>>(),
    );
}

#[test]
fn files_are_short() {
    let long = sources().into_iter().filter_map(|(name, text)| {
        let count = product_lines(&text).len();
        let is_long = count > FILE_LINES_MAX && !is_test(&name) && !is_excepted(LONGER, &name);
        is_long.then(|| format!("{name} has {count} lines, more than {FILE_LINES_MAX}"))
    });
    assert_none(&long.collect::<Vec<_>>());
}

/// Every function with the number of its lines. It trusts rustfmt: a function ends with the first
/// line that is indented as its first one is and closes a brace or, where it is only declared, a
/// statement.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines = product_lines(text);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (at, first) in lines.iter().enumerate() {
        let mut words = code(first).split_whitespace().skip_while(|word| {
            word.starts_with("pub") || matches!(*word, "const" | "async" | "in")
        });
        if words.next() != Some("fn") {
            continue;
        }
        let name = words.next().unwrap_or_default();
        let name = name.split(['(', '<']).next().unwrap_or_default().to_owned();
        let ends = |line: &&str| indent(line) == indent(first) && line.ends_with(['}', ';']);
        let length = lines[at..].iter().position(ends).map_or(1, |length| length + 1);
        found.push((name, length));
    }
    found
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    for (file, text) in sources().into_iter().filter(|(file, _)| !is_test(file)) {
        for (name, count) in functions(&text) {
            if count > FUNCTION_LINES_MAX && !is_excepted(LONGER, &format!("{file}::{name}")) {
                long.push(format!(
                    "{file}: {name} has {count} lines, more than {FUNCTION_LINES_MAX}"
                ));
            }
        }
    }
    assert_none(&long);
}

#[test]
fn functions_are_counted_by_their_lines() {
    let text = "fn one() {}\n\nimpl X {\n    pub(crate) async fn four(\n        a: u8,\n    ) {\n    }\n\
                \n    fn declared(&self);\n\n    fn three() {\n        if x {\n        }\n    }\n}\n";
    let found = functions(text);
    let expected = [("one", 1), ("four", 4), ("declared", 1), ("three", 4)];
    assert_eq!(found, expected.map(|(name, count)| (name.to_owned(), count)));
}

#[test]
fn nothing_is_left_undone_or_unsafe() {
    let mut found = Vec::new();
    // Written in two parts, so that this file does not find itself.
    let (undone, ignored, no_care) =
        (["TO", "DO"].concat(), ["#[", "ignore"].concat(), ["un", "safe"].concat());
    for (name, text) in sources() {
        for (at, line) in text.lines().enumerate() {
            let place = format!("{name}:{}", at + 1);
            if has_word(line, &undone) && !line.contains(&format!("{undone}(#")) {
                found.push(format!("{place}: {undone} without an issue, as in {undone}(#12)"));
            }
            if line.trim_start().starts_with(&ignored) {
                found.push(format!("{place}: a test that does not run"));
            }
            if name != MAPPING && has_word(code(line), &no_care) {
                found.push(format!("{place}: {no_care} outside {MAPPING}"));
            }
        }
    }
    assert_none(&found);
}

/// The words of a name: `FooBar` and `foo_bar` both are `foo bar`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            words.push(String::new());
        }
        if c != '_' {
            words.last_mut().expect("one at least").extend(c.to_lowercase());
        }
    }
    words
}

fn is_banned(name: &str) -> bool {
    // `data` alone says nothing; `data_plane` is the field's word.
    name.eq_ignore_ascii_case("data")
        || words(name).iter().any(|word| BANNED.contains(&word.as_str()))
}

/// The name that a line defines: a type, or a function that is called `handle_` something.
fn defined(line: &str) -> Option<&str> {
    let mut words = code(line).trim_start().split([' ', '(', ')', '<', '{', ';', ':', '=']);
    let kind = words.by_ref().find(|word| !matches!(*word, "" | "pub" | "crate" | "super"))?;
    let name = words.find(|word| !word.is_empty())?;
    match kind {
        // An associated type has the name that its trait gave it.
        "type" if line.starts_with(' ') => None,
        "struct" | "enum" | "trait" | "type" | "mod" => is_banned(name).then_some(name),
        "fn" | "async" => line.contains("fn handle_").then_some(name),
        _ => None,
    }
}

#[test]
fn names_say_what_things_are() {
    let mut found = Vec::new();
    for (name, text) in sources() {
        if is_excepted(NAMED_OTHERWISE, &name) {
            continue;
        }
        let stem = Path::new(&name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if is_banned(stem) || stem == "mod" {
            found.push(format!("{name}: a file of that name says nothing"));
        }
        for (at, line) in text.lines().enumerate() {
            if let Some(word) = defined(line) {
                found.push(format!("{name}:{}: {word} says nothing", at + 1));
            }
        }
    }
    assert_none(&found);
}

#[test]
fn banned_names_are_recognised() {
    for line in [
        "struct FillManager;",
        "pub(crate) enum Info {",
        "type BlobHelper<T> = T;",
        "mod util;",
        "pub mod data {",
        "async fn handle_pull(",
        "    pub fn handle_x() {",
    ] {
        assert!(defined(line).is_some(), "{line}");
    }
    for line in [
        "struct Metadata;",
        "    type Data = Bytes;",
        "    type Data = Bytes;",
        "mod data_plane;",
        "fn inform()",
        "let info = 1;",
        "// struct Info",
    ] {
        assert_eq!(defined(line), None, "{line}");
    }
}
