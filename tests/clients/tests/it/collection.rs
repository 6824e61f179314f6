//! Space that is freed: by the command, by the server itself, and by one that is killed in the middle
//! of it, while clients push and pull.

use std::{collections::HashSet, fs, path::Path, thread};

use clients::{Cistern, Image, Skopeo, or_skip, wait};
use serde_json::Value;
use tempfile::TempDir;

use crate::scene::aws_cli;

/// Starts a server whose `[limits]` are these.
fn start(directory: &Path, limits: &str) -> Cistern {
    let config = directory.join("cistern.toml");
    fs::write(&config, format!("[limits]\n{limits}\n")).expect("a file");
    Cistern::start(&["--config", config.to_str().expect("a plain path")])
}

fn blob_files(cistern: &Cistern) -> usize {
    let shards = fs::read_dir(cistern.data_directory().join("blobs/sha256")).expect("it exists");
    let blobs = |shard: fs::DirEntry| fs::read_dir(shard.path()).expect("a directory").count();
    shards.flatten().map(blobs).sum()
}

fn gc(cistern: &Cistern, words: &[&str]) -> Value {
    let said = cistern.command(&[&["gc", "--output", "json"], words].concat()).success();
    serde_json::from_str(&said).expect("JSON")
}

#[test]
fn what_was_removed_is_freed_and_what_stays_pulls_whole() {
    let directory = TempDir::new().expect("a temporary directory");
    let cistern = start(directory.path(), "gc-interval = \"0s\"\ngc-grace = \"0s\"");
    let aws = or_skip!(aws_cli(&cistern));
    let skopeo = or_skip!(Skopeo::new());
    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    let (kept, gone) = (Image::multi_arch(), Image::one_layer(1 << 20));
    let reference = |name: &str| format!("{}/team/{name}:1", cistern.host());
    skopeo.push(&kept, &reference("kept"), &["--all"]).success();
    let before = blob_files(&cistern);
    skopeo.push(&gone, &reference("gone"), &[]).success();
    let after = blob_files(&cistern);
    assert_eq!(gc(&cistern, &[])["blobs"], 0, "all of it is needed");
    cistern.command(&["repository", "remove", "team/gone", "--force"]).success();
    let planned = gc(&cistern, &["--dry-run"]);
    assert_eq!(planned["blobs"], after - before);
    assert!(planned["bytes"].as_u64() > Some(1 << 20), "{planned}");
    assert_eq!(blob_files(&cistern), after);
    assert_eq!(gc(&cistern, &[]), planned);
    assert_eq!(blob_files(&cistern), before);
    let said = cistern.command(&["gc"]).success();
    assert!(said.starts_with("freed 0 B: 0 blobs"), "{said}");
    skopeo.pull_all(&reference("kept")).assert_whole(&kept);
    skopeo.push(&gone, &reference("gone"), &[]).success();
    skopeo.pull(&reference("gone")).assert_whole(&gone);
}

/// Pushes until it succeeds: with so little grace, what a client uploaded may be gone before it pushes
/// its manifest, and it is told so.
fn push(skopeo: &Skopeo, image: &Image, reference: &str) {
    wait::until("a push that is fast enough", || {
        skopeo.push(image, reference, &["--all"]).status.success().then_some(())
    });
}

/// A server that collects all the time is killed again and again while images are pushed and removed.
/// Whatever it acknowledged pulls whole.
#[test]
fn a_kill_during_a_collection_loses_nothing() {
    const ROUNDS: usize = 6;
    let directory = TempDir::new().expect("a temporary directory");
    let limits = "gc-interval = \"20ms\"\ngc-grace = \"1s\"";
    let mut cistern = start(directory.path(), limits);
    let aws = or_skip!(aws_cli(&cistern));
    let skopeo = or_skip!(Skopeo::new());
    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    let kept = Image::multi_arch();
    let host = cistern.host();
    let reference = |name: &str| format!("{host}/team/{name}");
    push(&skopeo, &kept, &reference("kept:1"));
    let mut pushed = Vec::new();
    for round in 0..ROUNDS {
        let (junk, image) = (Image::one_layer(64 << 10), Image::one_layer(256 << 10));
        push(&skopeo, &junk, &reference("junk:1"));
        cistern.command(&["repository", "remove", "team/junk", "--force"]).success();
        let mine = reference(&format!("mine:{round}"));
        thread::scope(|scope| {
            let cut_off = scope.spawn(|| skopeo.push(&image, &mine, &[]));
            let hex = image.largest_blob().strip_prefix("sha256:").expect("a digest");
            let blob = cistern.data_directory().join("blobs/sha256").join(&hex[..2]).join(hex);
            wait::until("a blob of the push", || blob.metadata().is_ok().then_some(()));
            cistern.kill();
            drop(cut_off.join().expect("no panic"));
        });
        cistern.restart();
        skopeo.pull_all(&reference("kept:1")).assert_whole(&kept);
        // A push that was cut off is done again; what it left may be on its way out.
        push(&skopeo, &image, &mine);
        pushed.push((image, mine));
        for (image, reference) in &pushed {
            skopeo.pull(reference).assert_whole(image);
        }
    }
    let images = pushed.iter().map(|(image, _)| image).chain([&kept]);
    let digests =
        images.flat_map(|image| image.blobs.iter().chain(&image.manifests).chain([&image.digest]));
    let needed = digests.collect::<HashSet<_>>().len();
    wait::until("what nobody needs to be gone", || (blob_files(&cistern) == needed).then_some(()));
    skopeo.pull_all(&reference("kept:1")).assert_whole(&kept);
    for (image, reference) in &pushed {
        skopeo.pull(reference).assert_whole(image);
    }
}
