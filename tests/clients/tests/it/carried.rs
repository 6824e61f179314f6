//! The cache before it is needed: warmed by the server, carried as an OCI image layout to a site
//! without a network, read and written by other people's tools on the way.

use std::fs;
use std::path::Path;

use clients::cistern::invocation;
use clients::program::write;
use clients::{
    Cistern, Containers, Daemon, Image, Skopeo, StallingProxy, UpstreamRegistry, or_skip,
};
use serde_json::json;
use tempfile::TempDir;

use crate::scene::{DOCKER_HUB, aws_cli, cache_of_docker_hub, create_docker_hub_rule};

/// An upstream that is not there.
const NOWHERE: &str = "http://127.0.0.1:9";
const ALPINE: &str = "hub/library/alpine:3.20";
const APP: &str = "hub/team/app:1";

/// A cache with a rule `hub`, whose upstream is found here.
#[track_caller]
fn cache(upstream_url: &str) -> Cistern {
    let endpoint = format!("--upstream-endpoint={DOCKER_HUB}={upstream_url}");
    Cistern::start(&[&endpoint, "--rule=hub=registry-1.docker.io"])
}

#[track_caller]
fn log_in(skopeo: &Skopeo, cistern: &Cistern) -> Result<(), clients::Missing> {
    let password = aws_cli(cistern)?.login_password();
    skopeo.login(&cistern.host(), "AWS", &password).success();
    Ok(())
}

#[test]
fn a_list_of_images_is_warmed_and_served_without_the_upstream() {
    let mut upstream = or_skip!(UpstreamRegistry::with_password());
    let (alpine, app) = (Image::multi_arch(), Image::one_layer(3 << 20));
    upstream.push(&alpine, "library/alpine", "3.20");
    upstream.push(&app, "team/app", "1");
    let cistern = cache_of_docker_hub(&upstream.url());
    let aws = or_skip!(aws_cli(&cistern));
    create_docker_hub_rule(&aws);
    let skopeo = or_skip!(Skopeo::new());
    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    let directory = TempDir::new().expect("a temporary directory");
    let list = directory.path().join("images.txt");
    write(&list, "# site one\ndocker-hub/library/alpine:3.20\n\ndocker-hub/team/app:1  # ours\n");
    let list = list.display().to_string();

    let one = ["cache", "warm", "docker-hub/library/alpine:3.20", "--platform", "linux/arm64"];
    let said = cistern.command(&one).success();
    assert!(said.contains("complete  4/4"), "{said}");
    let warmed = cistern.command(&["cache", "warm", &list, "--output", "json"]).json();
    let of = |at: usize, member: &str| warmed[at][member].clone();
    assert_eq!((of(0, "status"), of(1, "status")), (json!("COMPLETE"), json!("COMPLETE")));
    assert_eq!(of(0, "imageDigest"), alpine.digest);
    assert_eq!((of(0, "manifestCount"), of(0, "cachedLayerCount")), (json!(3), json!(8)));
    assert!(of(0, "newSizeInBytes").as_u64() < of(0, "sizeInBytes").as_u64(), "{warmed}");

    let absent = cistern.command(&["cache", "warm", &list, "docker-hub/team/absent:1"]);
    assert_eq!(absent.status.code(), Some(1));
    let said = absent.failure();
    assert!(said.contains("1 of 3 images were not warmed: docker-hub/team/absent:1: "), "{said}");

    upstream.stop();
    for blob in alpine.blobs.iter().chain(&app.blobs) {
        assert_eq!(upstream.blob_gets(blob), 1, "transfers of {blob}");
    }
    let at = |name: &str| format!("{}/docker-hub/{name}", cistern.host());
    skopeo.pull_all(&at("library/alpine:3.20")).assert_whole(&alpine);
    skopeo.pull(&at("team/app:1")).assert_whole(&app);
    // It cannot be confirmed, and that is no failure: all of it is here.
    let warmed = cistern.command(&["cache", "warm", &list]);
    assert!(warmed.stderr.contains("not confirmed by the upstream"), "{}", warmed.stderr);
    warmed.success();
}

#[test]
fn a_layout_is_carried_to_a_site_without_a_network_and_back_to_one() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let (alpine, app) = (Image::multi_arch(), Image::one_layer(3 << 20));
    upstream.push(&alpine, "library/alpine", "3.20");
    upstream.push(&app, "team/app", "1");
    let skopeo = or_skip!(Skopeo::new());
    let directory = TempDir::new().expect("a temporary directory");
    let at = |name: &str| directory.path().join(name).display().to_string();
    let (layout, tar) = (at("layout"), at("images.tar"));

    let here = cache(&upstream.url());
    here.command(&["cache", "export", "--output-dir", &layout, ALPINE]).success();
    // Images are added to a layout; what is in it already is proven, and not fetched again.
    here.command(&["cache", "export", "--output-dir", &layout, APP]).success();
    here.command(&["cache", "export", "--file", &tar, ALPINE, APP]).success();
    for (source, name) in [(format!("oci:{layout}"), "a"), (format!("oci-archive:{tar}"), "b")] {
        let to = at(name);
        let from = format!("{source}:{ALPINE}");
        skopeo.transfer(&from, &format!("dir:{to}"), &["--all"]).success();
        skopeo.read(Path::new(&to)).assert_whole(&alpine);
    }

    let mut there = cache(NOWHERE);
    or_skip!(log_in(&skopeo, &there));
    let imported = there.command(&["cache", "import", &tar, "--output", "json"]).json();
    assert_eq!(imported[0]["sizeInBytes"], imported[0]["importedSizeInBytes"]);
    let again = there.command(&["cache", "import", &layout, "--output", "json"]).json();
    assert_eq!(again[0]["importedSizeInBytes"], 0, "{again}");
    let reference = |name: &str| format!("{}/{name}", there.host());
    skopeo.pull_all(&reference(ALPINE)).assert_whole(&alpine);
    skopeo.pull(&reference(APP)).assert_whole(&app);

    // The network is back: the upstream is asked about the tag at once, and its word holds.
    let newer = Image::one_layer(1 << 20);
    upstream.push(&newer, "team/app", "1");
    let reference = reference(APP);
    there.terminate();
    there.restart_with(&[&format!("--upstream-endpoint={DOCKER_HUB}={}", upstream.url())]);
    skopeo.pull(&reference).assert_whole(&newer);
}

#[test]
fn a_part_of_an_image_is_carried_as_what_it_is() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let alpine = Image::multi_arch();
    upstream.push(&alpine, "library/alpine", "3.20");
    let skopeo = or_skip!(Skopeo::new());
    let directory = TempDir::new().expect("a temporary directory");
    let layout = directory.path().join("layout");
    let path = layout.display().to_string();
    let here = cache(&upstream.url());
    let export = ["cache", "export", "--output-dir", &path, "--platform", "linux/amd64", ALPINE];
    let exported = here.command(&[&export[..], &["--output", "json"]].concat()).json();
    assert_eq!(exported[0]["leftOut"], json!(["linux/arm64"]));

    let there = cache(NOWHERE);
    or_skip!(log_in(&skopeo, &there));
    let imported = there.command(&["cache", "import", &path]);
    let warning = format!("{ALPINE}: the layout does not have linux/arm64");
    assert!(imported.stderr.contains(&warning), "{}", imported.stderr);
    imported.success();
    let reference = format!("{}/{ALPINE}", there.host());
    skopeo.copy(&reference, &["--override-arch", "amd64"]).expect("it was carried");
    let missing = skopeo.copy(&reference, &["--override-arch", "arm64"]);
    let said = missing.expect_err("it was not carried").failure();
    assert!(said.contains("502"), "an upstream that is not there is no 404: {said}");

    // A byte that turned on the way: nothing is kept under its digest.
    let blob = alpine.largest_blob().replace(':', "/");
    let damaged = layout.join("blobs").join(blob);
    if let Ok(mut bytes) = fs::read(&damaged) {
        bytes[100] ^= 1;
        write(&damaged, bytes);
    } else {
        let manifest = layout.join("blobs").join(alpine.manifests[0].replace(':', "/"));
        write(&manifest, "{}");
    }
    let elsewhere = cache(NOWHERE);
    let said = elsewhere.command(&["cache", "import", &path]).failure();
    assert!(said.contains("not what") && said.contains("digest says"), "{said}");
}

#[test]
fn an_export_that_is_stopped_leaves_what_was_there() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let app = Image::one_layer(6 << 20);
    upstream.push(&app, "team/app", "1");
    let here = cache(&upstream.url());
    here.command(&["cache", "warm", APP]).success();
    // All of it is here: what stops is the way from the cache to the command.
    let proxy = || StallingProxy::start(&here.host(), 2 << 20);
    let directory = TempDir::new().expect("a temporary directory");
    let (tar, layout) = (directory.path().join("images.tar"), directory.path().join("layout"));
    write(&tar, "an earlier one");
    let export = |proxy: &StallingProxy, to: &[&str]| {
        let mut export = invocation(directory.path());
        export.env("CISTERN_DATA_DIR", here.data_directory());
        export.args(["cache", "export", APP, "--endpoint-url", &proxy.url()]).args(to);
        Daemon::start(&mut export, here.data_directory().as_path(), "export")
    };
    let left = || {
        let entries = fs::read_dir(directory.path()).expect("ours");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("ours").file_name()).collect();
        names.sort();
        names
    };

    let stalling = proxy();
    let exporting = export(&stalling, &["--file", "images.tar"]);
    stalling.wait_for_stall();
    assert_eq!(left().len(), 2, "it writes to a file of another name");
    let log = || fs::read_to_string(here.data_directory().join("export.err")).expect("a log");
    assert_eq!(exporting.terminate().code(), Some(130), "{}", log());
    assert!(log().contains("stopped: images.tar is as it was"), "{}", log());
    assert_eq!(left(), ["images.tar"]);
    assert_eq!(fs::read_to_string(&tar).expect("it is there"), "an earlier one");

    // A directory keeps the blobs that came whole, and is no layout of the image yet.
    let stalling = proxy();
    let exporting = export(&stalling, &["--output-dir", "layout"]);
    stalling.wait_for_stall();
    assert_eq!(exporting.terminate().code(), Some(130), "{}", log());
    let said = here.command(&["cache", "import", &layout.display().to_string()]).failure();
    assert!(said.contains("there is no index.json in it"), "{said}");
    stalling.release();
    assert!(export(&stalling, &["--output-dir", "layout"]).ended().success(), "{}", log());
    let imported = cache(NOWHERE).command(&["cache", "import", &layout.display().to_string()]);
    imported.success();
}

#[test]
fn an_import_by_ecrs_own_rules_needs_a_repository_or_a_template() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let app = Image::one_layer(1 << 20);
    upstream.push(&app, "team/app", "1");
    let directory = TempDir::new().expect("a temporary directory");
    let tar = directory.path().join("images.tar").display().to_string();
    cache(&upstream.url()).command(&["cache", "export", "--file", &tar, APP]).success();

    let strict = || Cistern::start(&["--strict-ecr", "--rule=hub=quay.io"]);
    let there = strict();
    let skopeo = or_skip!(Skopeo::new());
    or_skip!(log_in(&skopeo, &there));
    let import = ["cache", "import", &tar];
    let said = there.command(&import).failure();
    let way_out = ["the repository hub/team/app is not there", "strict-ecr", "create-on-push"];
    assert!(way_out.iter().all(|part| said.contains(part)), "{said}");
    there.command(&["repository", "add", "hub/team/app"]).success();
    there.command(&import).success();
    let reference = format!("{}/{APP}", there.host());
    skopeo.pull(&reference).assert_whole(&app);

    // A template for pushes lets it in; what the repository gets is what a pull would give it.
    let there = strict();
    or_skip!(log_in(&skopeo, &there));
    let template = |prefix: &str, cause: &str, more: &[&str]| {
        let add = ["template", "add", prefix, "--applied-for", cause];
        there.command(&[&add[..], more].concat()).success();
    };
    template("hub", "create-on-push", &[]);
    template("ROOT", "pull-through-cache", &["--image-tag-mutability", "immutable"]);
    there.command(&import).success();
    let shown = there.command(&["repository", "show", "hub/team/app", "--output", "json"]).json();
    assert_eq!(shown["imageTagMutability"], "IMMUTABLE", "{shown}");
    let reference = format!("{}/{APP}", there.host());
    skopeo.pull(&reference).assert_whole(&app);
}

#[test]
fn layouts_that_other_tools_wrote_are_imported() {
    let skopeo = or_skip!(Skopeo::new());
    let alpine = Image::multi_arch();
    let directory = TempDir::new().expect("a temporary directory");
    let at = |name: &str| directory.path().join(name).display().to_string();
    let cistern = cache(NOWHERE);
    or_skip!(log_in(&skopeo, &cistern));
    let reference = |name: &str| format!("{}/{name}", cistern.host());

    let archive = at("skopeo.tar");
    let to = format!("oci-archive:{archive}:latest");
    skopeo.transfer(&alpine.source(), &to, &["--all", "--preserve-digests"]).success();
    let nameless = cistern.command(&["cache", "import", &archive]).failure();
    assert!(nameless.contains("--name REPOSITORY:TAG"), "{nameless}");
    cistern.command(&["cache", "import", &archive, "--name", ALPINE]).success();
    skopeo.pull_all(&reference(ALPINE)).assert_whole(&alpine);

    // Buildah writes the name that it is given, which may be the whole of ours.
    let containers = or_skip!(Containers::new(""));
    write(&directory.path().join("Containerfile"), "FROM scratch\nCOPY skopeo.tar /file\n");
    let context = directory.path().display().to_string();
    containers.buildah(&["bud", "--tag", "built", &context]).success();
    let layout = format!("oci:{}:{APP}", at("buildah"));
    containers.buildah(&["push", "built", &layout]).success();
    cistern.command(&["cache", "import", &at("buildah")]).success();
    skopeo.copy(&reference(APP), &[]).expect("it was imported");

    let unknown = cistern.command(&["cache", "import", &archive, "--name", "other/app:1"]);
    let said = unknown.failure();
    assert!(said.contains("no pull through cache rule matches other/app"), "{said}");
}
