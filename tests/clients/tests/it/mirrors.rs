//! Mirror mode: nodes that pull `docker.io/library/alpine` by its own name, through a Cistern that
//! each client was told of in its own way. A miss there is quick and says what is so, for the client
//! goes on to the upstream itself.

use std::path::Path;

use clients::program::write;
use clients::{Cistern, Containerd, Containers, Docker, Image, Skopeo, UpstreamRegistry, or_skip};
use serde_json::json;
use tempfile::TempDir;

use crate::scene::{DOCKER_HUB, aws_cli};

/// An address that nothing listens on.
const NOWHERE: &str = "http://127.0.0.1:9";
/// What a miss may take, in microseconds: far below what a node waits before it goes on.
const MISS_MAX_MICROS: u64 = 2_000_000;

/// Asserts that every request for this path was answered so, without a wait; the challenge that some
/// clients wait for before they log in is none.
#[track_caller]
fn assert_answered(cistern: &Cistern, path: &str, status: u64) {
    let mut answers = cistern.answers(path);
    answers.retain(|(status, _)| *status != 401);
    assert!(!answers.is_empty(), "nobody asked for {path}");
    for (answered, micros) in answers {
        assert_eq!(answered, status, "{path}");
        assert!(micros < MISS_MAX_MICROS, "{path} took {micros} µs");
    }
}

#[test]
fn docker_uses_a_registry_mirror() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let alpine = Image::multi_arch();
    upstream.push(&alpine, "library/alpine", "3.20");
    // Docker asks its mirror by the names of Docker Hub: every name of the mirror is one of them.
    let hub = format!("{DOCKER_HUB}={}", upstream.url());
    let rule = "ROOT=registry-1.docker.io";
    let cistern = Cistern::start(&["--upstream-endpoint", &hub, "--rule", rule]);
    let aws = or_skip!(aws_cli(&cistern));
    // What the mirror does not bring is asked of Docker Hub, where no test goes.
    let nowhere = vec![("HTTPS_PROXY".to_owned(), NOWHERE.to_owned())];
    let settings = json!({"registry-mirrors": [cistern.url()]});
    let docker = or_skip!(Docker::start_with(nowhere, &settings));
    // The engine shows its mirrors what it would show Docker Hub.
    docker.know_login("https://index.docker.io/v1/", "AWS", &aws.login_password());

    let said = docker.pull("alpine:3.20").success();
    assert!(said.contains(&alpine.digest), "{said}");
    docker.forget_images();
    docker.pull("docker.io/library/alpine:3.20").success();
    docker.pull("absent:1").failure();
    assert_answered(&cistern, "/v2/library/absent/manifests/1", 404);

    upstream.stop();
    let amd64 = &alpine.blobs[..alpine.blobs.len() / 2];
    assert!(amd64.iter().all(|blob| upstream.blob_gets(blob) == 1), "one transfer each");
    docker.forget_images();
    docker.pull(&format!("alpine@{}", alpine.digest)).success();
    docker.pull("alpine:3.20").success();
    docker.pull("other:1").failure();
    assert_answered(&cistern, "/v2/library/other/manifests/1", 502);
}

#[test]
fn containerd_names_the_upstream_of_what_it_asks_a_mirror_for() {
    let mut hub = or_skip!(UpstreamRegistry::open());
    let (alpine, app) = (Image::multi_arch(), Image::one_layer(1 << 20));
    hub.push(&alpine, "library/alpine", "3.20");
    hub.push(&app, "team/app", "1");
    let cistern = Cistern::start(&[
        "--upstream-endpoint",
        &format!("{DOCKER_HUB}={}", hub.url()),
        "--rule",
        "docker-hub=registry-1.docker.io",
    ]);
    let aws = or_skip!(aws_cli(&cistern));
    let containerd = or_skip!(Containerd::start());
    let password = aws.login_password();
    let hosts = TempDir::new().expect("a temporary directory");
    let mirrored = |name: &str, server: &str| write_hosts(hosts.path(), name, server, &cistern);
    mirrored("docker.io", NOWHERE);
    // The node reaches this upstream itself, under its own name, and Cistern has no rule for it.
    mirrored("example.com", &hub.url());
    let pull = |reference: &str| containerd.pull_by(hosts.path(), reference, "AWS", &password);

    pull("docker.io/library/alpine:3.20").success();
    containerd.forget_images();
    pull("docker.io/library/alpine:3.20").success();
    pull("example.com/team/app:1").success();
    assert_answered(&cistern, "/v2/team/app/manifests/1", 404);
    pull("docker.io/library/absent:1").failure();
    assert_answered(&cistern, "/v2/library/absent/manifests/1", 404);
    let mine = format!("{}/team/alpine:mine", cistern.host());
    containerd.push("docker.io/library/alpine:3.20", &mine, "AWS", &password).success();

    hub.stop();
    for blob in &alpine.blobs {
        assert_eq!(hub.blob_gets(blob), 1, "transfers of {blob}");
    }
    containerd.forget_images();
    pull("docker.io/library/alpine:3.20").success();
    containerd.pull(&mine, "AWS", &password).success();
    assert_eq!(containerd.images(), [mine, "docker.io/library/alpine:3.20".to_owned()]);
    pull("docker.io/library/other:1").failure();
    assert_answered(&cistern, "/v2/library/other/manifests/1", 502);
}

/// Writes the `hosts.toml` of a registry: the mirror first, then the registry itself.
fn write_hosts(directory: &Path, name: &str, server: &str, mirror: &Cistern) {
    let directory = directory.join(name);
    std::fs::create_dir(&directory).expect("a directory of ours");
    let text = format!(
        "server = '{server}'\n[host.'{}']\ncapabilities = ['pull', 'resolve']\n",
        mirror.url()
    );
    write(&directory.join("hosts.toml"), text);
}

#[test]
fn podman_and_skopeo_find_the_mirror_in_their_registries() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let alpine = Image::multi_arch();
    upstream.push(&alpine, "library/alpine", "3.20");
    upstream.push(&alpine, "org/alpine", "3.20");
    let quay = format!("quay.io={}", upstream.url());
    let cistern = Cistern::start(&[
        "--upstream-endpoint",
        &format!("{DOCKER_HUB}={}", upstream.url()),
        "--upstream-endpoint",
        &quay,
        "--rule",
        "docker-hub=registry-1.docker.io",
        "--rule",
        "quay=quay.io",
    ]);
    let aws = or_skip!(aws_cli(&cistern));
    let host = cistern.host();
    // One registry is somewhere else altogether, the other has a mirror that is asked first.
    let registries = format!(
        "unqualified-search-registries = ['docker.io']\n\
         [[registry]]\nprefix = 'docker.io'\nlocation = '{host}/docker-hub'\ninsecure = true\n\
         [[registry]]\nlocation = 'quay.io'\n\
         [[registry.mirror]]\nlocation = '{host}/quay'\ninsecure = true\n"
    );
    let containers = or_skip!(Containers::new(&(registries + &Containers::plain_http(&host))));
    let skopeo = or_skip!(Skopeo::new()).with_registries(&containers.registries());
    let password = aws.login_password();
    containers.login(&host, "AWS", &password).success();
    skopeo.login(&host, "AWS", &password).success();
    let (hub, quay) = ("docker.io/library/alpine:3.20", "quay.io/org/alpine:3.20");

    containers.podman(&["pull", hub]).success();
    containers.podman(&["pull", quay]).success();
    for _ in 0..2 {
        skopeo.pull_all(hub).assert_whole(&alpine);
        skopeo.pull_all(quay).assert_whole(&alpine);
    }
    for name in ["docker.io/library/absent:1", "quay.io/org/absent:1"] {
        let skopeo = skopeo.copy(name, &[]).expect_err("it is not there").failure();
        let (podman, buildah) = (containers.podman(&["pull", name]), &["pull", name]);
        for said in [skopeo, podman.failure(), containers.buildah(buildah).failure()] {
            assert!(said.contains("manifest unknown"), "{said}");
        }
    }
    assert_answered(&cistern, "/v2/docker-hub/library/absent/manifests/1", 404);
    assert_answered(&cistern, "/v2/quay/org/absent/manifests/1", 404);

    upstream.stop();
    containers.forget_images();
    for name in ["alpine:3.20", quay] {
        containers.podman(&["pull", name]).success();
        containers.forget_images();
        containers.buildah(&["pull", name]).success();
    }
    skopeo.pull_all(hub).assert_whole(&alpine);
    let other = "docker.io/library/other:1";
    let skopeo = skopeo.copy(other, &[]).expect_err("nothing brings it").failure();
    let buildah = containers.buildah(&["pull", other]).failure();
    for said in [containers.podman(&["pull", other]).failure(), buildah, skopeo] {
        assert!(said.contains("502"), "{said}");
    }
    assert_answered(&cistern, "/v2/docker-hub/library/other/manifests/1", 502);
}
