//! `cistern image`, on what was pulled.

use super::World;

/// Two layers of which nobody asks the bytes.
const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":3400000}]}"#;

#[test]
fn an_image_that_was_pulled_is_listed_and_shown() {
    let world = World::new();
    world.prints(&["rule", "add", "hub", "docker-hub"]);
    let media_type = oci::media_type::OCI_MANIFEST;
    let digest = world.upstream.add_manifest("library/alpine", Some("3.20"), media_type, MANIFEST);
    let password = world.prints(&["login-password"]);
    let url = format!("{}/v2/hub/library/alpine/manifests/3.20", world.serving.url());
    let pulled = world.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let request = client.get(&url).basic_auth("AWS", Some(password.trim_end()));
        request.send().await.expect("an answer").status()
    });
    assert_eq!(pulled, 200);

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
