//! Partial pulls of podman's zstd:chunked layers: a client that has most files of a layer asks for
//! the rest of them alone, many ranges in one request.

use std::path::Path;

use clients::image::sha256;
use clients::program::write;
use clients::{Cistern, Containers, UpstreamRegistry, or_skip};
use serde_json::Value;

use crate::scene::{DOCKER_HUB, aws_cli};

/// Files of the one layer, each of random bytes that no compression makes smaller.
const FILES: usize = 48;
const FILE_BYTES: u64 = 40_000;
/// Every so many of them differ between the two images.
const CHANGED_EVERY: usize = 8;
/// The last layer that was pulled is taken from these bytes of it: well below all of them.
const PART_BYTES_MAX: u64 = FILES as u64 * FILE_BYTES / 4;

/// Writes the files of an image's layer; those that change from one to the next are new.
fn write_files(directory: &Path, is_written: impl Fn(usize) -> bool) {
    for number in (0..FILES).filter(|number| is_written(*number)) {
        let mut bytes = vec![0; usize::try_from(FILE_BYTES).expect("a small number")];
        let mut random = std::fs::File::open("/dev/urandom").expect("every unix has it");
        std::io::Read::read_exact(&mut random, &mut bytes).expect("it never ends");
        write(&directory.join(format!("file-{number}")), bytes);
    }
}

fn digests(directory: &Path) -> Vec<String> {
    let read = |number| std::fs::read(directory.join(format!("file-{number}")));
    let digest = |number| sha256(&read(number).expect("a file of the layer"));
    (0..FILES).map(digest).collect()
}

/// What an image is made of, as its builder saw it.
struct Built {
    /// The digests of the files of its layer.
    files: Vec<String>,
    name: &'static str,
}

/// Builds two images of one layer each, most files of which they share.
fn build(builder: &Containers) -> [Built; 2] {
    let context = builder.directory().join("context");
    std::fs::create_dir(&context).expect("a directory of ours");
    write(&context.join("Containerfile"), "FROM scratch\nCOPY file-* /files/\n");
    ["1", "2"].map(|name| {
        write_files(&context, |number| name == "1" || number % CHANGED_EVERY == 0);
        builder.buildah(&["bud", "--tag", name, &context.display().to_string()]).success();
        Built { files: digests(&context), name }
    })
}

/// Pulls an image in parts, and asserts that every file of it is right; returns its layer.
#[track_caller]
fn pull(puller: &Containers, repository: &str, built: &Built) -> String {
    let reference = format!("{repository}:{}", built.name);
    let pulled = puller.podman(&["--log-level", "debug", "pull", &reference]);
    let layer = pulled.stderr.split("Retrieved partial blob ").nth(1).map(|rest| rest[..71].into());
    pulled.success();
    let container = puller.buildah(&["from", &reference]).success();
    let mounted = puller.buildah(&["mount", container.trim()]).success();
    let files = digests(&Path::new(mounted.trim()).join("files"));
    assert_eq!(files, built.files, "{reference}");
    puller.buildah(&["rm", container.trim()]).success();
    layer.expect("podman pulled the layer in parts")
}

/// Pulls one image, then the other: of that, the files that differ. Asserts that these came in one
/// answer of many ranges.
#[track_caller]
fn pull_both(
    cistern: &Cistern,
    puller: &Containers,
    name: &str,
    built: &[Built; 2],
) -> [String; 2] {
    let repository = format!("{}/{name}", cistern.host());
    let layers = [0, 1].map(|at| pull(puller, &repository, &built[at]));
    puller.forget_images();
    let asked = cistern.accesses(&format!("/v2/{name}/blobs/{}", layers[1]));
    let last = asked.last().expect("the layer was asked for");
    let changed = FILES.div_ceil(CHANGED_EVERY);
    assert_eq!(last["status"], 206, "{last}");
    assert!(last["ranges"].as_u64() >= Some(changed as u64), "{last}");
    assert!(last["bytes"].as_u64() < Some(PART_BYTES_MAX), "{last}");
    let is_partial = |line: &Value| line["status"] == 206;
    assert!(asked.iter().all(is_partial), "nothing asked for the whole: {asked:?}");
    layers
}

#[test]
fn podman_pulls_the_parts_of_a_layer_that_it_does_not_have() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let cistern = Cistern::start(&[
        "--upstream-endpoint",
        &format!("{DOCKER_HUB}={}", upstream.url()),
        "--rule",
        "hub=registry-1.docker.io",
    ]);
    let aws = or_skip!(aws_cli(&cistern));
    let (host, there) = (cistern.host(), upstream.host());
    let plain = Containers::plain_http(&host) + &Containers::plain_http(&there);
    let builder = or_skip!(Containers::new(&plain));
    let puller = or_skip!(Containers::pulling_parts(&plain));
    let password = aws.login_password();
    for mine in [&builder, &puller] {
        mine.login(&host, "AWS", &password).success();
    }
    let built = build(&builder);
    let push = |repository: &str| {
        for Built { name, .. } in &built {
            let push = ["push", "--compression-format", "zstd:chunked", name];
            builder.podman(&[&push[..], &[&format!("{repository}:{name}")]].concat()).success();
        }
    };

    push(&format!("{there}/team/app"));
    upstream.forget_requests();
    let layers = pull_both(&cistern, &puller, "hub/team/app", &built);
    pull_both(&cistern, &puller, "hub/team/app", &built);
    // Only now: the bytes of its layers are those of the cache.
    push(&format!("{host}/mine/app"));
    pull_both(&cistern, &puller, "mine/app", &built);
    upstream.stop();
    for layer in &layers {
        assert_eq!(upstream.blob_gets(layer), 1, "transfers of {layer}");
    }
    pull_both(&cistern, &puller, "hub/team/app", &built);
}
