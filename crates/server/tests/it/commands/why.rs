//! `cistern why`: what a pull would come to, before it, after it, and where nothing comes of it.

use insta::assert_snapshot;

use super::{MANIFEST, World};

#[test]
fn it_says_what_a_pull_would_come_to() {
    let world = World::new();
    world.prints(&["rule", "add", "hub", "docker-hub"]);
    world.prints(&["rule", "add", "hub/other", "quay"]);
    let media_type = oci::media_type::OCI_MANIFEST;
    world.upstream.add_manifest("library/alpine", Some("3.20"), media_type, MANIFEST);
    let why = |words: &[&str]| world.prints(&[&["why"], words].concat());
    assert_snapshot!("before", why(&["cistern.example/hub/library/alpine:3.20"]));
    assert_snapshot!("before_asked", why(&["hub/library/alpine:3.20", "--ask"]));
    assert_eq!(world.pull("hub/library/alpine", "3.20"), 200);
    assert_snapshot!("after", why(&["hub/library/alpine:3.20"]));
    assert_snapshot!("no_rule", why(&["team/app"]));
}

#[test]
fn scripts_read_it_and_mistakes_are_named() {
    let world = World::new();
    world.prints(&["rule", "add", "hub", "docker-hub"]);
    let answer = world.json(&["why", "hub/library/alpine:3.20"]);
    assert_eq!(answer["rule"]["ecrRepositoryPrefix"], "hub");
    assert_eq!(answer["repositoryExists"], false);
    let refused = world.home.refused(&["why", "hub/alpine:"], 2);
    assert!(refused.contains("REPOSITORY@DIGEST"), "{refused}");
}
