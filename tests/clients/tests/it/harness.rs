//! The house itself, without the product: the pretend upstream must be as real as it says.

use clients::upstream_registry::{PASSWORD, USER};
use clients::{Containerd, Docker, Image, Skopeo, StallingProxy, UpstreamRegistry, or_skip};

#[test]
fn a_registry_with_a_token_service_is_pulled_with_tokens() {
    let mut upstream = or_skip!(UpstreamRegistry::with_token_service());
    let skopeo = or_skip!(Skopeo::new());
    let image = Image::multi_arch();
    upstream.push(&image, "library/alpine", "3.20");
    let host = upstream.host();
    skopeo.login(&host, USER, "wrong").failure();
    skopeo.login(&host, USER, PASSWORD).success();

    skopeo.pull_all(&format!("{host}/library/alpine:3.20")).assert_whole(&image);

    let issuer = upstream.issuer().expect("it has one");
    assert!(issuer.requests().iter().any(|request| {
        request.user.as_deref() == Some(USER)
            && request.scopes == ["repository:library/alpine:pull"]
            && request.granted
    }));
    upstream.stop();
    for blob in &image.blobs {
        assert_eq!(upstream.blob_gets(blob), 1, "{blob}");
    }
}

#[test]
fn a_registry_with_a_password_refuses_those_without() {
    let mut upstream = or_skip!(UpstreamRegistry::with_password());
    let skopeo = or_skip!(Skopeo::new());
    let image = Image::one_layer(1 << 20);
    upstream.push(&image, "team/app", "1");
    let reference = format!("{}/team/app:1", upstream.host());
    skopeo.copy(&reference, &[]).expect_err("no credentials were given").failure();
    skopeo.login(&upstream.host(), USER, PASSWORD).success();
    skopeo.pull(&reference).assert_whole(&image);
}

#[test]
fn docker_and_containerd_pull_from_a_registry_that_comes_back_on_its_port() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let docker = or_skip!(Docker::start());
    let containerd = or_skip!(Containerd::start());
    let image = Image::multi_arch();
    upstream.push(&image, "library/alpine", "3.20");
    let reference = format!("{}/library/alpine:3.20", upstream.host());

    upstream.stop();
    docker.pull(&reference).failure();
    upstream.start();

    let said = docker.pull(&reference).success();
    assert!(said.contains(&image.digest), "{said}");
    containerd.pull(&reference, "any", "body").success();
    assert_eq!(containerd.images(), [reference]);
}

#[test]
fn a_stalled_transfer_ends_right_once_released() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let skopeo = or_skip!(Skopeo::new());
    let image = Image::one_layer(4 << 20);
    upstream.push(&image, "team/app", "1");
    let proxy = StallingProxy::start(&upstream.host(), 1 << 20);
    let reference = format!("{}/team/app:1", proxy.url().trim_start_matches("http://"));
    std::thread::scope(|scope| {
        let pull = scope.spawn(|| skopeo.pull(&reference).assert_whole(&image));
        proxy.wait_for_stall();
        assert!(!pull.is_finished());
        proxy.release();
    });
}
