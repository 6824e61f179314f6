//! What a client sees while its upstream is in trouble: with the tag cached, and without.

use clients::{
    Cistern,
    raw_http::{Ending, RawHttp},
};
use oci::Digest;
use testkit::{Script, ScriptedUpstream, blob_path, manifest_path};

const CONFIG: &str = "[limits]\nfresh-for = \"0s\"\nstale-deadline = \"300ms\"\nfirst-byte-timeout = \"1s\"\nconnect-timeout = \"1s\"\ncircuit-cooldown = \"1h\"\n";

/// A trouble, and what a miss is answered with.
struct Trouble {
    name: &'static str,
    /// Where the traffic of `registry.test` goes.
    endpoint: fn(&ScriptedUpstream) -> String,
    script: Option<Script>,
    status: u16,
    code: &'static str,
    /// What is left of its `Retry-After` by then, at most.
    retry_after: Option<u64>,
}

impl Trouble {
    fn scripted(name: &'static str, script: Script, status: u16, code: &'static str) -> Self {
        let endpoint = |upstream: &ScriptedUpstream| upstream.url();
        Self { name, endpoint, script: Some(script), status, code, retry_after: None }
    }

    fn elsewhere(name: &'static str, endpoint: fn(&ScriptedUpstream) -> String) -> Self {
        Self { name, endpoint, script: None, status: 502, code: "UNAVAILABLE", retry_after: None }
    }
}

fn troubles() -> Vec<Trouble> {
    vec![
        Trouble::scripted("silence", Script::black_hole(), 504, "UNAVAILABLE"),
        Trouble::scripted("a reset", Script::hang_up(), 502, "UNAVAILABLE"),
        Trouble::scripted("401", Script::status(401), 403, "DENIED"),
        Trouble::scripted("403", Script::error(403, "DENIED", "no"), 403, "DENIED"),
        Trouble::scripted("404", Script::status(404), 404, "MANIFEST_UNKNOWN"),
        Trouble {
            retry_after: Some(77),
            ..Trouble::scripted(
                "429",
                Script::status(429).retry_after("77"),
                429,
                "TOOMANYREQUESTS",
            )
        },
        Trouble::scripted("500", Script::status(500), 502, "UNAVAILABLE"),
        Trouble::scripted("503", Script::status(503), 502, "UNAVAILABLE"),
        Trouble::elsewhere("an unknown host", |_| "http://registry.invalid".to_owned()),
        Trouble::elsewhere("a refused connection", |_| "http://127.0.0.1:1".to_owned()),
        // It speaks no TLS.
        Trouble::elsewhere("TLS", |upstream| upstream.url().replace("http:", "https:")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cached_tag_is_served_and_a_miss_is_told_the_truth() {
    for trouble in troubles() {
        let name = trouble.name;
        let mut world = World::start().await;
        let cached = world.client.get(&world.path("cached"), "").await;
        assert_eq!(cached.header("cache-status"), Some("cistern; fwd=uri-miss; stored"), "{name}");
        let (manifest, _) = cached.rest().await;

        world.begin(&trouble).await;
        for turn in ["the first time", "with the circuit open, or backed off"] {
            let answer = world.client.get(&world.path("cached"), "").await;
            assert_eq!(answer.status, 200, "{name}, cached, {turn}");
            let how = answer.header("cache-status").unwrap_or_default().to_owned();
            assert!(how.starts_with("cistern; fwd=stale; detail="), "{name}, {turn}: {how}");
            assert_eq!(answer.rest().await, (manifest.clone(), Ending::Clean), "{name}, {turn}");
        }
        assert!(world.metrics().await.contains("cistern_manifest_stale_total 2"), "{name}");
        assert!(world.cistern.log().contains("stale"), "{name}: the log says so");

        let miss = world.client.get(&world.path("absent"), "").await;
        assert_eq!(miss.status, trouble.status, "{name}, uncached");
        let retry_after = miss.header("retry-after").map(|text| text.parse::<u64>().expect(name));
        assert_eq!(retry_after.is_some(), trouble.retry_after.is_some(), "{name}, uncached");
        // The time goes on: it was told once, and is heeded for every tag.
        let is_told = |after: u64| (1..=after).contains(&retry_after.unwrap_or_default());
        assert!(trouble.retry_after.is_none_or(is_told), "{name}, uncached: {retry_after:?}");
        let asked = world.upstream.gets(&manifest_path("team/app", "absent"));
        assert!(retry_after.is_none() || asked == 0, "{name}, uncached: it was asked all the same");
        let held = "cistern_upstream_manifests_held_seconds{";
        assert_eq!(world.metrics().await.contains(held), retry_after.is_some(), "{name}");
        let (body, _) = miss.rest().await;
        let body: serde_json::Value = serde_json::from_slice(&body).expect("an envelope");
        assert_eq!(body["errors"][0]["code"], trouble.code, "{name}: {body}");
        let body = body.to_string();
        assert!(!body.contains("127.0.0.1"), "{name}: an address leaks: {body}");

        let blob = blob_path("up/team/app", &absent_blob());
        assert_eq!(world.client.get(&blob, "").await.status, trouble.status, "{name}, a blob");
    }
}

struct World {
    upstream: ScriptedUpstream,
    cistern: Cistern,
    client: RawHttp,
    _configuration: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let upstream = ScriptedUpstream::start().await;
        let empty = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
        let media_type = oci::media_type::OCI_MANIFEST;
        upstream.add_manifest("team/app", Some("cached"), media_type, empty);
        let configuration = tempfile::TempDir::new().expect("a temporary directory");
        std::fs::write(configuration.path().join("cistern.toml"), CONFIG).expect("it is ours");
        let cistern = serve(configuration.path(), &upstream.url()).await;
        let client = RawHttp::of(&cistern);
        Self { upstream, cistern, client, _configuration: configuration }
    }

    fn path(&self, tag: &str) -> String {
        manifest_path("up/team/app", tag)
    }

    /// Lets the trouble begin: by script, or by sending the traffic elsewhere after a restart.
    async fn begin(&mut self, trouble: &Trouble) {
        if let Some(script) = &trouble.script {
            for tag in ["cached", "absent"] {
                self.upstream.script(&manifest_path("team/app", tag), script.clone());
            }
            self.upstream.script(&blob_path("team/app", &absent_blob()), script.clone());
            return;
        }
        let endpoint = (trouble.endpoint)(&self.upstream);
        let endpoint = format!("--upstream-endpoint=registry.test={endpoint}");
        self.cistern.terminate();
        self.cistern.restart_with(&[&endpoint]);
        self.client = RawHttp::of(&self.cistern);
    }

    async fn metrics(&self) -> String {
        let (body, _) = self.client.get("/metrics", "").await.rest().await;
        String::from_utf8(body).expect("text")
    }
}

fn absent_blob() -> Digest {
    Digest::of(b"nobody has this")
}

async fn serve(directory: &std::path::Path, endpoint: &str) -> Cistern {
    let flags = [
        format!("--config={}", directory.join("cistern.toml").display()),
        "--rule=up=registry.test".to_owned(),
        format!("--upstream-endpoint=registry.test={endpoint}"),
    ];
    let start = move || Cistern::start(&flags.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(start).await.expect("it starts")
}
