//! A full disk: nothing half is kept, what is there is served, and room heals everything.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use clients::{Image, Missing, Skopeo, UpstreamRegistry, or_skip, program, run};

use crate::scene::{DOCKER_HUB, aws_cli, cache_of_docker_hub};

const MIB: u64 = 1 << 20;

/// A small file system in memory, mounted over a directory until it is dropped.
struct Medium(PathBuf);

impl Medium {
    fn mount(directory: &Path, size_bytes: u64) -> Result<Self, Missing> {
        let mount = program::find("mount", "mount")?;
        let size = format!("size={size_bytes}");
        let mounted =
            run(Command::new(mount).args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(directory));
        if !mounted.status.success() {
            return Err(Missing::new("the right to mount a file system", "run the tests as root"));
        }
        Ok(Self(directory.to_owned()))
    }

    fn resize(&self, size_bytes: u64) {
        let size = format!("remount,size={size_bytes}");
        run(Command::new("mount").args(["-o", &size]).arg(&self.0)).success();
    }

    /// Leaves no byte of room.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = File::create(&path).expect("a file");
        let piece = vec![7; 64 << 10];
        while file.write_all(&piece).is_ok() {}
        while file.write_all(&piece[..1]).is_ok() {}
        path
    }
}

impl Drop for Medium {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_loses_nothing_and_heals() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let [small, other, big] =
        [Image::one_layer(MIB), Image::one_layer(2 * MIB), Image::one_layer(64 * MIB)];
    for (image, name) in [(&small, "team/small"), (&other, "team/other"), (&big, "team/big")] {
        upstream.push(image, name, "1");
    }
    let mut cistern = cache_of_docker_hub(&upstream.url());
    cistern.terminate();
    fs::remove_dir_all(cistern.data_directory()).expect("a stopped server's directory");
    fs::create_dir(cistern.data_directory()).expect("a directory");
    let medium = or_skip!(Medium::mount(&cistern.data_directory(), 24 * MIB));
    cistern.restart();
    let staging = cistern.data_directory().join("blobs/staging");
    let aws = or_skip!(aws_cli(&cistern));
    let rule = |prefix| {
        let words = ["ecr", "create-pull-through-cache-rule", "--ecr-repository-prefix", prefix];
        aws.run(&[&words[..], &["--upstream-registry-url", DOCKER_HUB]].concat())
    };
    rule("hub").success();
    let skopeo = or_skip!(Skopeo::new());
    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    let host = cistern.host();
    let reference = |name: &str| format!("{host}/hub/team/{name}:1");
    skopeo.pull(&reference("small")).assert_whole(&small);

    // More than fits: the reader's connection breaks, and nothing of it stays.
    skopeo.copy(&reference("big"), &[]).expect_err("there is no room").failure();
    assert_eq!(fs::read_dir(&staging).expect("it exists").count(), 0);
    skopeo.pull(&reference("small")).assert_whole(&small);

    // Not a byte of room: what is here is served, what is not says why, in the client's envelope.
    let filler = medium.fill();
    skopeo.pull(&reference("small")).assert_whole(&small);
    // skopeo prints the status of a 5xx, and no body.
    let refused = skopeo.copy(&reference("other"), &[]).expect_err("there is no room").failure();
    assert!(refused.contains("503 Service Unavailable"), "{refused}");
    let refused = rule("second").failure();
    assert!(refused.contains("The disk of this registry is full"), "{refused}");
    cistern.kill();
    cistern.restart();
    skopeo.pull(&reference("small")).assert_whole(&small);

    // Room again, then more of it: everything goes on as if nothing had been.
    fs::remove_file(filler).expect("the filler");
    rule("second").success();
    skopeo.pull(&reference("other")).assert_whole(&other);
    medium.resize(256 * MIB);
    skopeo.pull(&reference("big")).assert_whole(&big);
    assert!(cistern.terminate().success(), "SIGTERM drains and exits 0");
}
