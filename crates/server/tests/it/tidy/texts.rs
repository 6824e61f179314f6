//! Everything that is written down: decisions are indexed, and no machine is named.

use std::fs;

use super::source::{assert_none, files, root};

#[test]
fn every_decision_is_indexed() {
    let index = fs::read_to_string(root().join("docs/adr/README.md")).expect("the index");
    let decisions =
        files(&["docs/adr"], |name| name.ends_with(".md") && !name.ends_with("README.md"));
    let missing = decisions.iter().filter_map(|(name, _)| {
        let file = name.rsplit('/').next().expect("a name");
        (!index.contains(file)).then(|| format!("docs/adr/README.md does not list {file}"))
    });
    assert_none(&missing.collect::<Vec<_>>());
}

#[test]
fn no_machine_is_named() {
    // In two parts, so that this file does not find itself.
    let machines = [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"]].map(|parts| parts.concat());
    let everywhere = [
        "crates",
        "tests",
        "docs",
        "bench",
        ".ci",
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "Cargo.toml",
    ];
    let present: Vec<&str> = everywhere
        .into_iter()
        .filter(|name| root().join(name).try_exists().unwrap_or(false))
        .collect();
    let mut found = Vec::new();
    for (name, text) in files(&present, |_| true) {
        for (at, line) in text.lines().enumerate() {
            if machines.iter().any(|machine| line.contains(machine.as_str())) {
                found.push(format!("{name}:{}: names a machine's path: {}", at + 1, line.trim()));
            }
        }
    }
    assert_none(&found);
}
