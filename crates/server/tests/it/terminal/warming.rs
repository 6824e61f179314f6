//! `cistern cache warm` on a terminal: how far it is, and how it is stopped.

use std::{fs, process::Command};

use bytes::Bytes;
use oci::{Digest, media_type};
use serde_json::json;
use testkit::{Gate, Script, blob_path};

use super::Terminal;
use crate::{
    commands::{World, stderr},
    process::wait_for,
};

const MIB: usize = 1 << 20;

/// A terminal that controls the command, so that Ctrl-C is SIGINT.
fn controlled(command: &Command) -> Command {
    let mut controlled = Command::new("setsid");
    controlled.arg("--ctty").arg(command.get_program()).args(command.get_args());
    controlled.env_clear().env("PATH", "/usr/bin:/bin");
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            controlled.env(name, value);
        }
    }
    controlled.current_dir(command.get_current_dir().expect("set"));
    controlled
}

/// An image of one layer; returns the path of that.
fn image(world: &World, repository: &str, layer: Vec<u8>) -> String {
    let size = layer.len();
    let config = world.upstream.add_blob(repository, Bytes::from_static(b"{}"));
    let layer = world.upstream.add_blob(repository, layer);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config.as_str(),
            "size": 2,
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": layer.as_str(),
            "size": size,
        }],
    });
    let manifest = manifest.to_string();
    world.upstream.add_manifest(repository, Some("1"), media_type::OCI_MANIFEST, manifest);
    blob_path(repository, &layer)
}

/// A world with a small image, and a large one whose layer stops half way until the gate opens.
fn world() -> (World, Gate) {
    let world = World::new();
    world.prints(&["rule", "add", "hub", "docker-hub", "--no-validate"]);
    image(&world, "team/small", vec![1; 1000]);
    let layer = image(&world, "team/large", (0..=250).cycle().take(4 * MIB).collect());
    let gate = Gate::shut();
    world.upstream.script(&layer, Script::new().stall(2 * MIB as u64, &gate));
    (world, gate)
}

const WARM: [&str; 4] = ["cache", "warm", "hub/team/small:1", "hub/team/large:1"];

#[test]
fn a_bar_shows_how_far_a_warming_is() {
    let (world, gate) = world();
    let mut terminal = Terminal::start(world.home.command(&WARM));
    terminal.shows("hub/team/small:1: 1.0 kB, 1.0 kB of it new");
    terminal.shows("1/2 images  hub/team/large:1");
    // About half of it is here: the rest is withheld upstream.
    terminal.shows("warming [===============>              ] 2.00 MiB/4.00 MiB");
    // Nor was it ever full before.
    assert!(!terminal.screen().contains("================"), "{}", terminal.screen());
    gate.open();
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("hub/team/large:1 ┆ complete ┆ 2/2"), "{screen}");
    // The bar is gone: what is on its line last is nothing.
    let (_, after) = screen.rsplit_once("warming [").expect("a bar");
    assert!(after.contains("\u{1b}[2K"), "{screen:?}");
}

#[test]
fn ctrl_c_ends_a_warming_here_and_on_the_server() {
    let (world, gate) = world();
    let mut terminal = Terminal::start(controlled(&world.home.command(&WARM)));
    terminal.shows("1/2 images  hub/team/large:1");
    terminal.types("\u{3}");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(130), "{screen}");
    let said = "cistern: stopped: 1 of 2 images are warm, and of the others what came is kept";
    assert!(screen.contains(said), "{screen}");

    gate.open();
    // What was on its way comes to its end, and nothing is there that is not whole.
    let blobs = world.home.data_dir().join("blobs");
    wait_for("an empty staging directory", || {
        let mut staged = fs::read_dir(blobs.join("staging")).expect("a store");
        staged.next().is_none().then_some(())
    });
    let mut held = 0;
    for entry in walk(&blobs.join("sha256")) {
        let digest = Digest::of(&fs::read(&entry).expect("a blob"));
        assert!(entry.ends_with(digest.hex()), "{}", entry.display());
        held += 1;
    }
    assert!(held >= 3, "the image that was warm is here");
    let again = world.json(&WARM);
    for image in again.as_array().expect("a list") {
        assert_eq!(image["status"], "COMPLETE", "{again}");
    }
}

/// Every file below a directory.
fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("ours"));
    let below = |path: std::path::PathBuf| if path.is_dir() { walk(&path) } else { vec![path] };
    entries.flat_map(|entry| below(entry.path())).collect()
}

#[test]
fn what_cannot_be_warmed_is_named() {
    let (world, gate) = world();
    gate.open();
    world.home.write("images.txt", "# ours\nhub/team/small:1\nhub/team/large\n");
    let said = world.home.refused(&["cache", "warm", "images.txt"], 2);
    assert!(said.contains("images.txt, line 3: expected REPOSITORY:TAG"), "{said}");
    assert_eq!(world.upstream.requests().len(), 0, "nothing was begun");
    let said = world.home.refused(&["cache", "warm", "hub/team/small:1", "--platform", "linux"], 2);
    assert!(said.contains("--platform"), "{said}");

    let absent = world.home.run(&["cache", "warm", "hub/team/small:1", "hub/team/absent:1"]);
    assert_eq!(absent.status.code(), Some(1));
    let said = stderr(&absent);
    assert!(said.contains("1 of 2 images were not warmed: hub/team/absent:1: "), "{said}");
}
