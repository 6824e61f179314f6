//! Docker Hub's official images by their short names.

use super::{
    push::{image, push_blob, put_manifest},
    *,
};
use crate::doors::tests::DOCKER_HUB;

/// A world whose upstream plays Docker Hub.
async fn with_hub() -> World {
    let world = World::start().await;
    world.rule_for("docker-hub", DOCKER_HUB).await;
    world
}

async fn repositories(world: &World) -> Vec<String> {
    let all = world.ecr("DescribeRepositories", json!({})).await.json();
    let all = all["repositories"].as_array().unwrap().clone();
    all.iter().map(|one| one["repositoryName"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_official_image_is_one_repository_however_it_is_asked_for() {
    let world = with_hub().await;
    let (digest, layer) = world.image("library/nginx", "1", b"layer");
    let tags = json!({"name": "library/nginx", "tags": ["1", "2"]}).to_string();
    world.upstream.add_list("/v2/library/nginx/tags/list", "application/json", tags);
    for path in [
        "manifests/1".to_owned(),
        format!("manifests/{digest}"),
        format!("blobs/{layer}"),
        "tags/list".to_owned(),
        format!("referrers/{digest}"),
    ] {
        for name in ["docker-hub/nginx", "docker-hub/library/nginx"] {
            for method in ["HEAD", "GET"] {
                let answer = world.ask(method, &format!("/v2/{name}/{path}"), &[]).await;
                assert_eq!(answer.status, 200, "{method} {name} {path}");
            }
        }
    }
    let by_node = world.get("/v2/nginx/manifests/1?ns=docker.io").await;
    assert_eq!(by_node.header("docker-content-digest"), digest.as_str());
    assert_eq!(repositories(&world).await, ["docker-hub/library/nginx"]);
    assert_eq!(world.upstream.gets(&manifest_path("library/nginx", "1")), 1);
    assert!(world.upstream.requests().iter().all(|seen| !seen.path.starts_with("/v2/nginx/")));
}

#[tokio::test]
async fn what_is_only_under_the_short_name_is_found_there() {
    let world = with_hub().await;
    let (digest, layer) = world.image("demo", "1", b"layer");
    for path in ["manifests/1".to_owned(), format!("manifests/{digest}"), format!("blobs/{layer}")]
    {
        assert_eq!(world.get(&format!("/v2/docker-hub/demo/{path}")).await.status, 200, "{path}");
    }
    assert_eq!(repositories(&world).await, ["docker-hub/demo"]);
    // Neither has it: the answer is that of the whole name, unless the other one failed.
    let path = "/v2/docker-hub/none/manifests/1";
    for (script, status) in
        [(Script::status(404), 404), (Script::status(401), 404), (Script::status(500), 502)]
    {
        world.upstream.script(&manifest_path("none", "1"), script);
        assert_eq!(world.get(path).await.status, status);
    }
    // A whole name that fails is no reason to ask for another one.
    world.upstream.script(&manifest_path("library/other", "1"), Script::status(503));
    world.image("other", "1", b"layer");
    assert_eq!(world.get("/v2/docker-hub/other/manifests/1").await.status, 502);
    assert_eq!(world.upstream.gets(&manifest_path("other", "1")), 0);
}

#[tokio::test]
async fn a_repository_that_somebody_made_under_the_short_name_is_that_one() {
    let world = with_hub().await;
    let (official, layer) = world.image("library/nginx", "1", b"layer");
    let pulled = world.get("/v2/docker-hub/nginx/manifests/1").await;
    assert_eq!(pulled.header("docker-content-digest"), official.as_str());
    // The push is told that the layer is there, and so it is.
    let blob = format!("/v2/docker-hub/nginx/blobs/{layer}");
    assert_eq!(world.ask("HEAD", &blob, &[]).await.status, 200);
    let config = push_blob(&world, "docker-hub/nginx", "{}").await;
    let own = image(&config, &[&layer]);
    let put = put_manifest(&world, "/v2/docker-hub/nginx/manifests/1", &own).await;
    assert_eq!(put.status, 201, "{}", put.text());
    let pulled = world.get("/v2/docker-hub/nginx/manifests/1").await;
    assert_eq!(pulled.text(), own.to_string());
    assert_eq!(world.get(&blob).await.text(), "layer");
    let whole = world.get("/v2/docker-hub/library/nginx/manifests/1").await;
    assert_eq!(whole.header("docker-content-digest"), official.as_str());

    let made = json!({"repositoryName": "docker-hub/redis"});
    assert_eq!(world.ecr("CreateRepository", made.clone()).await.status, 200);
    world.image("library/redis", "1", b"layer");
    assert_eq!(world.get("/v2/docker-hub/redis/manifests/1").await.status, 404);
    assert_eq!(world.ecr("DeleteRepository", made).await.status, 200);
    assert_eq!(world.get("/v2/docker-hub/redis/manifests/1").await.status, 200);
}

#[tokio::test]
async fn ecrs_rules_know_no_short_names() {
    let mut world = with_hub().await;
    world.restart_with(|settings| settings.strict_ecr = true).await;
    world.image("library/nginx", "1", b"layer");
    let answer = world.get("/v2/docker-hub/nginx/manifests/1").await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "MANIFEST_UNKNOWN"));
}
