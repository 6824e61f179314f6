//! The nine kinds of upstreams that ECR knows, each by its public host name, each played on loopback:
//! its challenge, its realm, and the storage that it sends its clients to.

use std::collections::HashMap;

use oci::media_type::OCI_MANIFEST;
use testkit::{PLAYS, Play, Script, ScriptedUpstream, Stage, blob_path, manifest_path};
use upstream::{HttpUpstream, Kind, Settings, Surroundings, Target, Upstream as _, kind_of};
use url::Url;

use crate::world::{
    MANIFEST, REPOSITORY, blob, client, fetch, kind, settings, tag, target, target_as,
};

/// A kind on loopback, and a client that takes it for the real one.
async fn stage(play: &Play) -> (Stage, HttpUpstream) {
    let stage = play.start(REPOSITORY, "3.20", MANIFEST, &blob()).await;
    let endpoints = stage.endpoints.iter().map(|(host, url)| (host.clone(), vec![url.clone()]));
    let client = client(Settings { endpoints: endpoints.collect(), ..settings() });
    (stage, client)
}

fn seen_as(play: &Play) -> Target {
    match play.user {
        None => target(play.host),
        Some((user, password)) => target_as(play.host, user, password),
    }
}

#[tokio::test]
async fn each_kind_is_pulled_by_its_public_name() {
    for play in &PLAYS {
        let told = format!("{} as {:?}", play.host, play.user);
        assert_eq!(kind_of(play.host), Some(play.kind), "{told}");
        let (stage, client) = stage(play).await;
        let target = seen_as(play);
        client.authenticate(&target).await.unwrap();
        let fetched = client.fetch_manifest(&target, &tag("3.20")).await;
        assert_eq!(fetched.expect(&told).bytes, MANIFEST, "{told}");
        for _ in 0..2 {
            assert_eq!(fetch(&client, &target, &stage.digest).await.expect(&told), blob());
        }
        // The address of a blob is asked for anew each time, and no secret goes to where it leads.
        let path = blob_path(REPOSITORY, &stage.digest);
        assert_eq!((stage.registry.gets(&path), stage.storage.gets("/b")), (2, 2), "{told}");
        for seen in stage.storage.requests() {
            assert_eq!(Some(seen.query.as_str()), Url::parse(play.storage).unwrap().query());
            assert_eq!(seen.header("authorization"), None, "{told}");
        }
        let realm = Url::parse(play.realm).unwrap();
        let asked: Vec<_> = [stage.registry.requests(), stage.realm.requests()]
            .concat()
            .into_iter()
            .filter(|seen| seen.path == realm.path())
            .collect();
        let scope = play.scope.map_or("repository:library/alpine:pull".to_owned(), Into::into);
        let query = |text: &str| Url::parse(&format!("http://x/?{text}")).unwrap();
        let last = query(&asked.last().expect(&told).query);
        let sent: HashMap<_, _> = last.query_pairs().collect();
        assert_eq!(sent.get("service").map(AsRef::as_ref), Some(play.service), "{told}");
        assert_eq!(sent.get("scope").map(AsRef::as_ref), Some(scope.as_str()), "{told}");
        assert_eq!(asked.last().unwrap().header("authorization").is_some(), play.user.is_some());
        // One for the registry itself and one for the repository, or one for everything.
        let issued = if play.scope.is_some() { 1 } else { 2 };
        assert_eq!(stage.tokens.issued(), issued, "{told}");
    }
}

#[tokio::test]
async fn each_kind_refuses_who_is_not_let_in() {
    for play in PLAYS.iter().filter(|play| play.user.is_some()) {
        let (stage, client) = stage(play).await;
        for target in [target(play.host), target_as(play.host, "mallory", "x")] {
            let outcome = client.fetch_manifest(&target, &tag("3.20")).await;
            assert_eq!(
                kind(&outcome),
                "unauthorized: wrong user name or password",
                "{}",
                play.host
            );
        }
        assert!(stage.storage.requests().is_empty());
    }
}

#[tokio::test]
async fn docker_hub_tells_its_budget() {
    let play = PLAYS.iter().find(|play| play.kind == Kind::DockerHub).unwrap();
    let (stage, client) = stage(play).await;
    let path = manifest_path(REPOSITORY, "3.20");
    let script = Script::default()
        .header("ratelimit-limit", "100;w=21600")
        .header("ratelimit-remaining", "41;w=21600");
    stage.registry.script(&path, script);
    client.fetch_manifest(&seen_as(play), &tag("3.20")).await.unwrap();
    let budgets = client.budgets();
    let budget = budgets.iter().find(|budget| budget.upstream == play.host).unwrap();
    assert_eq!((budget.limit, budget.remaining), (Some(100), Some(41)));
}

#[tokio::test]
async fn the_kubernetes_registry_is_elsewhere_altogether() {
    let [front, artifacts, bucket] = [
        ScriptedUpstream::start().await,
        ScriptedUpstream::start().await,
        ScriptedUpstream::start().await,
    ];
    let elsewhere = "k8s-artifacts-prod/images/pause";
    let digest = artifacts.add_manifest(elsewhere, Some("3.10"), OCI_MANIFEST, MANIFEST);
    let layer = oci::Digest::of(&blob());
    bucket.add_file("/containers/images/layer", blob());
    let to_artifacts =
        format!("https://europe-west1-docker.pkg.dev{}", manifest_path(elsewhere, "3.10"));
    let to_bucket = "https://prod-registry-k8s-io-eu-west-1.s3.dualstack.eu-west-1.amazonaws.com\
                     /containers/images/layer";
    front.script(&manifest_path("pause", "3.10"), Script::redirect(307, &to_artifacts));
    front.script(&blob_path("pause", &layer), Script::redirect(307, to_bucket));
    let endpoints = [
        ("registry.k8s.io", &front),
        ("europe-west1-docker.pkg.dev", &artifacts),
        ("prod-registry-k8s-io-eu-west-1.s3.dualstack.eu-west-1.amazonaws.com", &bucket),
    ];
    let endpoints =
        endpoints.map(|(host, to)| (host.to_owned(), vec![Url::parse(&to.url()).unwrap()])).into();
    let client = client(Settings { endpoints, ..settings() });
    assert_eq!(kind_of("registry.k8s.io"), Some(Kind::K8s));
    let pause = Target { repository: "pause".into(), ..target("registry.k8s.io") };
    client.authenticate(&pause).await.unwrap();
    let fetched = client.fetch_manifest(&pause, &tag("3.10")).await.unwrap();
    assert_eq!((fetched.digest.clone(), &fetched.bytes[..]), (digest.clone(), MANIFEST.as_bytes()));
    let stat = client.stat_manifest(&pause, &tag("3.10")).await.unwrap();
    assert_eq!(stat.digest, Some(digest));
    assert_eq!(fetch(&client, &pause, &layer).await.unwrap(), blob());
}

#[tokio::test]
async fn a_private_ecr_sends_its_clients_to_s3() {
    const HOST: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
    const BUCKET: &str = "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com";
    let [registry, api, bucket] = [
        ScriptedUpstream::start().await,
        ScriptedUpstream::start().await,
        ScriptedUpstream::start().await,
    ];
    // `AWS:password`.
    let body = r#"{"authorizationData":[{"authorizationToken":"QVdTOnBhc3N3b3Jk"}]}"#;
    api.script("/", Script::default().body(body));
    registry.require_basic("AWS", "password");
    registry.add_manifest(REPOSITORY, Some("3.20"), OCI_MANIFEST, MANIFEST);
    let digest = registry.add_blob(REPOSITORY, blob());
    let signed = format!("https://{BUCKET}/b?X-Amz-Expires=3600&X-Amz-Signature=x");
    registry.script(&blob_path(REPOSITORY, &digest), Script::redirect(307, &signed));
    bucket.add_file("/b", blob());
    let endpoints =
        [(HOST, &registry), ("api.ecr.eu-west-1.amazonaws.com", &api), (BUCKET, &bucket)]
            .map(|(host, to)| (host.to_owned(), vec![Url::parse(&to.url()).unwrap()]));
    let keys = [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let variables = keys.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let surroundings = Surroundings::Given { variables, home: None };
    let client = client(Settings { endpoints: endpoints.into(), surroundings, ..settings() });
    assert_eq!(kind_of(HOST), Some(Kind::Ecr));
    let target = target(HOST);
    client.authenticate(&target).await.unwrap();
    client.fetch_manifest(&target, &tag("3.20")).await.unwrap();
    assert_eq!(fetch(&client, &target, &digest).await.unwrap(), blob());
    let seen = bucket.requests();
    assert_eq!((seen.len(), seen[0].header("authorization")), (1, None));
}
