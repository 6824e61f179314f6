//! The arrows of the drawing: which room may use which, and who may know the outside world how.

use std::{collections::BTreeMap, fs};

use toml::{Table, Value};

use super::source::{assert_none, root};

/// Every room and the rooms it may use (`ARCHITECTURE.md`, the drawing).
const ARROWS: &[(&str, &[&str])] = &[
    ("oci", &[]),
    ("aws", &[]),
    ("cli", &["aws", "oci"]),
    ("blobs", &["oci"]),
    ("metadata", &["oci"]),
    ("upstream", &["oci", "aws"]),
    ("registry", &["blobs", "metadata", "upstream", "oci"]),
    ("server", &["cli", "registry", "blobs", "metadata", "upstream", "oci", "aws"]),
    ("testkit", &["blobs", "metadata", "upstream", "oci"]),
];

/// Crates that speak to the outside world, and the rooms that may know each.
const FENCED: &[(&str, &[&str])] = &[
    ("axum", &["server"]),
    ("hyper", &["server"]),
    // `upstream` finds the system's proxies with it.
    ("hyper-util", &["server", "upstream"]),
    ("sqlx", &["metadata"]),
    // `cli` is a client of the doors, and knows nothing that is behind them.
    ("reqwest", &["upstream", "cli"]),
    ("dialoguer", &["cli"]),
    ("memmap2", &["blobs"]),
];

/// Crates with which something waits or touches the outside: not for the rooms of words.
const IMPURE: [&str; 4] = ["tokio", "futures-util", "async-trait", "reqwest"];

/// The manifest of every crate below `crates/`.
fn manifests() -> BTreeMap<String, Table> {
    let rooms = fs::read_dir(root().join("crates")).expect("crates/");
    let read = |room: std::path::PathBuf| {
        let text = fs::read_to_string(room.join("Cargo.toml")).expect("a manifest");
        let name = room.file_name().expect("a name").to_string_lossy().into_owned();
        (name, toml::from_str(&text).expect("TOML"))
    };
    rooms.map(|room| read(room.expect("an entry").path())).collect()
}

/// The names in a table of dependencies, those of every platform included.
fn dependencies(manifest: &Table, kind: &str) -> Vec<String> {
    let mut names: Vec<String> = manifest
        .get(kind)
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(Table::keys)
        .cloned()
        .collect();
    let targets = manifest.get("target").and_then(Value::as_table);
    for target in targets.into_iter().flat_map(Table::values).filter_map(Value::as_table) {
        names.extend(dependencies(target, kind));
    }
    names
}

#[test]
fn rooms_use_only_what_the_drawing_shows() {
    let manifests = manifests();
    let mut found = Vec::new();
    for (room, manifest) in &manifests {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| name == room) else {
            found.push(format!("crates/{room} is not in the drawing"));
            continue;
        };
        for used in dependencies(manifest, "dependencies") {
            if manifests.contains_key(&used) && !allowed.contains(&used.as_str()) {
                found.push(format!("{room} uses {used}: the drawing has no such arrow"));
            }
        }
        for used in dependencies(manifest, "dev-dependencies") {
            let is_known = allowed.contains(&used.as_str()) || used == "testkit" || used == *room;
            if manifests.contains_key(&used) && !is_known {
                found
                    .push(format!("the tests of {room} use {used}: the drawing has no such arrow"));
            }
        }
    }
    for (room, _) in ARROWS {
        if !manifests.contains_key(*room) {
            found.push(format!("the drawing has a room {room} that is not there"));
        }
    }
    assert_none(&found);
}

#[test]
fn each_way_to_the_outside_has_its_room() {
    let mut found = Vec::new();
    for (room, manifest) in manifests().iter().filter(|(room, _)| *room != "testkit") {
        let used = dependencies(manifest, "dependencies");
        for (fenced, owners) in FENCED {
            if used.iter().any(|used| used == fenced) && !owners.contains(&room.as_str()) {
                found.push(format!(
                    "{room} uses {fenced}, which is for {} alone",
                    owners.join(", ")
                ));
            }
        }
        if matches!(room.as_str(), "oci" | "aws") {
            let impure = used.iter().filter(|used| IMPURE.contains(&used.as_str()));
            found.extend(impure.map(|used| format!("{room} is pure and uses {used}")));
        }
    }
    assert_none(&found);
}
