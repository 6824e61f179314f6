//! `cistern template`.

use super::World;

#[test]
fn a_template_lives() {
    let world = World::new();
    let add = ["template", "add", "hub", "--description", "for hub", "--tag", "team=a"];
    let more = ["--image-tag-mutability", "immutable", "--exclude-tag", "latest"];
    let added = world.json(&[&add[..], &more[..]].concat());
    assert_eq!(added["appliedFor"], serde_json::json!(["PULL_THROUGH_CACHE"]));
    assert_eq!(added["imageTagMutability"], "IMMUTABLE_WITH_EXCLUSION");
    insta::assert_snapshot!(world.prints(&["template", "list"]), @r"
    PREFIX  APPLIED FOR         TAGS ARE              DESCRIPTION  CREATED (UTC)
    hub     PULL_THROUGH_CACHE  immutable but latest  for hub      YYYY-MM-DD hh:mm
    ");
    let update = ["template", "update", "hub", "--applied-for", "pull-through-cache,replication"];
    let updated = world.json(&update);
    assert_eq!(updated["appliedFor"].as_array().map(Vec::len), Some(2), "{updated}");
    assert_eq!(updated["description"], "for hub", "what is not named stays");
    let shown = world.prints(&["template", "show", "hub"]);
    assert!(shown.contains("team=a") && shown.contains("immutable but latest"), "{shown}");
    let twice = world.home.refused(&["template", "add", "hub"], 1);
    assert!(twice.contains("change it with `cistern template update`"), "{twice}");
    assert_eq!(world.prints(&["template", "remove", "hub"]), "removed the template hub\n");
    let gone = world.home.refused(&["template", "remove", "hub"], 1);
    assert!(gone.contains("`cistern template list` shows those that are there"), "{gone}");
}
