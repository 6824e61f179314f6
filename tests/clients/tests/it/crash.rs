//! SIGKILL in the middle of a fill: nothing of it is left, nothing wrong is served, and who was
//! logged in still is.

use std::fs;
use std::path::Path;
use std::thread;

use clients::{Image, Skopeo, StallingProxy, UpstreamRegistry, or_skip, wait};

use crate::scene::{DOCKER_HUB, aws_cli, cache_of_docker_hub};

#[test]
fn a_kill_during_a_fill_leaves_nothing_behind() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let image = Image::one_layer(32 << 20);
    upstream.push(&image, "team/app", "1");
    let proxy = StallingProxy::start(&upstream.host(), 8 << 20);
    let mut cistern = cache_of_docker_hub(&proxy.url());
    let aws = or_skip!(aws_cli(&cistern));
    let create = ["ecr", "create-pull-through-cache-rule", "--ecr-repository-prefix", "hub"];
    aws.json(&[&create[..], &["--upstream-registry-url", DOCKER_HUB]].concat());
    let skopeo = or_skip!(Skopeo::new());
    let password = aws.login_password();
    skopeo.login(&cistern.host(), "AWS", &password).success();
    let reference = format!("{}/hub/team/app:1", cistern.host());
    let staging = cistern.data_directory().join("blobs/staging");

    thread::scope(|scope| {
        let pull = scope.spawn(|| skopeo.copy(&reference, &[]));
        proxy.wait_for_stall();
        wait::until("bytes in staging", || (staged_bytes(&staging) > 0).then_some(()));
        cistern.kill();
        pull.join().expect("no panic").expect_err("the connection broke").failure();
    });

    proxy.release();
    cistern.restart();
    assert_eq!(staged_bytes(&staging), 0, "what the crash left is swept at start");
    assert_eq!(fs::read_dir(&staging).expect("it exists").count(), 0);
    // The login is the one from before the crash.
    skopeo.pull(&reference).assert_whole(&image);
    assert!(cistern.terminate().success(), "SIGTERM drains and exits 0");
    assert_eq!(fs::read_dir(&staging).expect("it exists").count(), 0);
}

fn staged_bytes(staging: &Path) -> u64 {
    let entries = fs::read_dir(staging).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}
