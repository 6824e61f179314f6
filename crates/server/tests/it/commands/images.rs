//! `cistern image`, on what was pulled.

use super::{MANIFEST, World};

#[test]
fn an_image_that_was_pulled_is_listed_and_shown() {
    let world = World::new();
    world.prints(&["rule", "add", "hub", "docker-hub"]);
    let media_type = oci::media_type::OCI_MANIFEST;
    let digest = world.upstream.add_manifest("library/alpine", Some("3.20"), media_type, MANIFEST);
    assert_eq!(world.pull("hub/library/alpine", "3.20"), 200);

    let listed = world.prints(&["repository", "list"]);
    let cells: Vec<&str> = listed.lines().last().expect("a row").split_whitespace().collect();
    assert_eq!(cells[..3], ["hub/library/alpine", "HOST/hub/library/alpine", "mutable"]);
    let listed = world.prints(&["image", "list", "hub/library/alpine"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].starts_with("TAGS  DIGEST               SIZE    TYPE   PUSHED (UTC)"));
    let short = format!("3.20  sha256:{}  3.4 MB  image  YYYY-MM-DD hh:mm", &digest.hex()[..12]);
    assert!(lines[1].starts_with(&short), "{listed}");
    let whole = world.prints(&["image", "list", "hub/library/alpine", "--no-trunc"]);
    assert!(whole.contains(digest.as_str()), "{whole}");
    let shown = world.json(&["image", "show", "hub/library/alpine:3.20"]);
    assert_eq!(shown["imageDigest"], digest.as_str());
    let pinned = format!("hub/library/alpine@{digest}");
    assert_eq!(world.json(&["image", "show", &pinned]), shown);
    let absent = world.home.refused(&["image", "show", "hub/library/alpine:no"], 1);
    assert!(absent.contains("`cistern image list` shows those that are there"), "{absent}");

    let absent = ["image", "remove", "hub/library/alpine:no"];
    let kept = world.home.refused(&absent, 1);
    assert!(kept.starts_with("not removed: hub/library/alpine:no: "), "{kept}");
    let removed = world.prints(&["image", "remove", &pinned]);
    assert!(removed.starts_with("removed hub/library/alpine"), "{removed}");
    let none = world.home.run(&["image", "list", "hub/library/alpine"]);
    assert_eq!(super::stderr(&none), "no images\n");
}
