//! A process killed while it stages and commits.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use blobs::{
    BlobStore,
    conformance::{put, sample},
};
use oci::{Algorithm, Digest};
use tempfile::tempdir;

use super::{open, staged_files};

/// Where the killed process keeps its store; set for it alone.
const STORE: &str = "CRASH_TEST_STORE";

/// This test starts itself as the process that is killed: after its n-th step, for many n.
#[test]
fn a_killed_writer_leaves_whole_blobs_and_what_is_swept() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(dir) = env::var_os(STORE) {
        return runtime.block_on(write_until_killed(Path::new(&dir)));
    }
    let dir = tempdir().unwrap();
    let mut files_left = 0;
    for steps in 1..=15 {
        kill_after(steps, dir.path());
        files_left += staged_files(dir.path());
        let store = runtime.block_on(open(dir.path()));
        assert_eq!(staged_files(dir.path()), 0);
        assert_blobs_are_whole(&dir.path().join("sha256"));
        runtime.block_on(put(&store, &sample("after the crash", 1000)));
    }
    assert!(files_left > 0, "no kill met a staging file");
}

fn kill_after(steps: usize, dir: &Path) {
    let mut writer = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::a_killed_writer_leaves_whole_blobs_and_what_is_swept"])
        .args(["--nocapture", "--test-threads=1"])
        .env(STORE, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    let seen = lines.map_while(Result::ok).filter(|line| line.ends_with("step")).take(steps);
    assert_eq!(seen.count(), steps, "the writer ended early");
    writer.kill().unwrap();
    writer.wait().unwrap();
}

async fn write_until_killed(dir: &Path) {
    let store = open(dir).await;
    for number in 0_u32.. {
        let bytes = sample(&format!("{number} of {}", std::process::id()), 300_000);
        let mut staged = store.stage(Algorithm::Sha256).await.unwrap();
        println!("\nstaged: step");
        for half in bytes.chunks(150_000) {
            staged.append(half).unwrap();
            println!("\nappended: step");
        }
        let verified = staged.verify(&Digest::of(&bytes), None).unwrap();
        println!("\nverified: step");
        verified.commit().await.unwrap();
        println!("\ncommitted: step");
    }
}

fn assert_blobs_are_whole(dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_blobs_are_whole(&path);
        } else {
            let digest = Digest::of(&std::fs::read(&path).unwrap());
            assert_eq!(path.file_name().unwrap().to_str(), Some(digest.hex()));
        }
    }
}
