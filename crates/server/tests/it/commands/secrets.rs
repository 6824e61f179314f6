//! `cistern secret`.

use super::{World, stderr, succeeded};

const NAME: &str = "ecr-pullthroughcache/hub";

#[test]
fn a_secret_lives() {
    let world = World::new();
    let add = ["secret", "add", NAME, "--username", "me", "--token-file", "token.txt"];
    world.home.write("token.txt", "dckr_pat_1\n");
    let words = [&add[..], &["--description", "Docker Hub"]].concat();
    assert_eq!(world.prints(&words), format!("added the secret {NAME}\n"));
    insta::assert_snapshot!(world.prints(&["secret", "list"]), @r"
    NAME                      DESCRIPTION  CHANGED (UTC)
    ecr-pullthroughcache/hub  Docker Hub   YYYY-MM-DD hh:mm
    ");
    let shown = world.prints(&["secret", "show", NAME]);
    assert!(shown.contains("AWSCURRENT") && !shown.contains("dckr_pat"), "{shown}");
    let value = |world: &World| {
        let revealed = world.json(&["secret", "show", NAME, "--reveal"]);
        revealed["SecretString"].as_str().expect("a text").to_owned()
    };
    assert_eq!(value(&world), r#"{"username":"me","accessToken":"dckr_pat_1"}"#);
    assert!(world.prints(&["secret", "show", NAME, "--reveal"]).contains("dckr_pat_1"));

    // A token alone keeps the user name.
    let updated = world.fed(&["secret", "update", NAME, "--token-file", "-"], "dckr_pat_2");
    assert_eq!(succeeded(&updated), format!("updated the secret {NAME}\n"));
    assert_eq!(value(&world), r#"{"username":"me","accessToken":"dckr_pat_2"}"#);
    world.prints(&["secret", "update", NAME, "--description", "other"]);
    let listed = world.json(&["secret", "list", "ecr-"]);
    assert_eq!(listed["SecretList"][0]["Description"], "other");
    assert_eq!(value(&world), r#"{"username":"me","accessToken":"dckr_pat_2"}"#);

    let removed = world.prints(&["secret", "remove", NAME, "--recovery-days", "7"]);
    let expected =
        format!("removed the secret {NAME}: until YYYY-MM-DD hh:mm UTC, `cistern secret restore");
    assert!(removed.starts_with(&expected), "{removed}");
    assert_eq!(stderr(&world.home.run(&["secret", "list"])), "no secrets\n");
    assert_eq!(world.prints(&["secret", "list", "--all"]).lines().count(), 2);
    let gone = world.home.refused(&["secret", "show", NAME, "--reveal"], 1);
    assert!(gone.contains("bring it back with `cistern secret restore`"), "{gone}");
    assert_eq!(world.prints(&["secret", "restore", NAME]), format!("restored the secret {NAME}\n"));
    assert_eq!(
        world.prints(&["secret", "rm", NAME, "--force"]),
        format!("removed the secret {NAME}\n")
    );
    let gone = world.home.refused(&["secret", "show", NAME], 1);
    assert!(gone.contains("(ResourceNotFoundException): `cistern secret list --all`"), "{gone}");
}

#[test]
fn a_whole_value_comes_from_stdin() {
    let world = World::new();
    let added = world.fed(&["secret", "add", "mine", "--value-file", "-"], "anything\n");
    assert_eq!(succeeded(&added), "added the secret mine\n");
    assert!(stderr(&added).starts_with("ECR takes only secrets named ecr-pullthroughcache/"));
    let revealed = world.json(&["secret", "show", "mine", "--reveal"]);
    assert_eq!(revealed["SecretString"], "anything\n");
    let twice = world.fed(&["secret", "add", "mine", "--value-file", "-"], "other");
    assert_eq!(twice.status.code(), Some(1));
    assert!(stderr(&twice).contains("change its value with `cistern secret update`"));
    let nobody = world.fed(&["secret", "update", "mine", "--token-file", "-"], "t");
    assert_eq!(nobody.status.code(), Some(2));
    assert!(stderr(&nobody).starts_with("cistern: --username is missing: the secret does not say"));
}
