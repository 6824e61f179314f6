//! Servers whose rules lead to one another.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use oci::media_type::OCI_MANIFEST;
use testkit::ScriptedUpstream;

use crate::{
    commands::{MANIFEST, succeeded},
    process::{Home, Serving},
};

/// Far from the 30 s that an upstream may take to answer.
const AT_ONCE: Duration = Duration::from_secs(10);

/// A server that anybody may pull from.
struct Server {
    home: Home,
    serving: Serving,
}

impl Server {
    fn start(flags: &[&str]) -> Self {
        let home = Home::new();
        let serving = home.serve(&[&["--anonymous-pull"], flags].concat());
        Self { home, serving }
    }

    /// Makes the rule `round` for the same names elsewhere.
    fn lead_to(&self, url: &str) {
        let words = ["rule", "add", "round", url, "--upstream-prefix", "round"];
        succeeded(&self.home.run(&words));
    }

    /// Returns the status and the body of what is asked for, in time.
    async fn get(&self, path: &str) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let url = format!("{}/v2/{path}", self.serving.url());
        let asked = Instant::now();
        let answer = client.get(&url).send().await.expect("an answer");
        let (status, body) = (answer.status().as_u16(), answer.text().await.expect("whole"));
        assert!(asked.elapsed() < AT_ONCE, "{path}: {status} {body}");
        (status, body)
    }

    /// Asks for everything that a rule brings to nobody in particular.
    async fn is_told_of_the_circle(&self) {
        let digest = oci::Digest::of(b"x");
        for path in [
            "round/app/manifests/v1".to_owned(),
            format!("round/app/manifests/{digest}"),
            format!("round/app/blobs/{digest}"),
            format!("round/app/referrers/{digest}"),
        ] {
            let (status, body) = self.get(&path).await;
            assert_eq!(status, 508, "{path}: {body}");
            // Each names the next one, as far as there is room.
            let is_told = body.contains("UNAVAILABLE") && body.contains("leads in a circle: ");
            assert!(is_told && body.contains("the question came back"), "{body}");
        }
    }
}

/// Two or three servers, each of which is the upstream of the one before it.
#[tokio::test(flavor = "multi_thread")]
async fn a_circle_of_servers_is_told_at_once_and_forgotten_when_it_is_mended() {
    for count in [2, 3] {
        let servers: Vec<_> = (0..count).map(|_| Server::start(&[])).collect();
        for (at, server) in servers.iter().enumerate() {
            server.lead_to(servers[(at + 1) % count].serving.url());
        }
        for server in &servers {
            server.is_told_of_the_circle().await;
        }
        // From all sides at once, each may find the other's question under way.
        for tag in ["v2", "v3", "v4"] {
            let path = format!("round/app/manifests/{tag}");
            let told = join_all(servers.iter().map(|server| server.get(&path))).await;
            assert!(told.iter().all(|(status, _)| *status == 508), "{told:?}");
        }
        // Nothing came of it, and nobody is taken for dead: what is mended works at once.
        let upstream = ScriptedUpstream::start().await;
        upstream.add_manifest("round/app", Some("v1"), OCI_MANIFEST, MANIFEST);
        let last = &servers[count - 1];
        succeeded(&last.home.run(&["rule", "remove", "round"]));
        last.lead_to(&upstream.url());
        let pulled = servers[0].get("round/app/manifests/v1").await;
        assert_eq!(pulled, (200, MANIFEST.to_owned()));
        // The upstream learns of who asked what nobody else can read, and no name of a host.
        let seen = upstream.requests();
        let via = seen.last().and_then(|seen| seen.header("via")).expect("it is sent").to_owned();
        let names: Vec<_> = via.split(", ").collect();
        assert_eq!(names.len(), count, "{via}");
        assert!(names.iter().all(|name| name.starts_with("1.1 cistern-") && name.len() == 44));
    }
}

/// A server that is its own upstream by a name that it does not know as its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_leads_to_itself_is_told_at_once() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = free.local_addr().expect("an address").to_string();
    drop(free);
    let endpoint = format!("myself.example=http://{address}");
    let server = Server::start(&[
        "--listen",
        &address,
        "--upstream-endpoint",
        &endpoint,
        "--rule",
        "ROOT=myself.example",
        "--rule",
        "deeper=myself.example",
    ]);
    server.is_told_of_the_circle().await;
    // Another repository of the same server is none.
    let (status, body) = server.get("deeper/round/app/manifests/v1").await;
    assert!(status == 508 && body.contains("myself.example leads in a circle"), "{body}");
}
