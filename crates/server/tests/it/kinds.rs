//! Upstreams of every kind that hands out tokens, each pulled through its public host name by a
//! server that is told where that is on loopback. (A private ECR is a scenario of `tests/clients`.)

use std::process::Stdio;

use testkit::{PLAYS, Play, Stage, blob_path};
use tokio::runtime::Runtime;

use crate::{
    commands::{MANIFEST, succeeded},
    process::{Home, Serving, finish},
};

const REPOSITORY: &str = "library/alpine";

/// A server and the kind it has for an upstream.
struct World {
    home: Home,
    serving: Serving,
    stage: Stage,
    // Its tasks are the upstream.
    runtime: Runtime,
}

impl World {
    fn new(play: &Play, blob: &[u8]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let stage = runtime.block_on(play.start(REPOSITORY, "3.20", MANIFEST, blob));
        let endpoints: Vec<_> =
            stage.endpoints.iter().map(|(host, url)| format!("{host}={url}")).collect();
        let flags = endpoints.iter().flat_map(|endpoint| ["--upstream-endpoint", endpoint]);
        let home = Home::new();
        let serving = home.serve(&flags.collect::<Vec<_>>());
        Self { home, serving, stage, runtime }
    }

    /// Makes a rule for the kind, with its user's secret; the rule is tried.
    fn rule(&self, play: &Play) {
        let mut words = vec!["rule", "add", "cache", play.host];
        if let Some((user, _)) = play.user {
            words.extend(["--username", user, "--token-file", "-"]);
        }
        self.home.write("token", play.user.map_or("", |(_, token)| token));
        let token = std::fs::File::open(self.home.path().join("token")).expect("just written");
        succeeded(&finish(self.home.command(&words).stdin(Stdio::from(token))));
    }

    /// Returns the status and the body of what is pulled.
    fn pull(&self, path: &str) -> (u16, Vec<u8>) {
        let password = succeeded(&self.home.run(&["login-password"]));
        let url = format!("{}/v2/cache/{REPOSITORY}/{path}", self.serving.url());
        self.runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().expect("a client");
            let request = client.get(&url).basic_auth("AWS", Some(password.trim_end()));
            let answer = request.send().await.expect("an answer");
            (answer.status().as_u16(), answer.bytes().await.expect("whole").to_vec())
        })
    }
}

#[test]
fn each_kind_is_pulled_through_its_public_name() {
    let blob = b"what its storage has".repeat(1000);
    for play in &PLAYS {
        let told = format!("{} as {:?}", play.host, play.user.map(|(user, _)| user));
        let world = World::new(play, &blob);
        world.rule(play);
        assert_eq!(world.pull("manifests/3.20"), (200, MANIFEST.into()), "{told}");
        let layer = format!("blobs/{}", world.stage.digest);
        for _ in 0..2 {
            assert_eq!(world.pull(&layer), (200, blob.clone()), "{told}");
        }
        let asked = world.stage.registry.gets(&blob_path(REPOSITORY, &world.stage.digest));
        assert_eq!((asked, world.stage.storage.gets("/b")), (1, 1), "{told}");
        let seen = world.stage.storage.requests();
        assert!(seen.iter().all(|seen| seen.header("authorization").is_none()), "{told}");
    }
}
