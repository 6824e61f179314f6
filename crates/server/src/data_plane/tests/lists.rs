//! Lists of an upstream, merged with what is here.

use super::{
    push::{image, push_blob, put_manifest},
    *,
};

fn tag_list(tags: &[&str]) -> String {
    json!({"name": "app", "tags": tags}).to_string()
}

async fn push_tag(world: &World, name: &str, tag: &str) {
    let config = push_blob(world, name, "{}").await;
    let path = format!("/v2/{name}/manifests/{tag}");
    assert_eq!(put_manifest(world, &path, &image(&config, &[])).await.status, 201);
}

#[tokio::test]
async fn tags_of_the_upstream_are_listed_with_those_that_are_here() {
    let world = World::start().await;
    world.rule("hub").await;
    let upstream = "/v2/app/tags/list";
    world.upstream.add_list(upstream, "application/json", tag_list(&["latest", "B", "1.0", "a"]));
    let list = "/v2/hub/app/tags/list";
    let first = world.get(list).await;
    assert_eq!((first.status, first.header("cache-status")), (200, "cistern; fwd=miss"));
    assert_eq!(first.json(), json!({"name": "hub/app", "tags": ["1.0", "a", "B", "latest"]}));
    let repositories = world.ecr("DescribeRepositories", json!({})).await.json();
    assert_eq!(repositories["repositories"], json!([]), "a list makes no repository");

    for tag in ["A", "a", "own"] {
        push_tag(&world, "hub/app", tag).await;
    }
    let all = ["1.0", "A", "a", "B", "latest", "own"];
    let kept = world.get(list).await;
    assert_eq!((kept.header("cache-status"), &kept.json()["tags"]), ("cistern; hit", &json!(all)));
    let (mut path, mut found) = (format!("{list}?n=4"), Vec::new());
    loop {
        let page = world.get(&path).await;
        found.extend(page.json()["tags"].as_array().unwrap().clone());
        let Some((next, _)) = page.header("link").strip_prefix('<').and_then(|l| l.split_once('>'))
        else {
            break;
        };
        path = next.to_owned();
    }
    assert_eq!(json!(found), json!(all));
    let none = world.get(&format!("{list}?n=0")).await;
    assert_eq!((&none.json()["tags"], none.header("link")), (&json!([]), ""));
    assert_eq!(world.upstream.gets(upstream), 1, "asked once");

    // What was listed a while ago is asked anew, and a tag that is gone there goes here too.
    world.clock.advance(61 * 1000);
    world.upstream.add_list(upstream, "application/json", tag_list(&["2.0"]));
    let later = world.get(list).await.json();
    assert_eq!(later["tags"], json!(["2.0", "A", "a", "own"]));
}

#[tokio::test]
async fn an_upstream_that_lists_no_tags_hides_none_that_are_here() {
    let world = World::start().await;
    world.rule("hub").await;
    let upstream = "/v2/app/tags/list";
    let list = "/v2/hub/app/tags/list";
    for (script, status, code) in [
        (Script::status(404), 404, "NAME_UNKNOWN"),
        (Script::status(401), 403, "DENIED"),
        (Script::status(429), 429, "TOOMANYREQUESTS"),
        (Script::status(500), 502, "UNAVAILABLE"),
    ] {
        world.clock.advance(61 * 1000);
        world.upstream.script(upstream, script);
        let answer = world.get(list).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    }
    push_tag(&world, "hub/app", "own").await;
    world.clock.advance(61 * 1000);
    let own = world.get(list).await;
    assert_eq!(own.json()["tags"], json!(["own"]));
    assert!(own.header("cache-status").starts_with("cistern; fwd=stale; detail="), "{own:?}");

    world.upstream.unscript(upstream);
    world.upstream.add_list(upstream, "application/json", tag_list(&["theirs"]));
    world.clock.advance(61 * 1000);
    // The circuit is open: what is here comes at once, and the upstream is asked beside that.
    committed(&world, list).await;
    let both = world.get(list).await.json();
    assert_eq!(both["tags"], json!(["own", "theirs"]));
    world.upstream.script(upstream, Script::status(503));
    world.clock.advance(61 * 1000);
    let stale = world.get(list).await;
    assert_eq!(stale.json(), both, "what was listed is listed on");
    assert!(stale.header("cache-status").contains("503"), "{stale:?}");
}

#[tokio::test]
async fn ecrs_rules_list_what_is_here_alone() {
    let mut world = World::start().await;
    world.rule("hub").await;
    world.restart_with(|settings| settings.strict_ecr = true).await;
    world.upstream.add_list("/v2/app/tags/list", "application/json", tag_list(&["theirs"]));
    let answer = world.get("/v2/hub/app/tags/list").await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "NAME_UNKNOWN"));
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn referrers_are_asked_of_the_upstream_and_kept() {
    let world = World::start().await;
    world.rule("hub").await;
    let (subject, _) = world.image("app", "1", b"layer");
    let config = world.upstream.add_blob("app", "{}");
    let mut signature = image(&config, &[]);
    signature["artifactType"] = json!("a/signature");
    signature["annotations"] = json!({"k": "v"});
    signature["subject"] =
        json!({"mediaType": media_type::OCI_MANIFEST, "digest": subject.as_str(), "size": 1});
    let signature = signature.to_string();
    let size = signature.len();
    let digest = world.upstream.add_manifest("app", None, media_type::OCI_MANIFEST, signature);
    let descriptor = json!({"mediaType": media_type::OCI_MANIFEST, "digest": digest.as_str(),
        "size": size, "artifactType": "a/signature", "annotations": {"k": "v"}});
    let upstream = format!("/v2/app/referrers/{subject}");
    let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX,
        "manifests": [descriptor]});
    world.upstream.add_list(&upstream, media_type::OCI_INDEX, index.to_string());

    let path = format!("/v2/hub/app/referrers/{subject}");
    for status in ["cistern; fwd=miss", "cistern; hit"] {
        let found = world.get(&path).await;
        assert_eq!((found.status, found.header("cache-status")), (200, status));
        assert_eq!(found.json()["manifests"], json!([descriptor]));
    }
    for (kind, count) in [("a/signature", 1), ("a/sbom", 0)] {
        let some = world.get(&format!("{path}?artifactType={kind}")).await;
        assert_eq!(some.header("oci-filters-applied"), "artifactType");
        assert_eq!(some.json()["manifests"].as_array().unwrap().len(), count);
    }
    assert_eq!(world.upstream.gets(&upstream), 1);

    // The signature itself is pulled through and stays; it is listed once.
    world.clock.advance(61 * 1000);
    world.upstream.script(&upstream, Script::status(503));
    let manifest = world.get(&format!("/v2/hub/app/manifests/{digest}")).await;
    assert_eq!(manifest.status, 200);
    assert_eq!(world.get(&format!("/v2/hub/app/blobs/{config}")).await.status, 200);
    let stale = world.get(&path).await;
    assert_eq!(stale.json()["manifests"], json!([descriptor]));
    assert!(stale.header("cache-status").contains("503"), "{stale:?}");
    // One that nobody ever listed is not an empty list while the upstream fails.
    let other = Digest::of(b"other");
    world.upstream.script(&format!("/v2/app/referrers/{other}"), Script::status(503));
    assert_eq!(world.get(&format!("/v2/hub/app/referrers/{other}")).await.status, 502);
}

#[tokio::test]
async fn what_a_rule_keeps_out_is_not_listed() {
    let world = World::start().await;
    world.rule("hub").await;
    let list = tag_list(&["1.0", "2.0-rc", "latest"]);
    world.upstream.add_list("/v2/app/tags/list", "application/json", list);
    let policy = json!({"deniedTags": ["*-rc"], "deniedRepositories": ["evil*"]});
    let body = json!({"ecrRepositoryPrefix": "hub", "policy": policy});
    assert_eq!(world.cistern("PutPullThroughCacheRulePolicy", body).await.status, 200);
    let listed = world.get("/v2/hub/app/tags/list").await.json();
    assert_eq!(listed["tags"], json!(["1.0", "latest"]));
    let denied = world.get("/v2/hub/evil/tags/list").await;
    assert_eq!((denied.status, denied.code().as_str()), (403, "DENIED"));
    assert_eq!(world.upstream.gets("/v2/evil/tags/list"), 0);
}
