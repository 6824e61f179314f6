//! `cistern rule`.

use super::{World, stderr};
use crate::process::finish;

#[test]
fn a_rule_is_added_listed_and_removed() {
    let world = World::new();
    let none = world.home.run(&["rule", "list"]);
    assert_eq!((none.stdout.as_slice(), stderr(&none).as_str()), (&b""[..], "no rules\n"));

    let added = world.home.run(&["rule", "add", "hub", "docker-hub"]);
    insta::assert_snapshot!(world.settled(&super::succeeded(&added)), @r"
    Prefix         hub
    Upstream       registry-1.docker.io
    Kind           docker-hub
    Created (UTC)  YYYY-MM-DD hh:mm
    Registry       000000000000
    ");
    insta::assert_snapshot!(world.settled(&stderr(&added)), @r"
    the rule works: it was tried
    log in once:
      cistern login-password | docker login --username AWS --password-stdin HOST
    then pull:
      docker pull HOST/hub/library/alpine:3.20
    ");
    world.prints(&["rule", "add", "k8s", "registry.k8s.io", "--no-validate"]);
    insta::assert_snapshot!(world.prints(&["rule", "list"]), @r"
    PREFIX  UPSTREAM              KIND        UPSTREAM PREFIX  CREDENTIALS  CREATED (UTC)
    hub     registry-1.docker.io  docker-hub                                YYYY-MM-DD hh:mm
    k8s     registry.k8s.io       k8s                                       YYYY-MM-DD hh:mm
    ");
    assert_eq!(world.prints(&["rule", "rm", "k8s"]), "removed the rule k8s\n");
    assert_eq!(world.prints(&["rule", "ls"]).lines().count(), 2);
}

#[test]
fn json_has_the_fields_of_ecr() {
    let world = World::new();
    let words = ["rule", "add", "hub", "docker-hub", "--upstream-prefix", "library"];
    let added = world.json(&words);
    assert_eq!(added["ecrRepositoryPrefix"], "hub");
    assert_eq!(added["upstreamRepositoryPrefix"], "library");
    let created = added["createdAt"].as_str().expect("a text");
    assert!(created.ends_with('Z') && created.contains('T'), "{created}");
    let listed = world.json(&["rule", "list"]);
    assert_eq!(listed["pullThroughCacheRules"][0]["upstreamRegistryUrl"], "registry-1.docker.io");
    let shown = world.json(&["rule", "show", "hub"]);
    assert_eq!(shown, listed["pullThroughCacheRules"][0]);
    assert_eq!(world.json(&["rule", "validate", "hub"])["isValid"], true);
    assert_eq!(world.json(&["rule", "validate"])[0]["isValid"], true);
    assert_eq!(world.json(&["rule", "remove", "hub"])["ecrRepositoryPrefix"], "hub");
}

#[test]
fn a_rule_gets_its_secret_in_one_go() {
    let world = World::new();
    world.upstream.require_basic("me", "right");
    let add = ["rule", "add", "hub", "docker-hub", "--username", "me", "--token-file", "-"];
    let added = world.fed(&add, "wrong\n");
    let said = stderr(&added);
    assert_eq!(added.status.code(), Some(0), "{said}");
    let warning = "cistern: warning: the rule hub was added and does not work yet: The \
                   authentication to the upstream registry failed";
    assert!(said.starts_with(warning), "{said}");
    assert!(said.contains("`cistern secret update ecr-pullthroughcache/hub`"), "{said}");
    assert!(!said.contains("wrong") && !said.contains("docker pull"), "{said}");

    let invalid = world.home.run(&["rule", "validate"]);
    assert_eq!(invalid.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&invalid.stdout).contains("  no "), "{invalid:?}");
    assert!(stderr(&invalid).starts_with("cistern: does not work: hub: The authentication"));

    let update = ["rule", "update", "hub", "--username", "me", "--token-file", "-"];
    let updated = world.fed(&update, "right\n");
    let said = stderr(&updated);
    assert_eq!(updated.status.code(), Some(0), "{said}");
    assert_eq!(said, "the secret ecr-pullthroughcache/hub has a new value\n");
    insta::assert_snapshot!(world.prints(&["rule", "validate", "hub"]), @r"
    PREFIX  UPSTREAM              WORKS  WHY NOT
    hub     registry-1.docker.io  yes
    ");
    insta::assert_snapshot!(world.prints(&["rule", "list"]), @r"
    PREFIX  UPSTREAM              KIND        UPSTREAM PREFIX  CREDENTIALS               CREATED (UTC)
    hub     registry-1.docker.io  docker-hub                   ecr-pullthroughcache/hub  YYYY-MM-DD hh:mm
    ");
    let removed = world.home.run(&["secret", "remove", "ecr-pullthroughcache/hub"]);
    let expected = "cistern: warning: without it nothing new can be pulled through hub: give";
    assert!(stderr(&removed).starts_with(expected), "{removed:?}");
    let removed = world.home.run(&["rule", "remove", "hub"]);
    assert!(stderr(&removed).starts_with("its secret stays: `cistern secret remove ecr-pull"));
}

#[test]
fn a_rule_that_is_refused_leaves_no_secret() {
    let world = World::new();
    world.prints(&["rule", "add", "hub", "docker-hub", "--no-validate"]);
    let add = ["rule", "add", "hub", "quay", "--username", "me", "--token-file", "-"];
    let refused = world.fed(&add, "token");
    assert_eq!(refused.status.code(), Some(1));
    let said = stderr(&refused);
    assert!(said.contains("(PullThroughCacheRuleAlreadyExistsException): see it with"), "{said}");
    let secrets = world.home.run(&["secret", "list"]);
    assert_eq!(stderr(&secrets), "no secrets\n");
}

#[test]
fn a_secret_is_named_without_its_arn() {
    let world = World::new();
    let add = ["secret", "add", "ecr-pullthroughcache/mine", "--username", "me"];
    super::succeeded(&world.fed(&[&add[..], &["--token-file", "-"]].concat(), "t"));
    for (prefix, name) in [("a1", "mine"), ("a2", "ecr-pullthroughcache/mine")] {
        let rule = world.json(&["rule", "add", prefix, "docker-hub", "--secret", name]);
        let arn = rule["credentialArn"].as_str().expect("a text");
        assert!(arn.contains(":secret:ecr-pullthroughcache/mine-"), "{arn}");
    }
    let absent = world.home.refused(&["rule", "add", "a3", "quay", "--secret", "no"], 1);
    assert!(absent.contains("(ResourceNotFoundException): `cistern secret list"), "{absent}");
    let updated = world.json(&["rule", "update", "a1", "--secret", "mine"]);
    assert!(updated["credentialArn"].is_string(), "{updated}");
}

#[test]
fn it_works_from_elsewhere_by_the_variables_of_aws() {
    let world = World::new();
    let (key, secret) = world.root();
    let (_elsewhere, mut command) = world.far(&["rule", "list"], &key, &secret);
    assert_eq!(stderr(&finish(&mut command)), "no rules\n");
    let words = ["rule", "add", "far", "registry.k8s.io", "--no-validate", "--region", "far-1"];
    let (_elsewhere, mut command) = world.far(&words, &key, &secret);
    super::succeeded(&finish(&mut command));
    let here = world.home.run(&["rule", "list"]);
    assert_eq!(stderr(&here), "no rules\n", "another region is another registry");
    assert_eq!(world.prints(&["rule", "list", "--region", "far-1"]).lines().count(), 2);
}

#[test]
fn what_is_offered_as_an_upstream_is_what_ecr_knows() {
    for known in cli::KNOWN {
        let account = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
        let host = match known.host {
            host if known.has_one_host() => host,
            "NAME.azurecr.io" => "corp.azurecr.io",
            _ => account,
        };
        let kind = upstream::ecr_kind_of(host).expect("ECR knows it");
        assert_eq!(kind.as_str(), known.kind);
        assert_eq!(kind.requires_credentials(), known.requires_credentials, "{}", known.kind);
    }
}

#[test]
fn the_policy_of_a_rule_is_said_shown_and_taken_out() {
    let world = World::new();
    world.prints(&["rule", "add", "hub", "docker-hub", "--no-validate"]);
    let set = ["rule", "policy", "set", "hub", "--fresh-for", "0", "--fresh-for-tag", "v*=forever"];
    let more = ["--denied-tag", "*-rc", "--denied-tag", "nightly", "--missing-for", "90s"];
    insta::assert_snapshot!(world.prints(&[&set[..], &more[..]].concat()), @r"
    MEMBER                  VALUE          SAID BY
    fresh-for               0              the rule
    fresh-for-tags          v*=forever     the rule
    stale-while-revalidate  0              the registry
    stale-on-error          forever        the registry
    stale-deadline          2s             the registry
    missing-for             1m30s          the rule
    pinned-tags             none           the registry
    allowed-repositories    all            the registry
    denied-repositories     none           the registry
    allowed-tags            all            the registry
    denied-tags             *-rc, nightly  the rule
    minimum-age             0              the registry
    age-from                created        the registry
    ");
    let shown = world.json(&["rule", "policy", "set", "hub", "--pinned-tag", "stable"]);
    assert_eq!(shown["policy"]["freshFor"], "0", "what is not named stays");
    assert_eq!(shown["policy"]["pinnedTags"], serde_json::json!(["stable"]));
    assert_eq!(world.json(&["rule", "policy", "show", "hub"])["policy"], shown["policy"]);
    world.prints(&["rule", "policy", "unset", "hub", "fresh-for-tags", "denied-tags"]);
    insta::assert_snapshot!(world.prints(&["rule", "policy", "show"]), @r"
    PREFIX  FRESH FOR  STALE ON ERROR  MISSING FOR  MINIMUM AGE  SAYS ITSELF
    hub     0          forever         1m30s        0            fresh-for, missing-for, pinned-tags
    ");
    let none = world.prints(&["rule", "policy", "unset", "hub"]);
    assert_eq!(none, "the rule hub has no policy of its own\n");
    assert_eq!(world.json(&["rule", "policy", "show", "hub"]).get("policy"), None);
    let wrong = world.home.refused(&["rule", "policy", "set", "hub", "--fresh-for", "soon"], 1);
    assert!(wrong.contains("'soon' must be a time such as 90s, 24h or 30d"), "{wrong}");
    let nothing = world.home.refused(&["rule", "policy", "set", "hub"], 2);
    assert!(nothing.contains("what to set"), "{nothing}");
    let nowhere = world.home.refused(&["rule", "policy", "show", "quay"], 1);
    assert!(nowhere.contains("`cistern rule list` shows the rules"), "{nowhere}");
}

#[test]
fn members_of_a_policy_that_are_set_at_once_are_all_kept() {
    let world = World::new();
    world.prints(&["rule", "add", "hub", "docker-hub", "--no-validate"]);
    let members = [
        ("--fresh-for", "0", "freshFor"),
        ("--missing-for", "30s", "missingFor"),
        ("--minimum-age", "1h", "minimumAge"),
        ("--stale-on-error", "7d", "staleOnError"),
        ("--pinned-tag", "stable", "pinnedTags"),
        ("--denied-tag", "*-rc", "deniedTags"),
    ];
    std::thread::scope(|scope| {
        for (flag, value, _) in members {
            let world = &world;
            scope.spawn(move || world.json(&["rule", "policy", "set", "hub", flag, value]));
        }
    });
    let shown = world.json(&["rule", "policy", "show", "hub"]);
    let policy = shown["policy"].as_object().expect("a policy");
    for (_, _, member) in members {
        assert!(policy.contains_key(member), "{member}: {shown}");
    }
}
