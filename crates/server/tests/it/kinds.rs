//! Upstreams of every kind, each pulled through its public host name by a
//! server that is told where that is on loopback. (A private ECR is a scenario of `tests/clients`.)

use std::process::Stdio;

use oci::media_type::OCI_MANIFEST;
use testkit::{PLAYS, Script, ScriptedUpstream, blob_path, manifest_path};
use tokio::runtime::Runtime;
use url::Url;

use crate::{
    commands::{MANIFEST, succeeded},
    process::{Home, Serving, finish},
};

const REPOSITORY: &str = "library/alpine";

/// A server that is told where the public names of upstreams are.
struct World {
    home: Home,
    serving: Serving,
}

impl World {
    fn new(endpoints: &[(String, Url)]) -> Self {
        let endpoints: Vec<_> =
            endpoints.iter().map(|(host, url)| format!("{host}={url}")).collect();
        let flags = endpoints.iter().flat_map(|endpoint| ["--upstream-endpoint", endpoint]);
        let home = Home::new();
        let serving = home.serve(&flags.collect::<Vec<_>>());
        Self { home, serving }
    }

    /// Makes a rule for a host, with its user's secret; the rule is tried.
    fn rule(&self, host: &str, user: Option<(&str, &str)>) {
        let mut words = vec!["rule", "add", "cache", host];
        if let Some((user, _)) = user {
            words.extend(["--username", user, "--token-file", "-"]);
        }
        self.home.write("token", user.map_or("", |(_, token)| token));
        let token = std::fs::File::open(self.home.path().join("token")).expect("just written");
        succeeded(&finish(self.home.command(&words).stdin(Stdio::from(token))));
    }

    /// Returns the status and the body of what is pulled.
    fn pull(&self, runtime: &Runtime, path: &str) -> (u16, Vec<u8>) {
        let password = succeeded(&self.home.run(&["login-password"]));
        let url = format!("{}/v2/cache/{path}", self.serving.url());
        runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().expect("a client");
            let request = client.get(&url).basic_auth("AWS", Some(password.trim_end()));
            let answer = request.send().await.expect("an answer");
            (answer.status().as_u16(), answer.bytes().await.expect("whole").to_vec())
        })
    }
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().expect("a runtime")
}

#[test]
fn each_kind_is_pulled_through_its_public_name() {
    let blob = b"what its storage has".repeat(1000);
    let runtime = runtime();
    for play in &PLAYS {
        let told = format!("{} as {:?}", play.host, play.user.map(|(user, _)| user));
        let stage = runtime.block_on(play.start(REPOSITORY, "3.20", MANIFEST, &blob));
        let world = World::new(&stage.endpoints);
        world.rule(play.host, play.user);
        let pull = |path: &str| world.pull(&runtime, &format!("{REPOSITORY}/{path}"));
        assert_eq!(pull("manifests/3.20"), (200, MANIFEST.into()), "{told}");
        for _ in 0..2 {
            assert_eq!(pull(&format!("blobs/{}", stage.digest)), (200, blob.clone()), "{told}");
        }
        let asked = stage.registry.gets(&blob_path(REPOSITORY, &stage.digest));
        assert_eq!((asked, stage.storage.gets("/b")), (1, 1), "{told}");
        let seen = stage.storage.requests();
        assert!(seen.iter().all(|seen| seen.header("authorization").is_none()), "{told}");
    }
}

/// registry.k8s.io has neither tokens nor content: it sends its clients elsewhere for both.
#[test]
fn the_kubernetes_registry_is_pulled_through_its_public_name() {
    const ARTIFACTS: &str = "europe-west1-docker.pkg.dev";
    const BUCKET: &str = "prod-registry-k8s-io-eu-west-1.s3.dualstack.eu-west-1.amazonaws.com";
    let blob = b"what the bucket has".repeat(1000);
    let runtime = runtime();
    let [front, artifacts, bucket] = runtime.block_on(async {
        let start = ScriptedUpstream::start;
        [start().await, start().await, start().await]
    });
    artifacts.add_manifest("k8s/images/pause", Some("3.10"), OCI_MANIFEST, MANIFEST);
    bucket.add_file("/layer", blob.clone());
    let digest = oci::Digest::of(&blob);
    let manifest = format!("https://{ARTIFACTS}{}", manifest_path("k8s/images/pause", "3.10"));
    front.script(&manifest_path("pause", "3.10"), Script::redirect(307, &manifest));
    let layer = format!("https://{BUCKET}/layer");
    front.script(&blob_path("pause", &digest), Script::redirect(307, &layer));
    let endpoints = [("registry.k8s.io", &front), (ARTIFACTS, &artifacts), (BUCKET, &bucket)]
        .map(|(host, to)| (host.to_owned(), Url::parse(&to.url()).expect("a URL")));
    let world = World::new(&endpoints);
    world.rule("registry.k8s.io", None);
    assert_eq!(world.pull(&runtime, "pause/manifests/3.10"), (200, MANIFEST.into()));
    for _ in 0..2 {
        let path = format!("pause/blobs/{digest}");
        assert_eq!(world.pull(&runtime, &path), (200, blob.clone()));
    }
    assert_eq!(bucket.gets("/layer"), 1);
}
