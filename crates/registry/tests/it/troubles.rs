//! Every trouble an upstream can be in, on a cached and on an uncached tag.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use oci::Digest;
use registry::{PullError, Served, StaleReason};
use testkit::{Script, ScriptedUpstream, manifest_path};
use upstream::{Error, Lookup, Phase};

use crate::{
    images::{Image, push_image},
    world::{Setup, World, until},
};

/// Long enough to be past every freshness window.
const TWO_DAYS: i64 = 2 * 24 * 60 * 60 * 1000;

/// Knows no name at all, or every name as this machine.
#[derive(Debug)]
struct Names {
    known: bool,
}

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let here = IpAddr::from([127, 0, 0, 1]);
        if self.known { Ok(vec![here]) } else { Err(io::Error::other("no such name")) }
    }
}

/// What is wrong.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    BlackHole,
    Status(u16),
    HangUp,
    Refused,
    NoName,
    NotTrusted,
    WrongDigest,
    NotAManifest,
    TooLarge,
    SignInPage,
}

impl Trouble {
    fn script(self) -> Option<Script> {
        Some(match self {
            Self::BlackHole => Script::black_hole(),
            Self::Status(429) => Script::status(429).retry_after("120"),
            Self::Status(status) => Script::error(status, "UNKNOWN", "no"),
            Self::HangUp => Script::hang_up(),
            // The announced digest stays; another is announced than known, so that it is fetched.
            Self::WrongDigest => Script::new()
                .header("docker-content-digest", Digest::of(b"new").as_str())
                .body(r#"{"schemaVersion":2}"#),
            Self::NotAManifest => {
                Script::new().without_header("docker-content-digest").body(r#"{"a":1}"#)
            }
            Self::TooLarge => {
                Script::new().without_header("docker-content-digest").body(&"x".repeat(10_000))
            }
            Self::SignInPage => Script::status(200).header("content-type", "text/html"),
            Self::Refused | Self::NoName | Self::NotTrusted => return None,
        })
    }
}

/// Tells whether an error is the truth about a trouble.
fn tells(trouble: Trouble, error: &PullError) -> bool {
    if let PullError::ManifestUnknown { upstream, .. } = error {
        return matches!(trouble, Trouble::Status(404)) && upstream.is_some();
    }
    if let PullError::BadManifest { .. } = error {
        return matches!(trouble, Trouble::NotAManifest);
    }
    let PullError::Upstream(error) = error else { return false };
    match (trouble, &**error) {
        (Trouble::BlackHole, Error::Timeout { phase: Phase::FirstByte, .. })
        | (Trouble::Status(401), Error::Unauthorized { .. })
        | (Trouble::Status(403), Error::Denied { .. })
        | (Trouble::WrongDigest, Error::DigestMismatch { .. })
        | (Trouble::TooLarge, Error::TooLarge { .. })
        | (Trouble::SignInPage, Error::Invalid { .. }) => true,
        (Trouble::Status(429), Error::RateLimited { retry_after, .. }) => {
            *retry_after == Some(Duration::from_secs(120))
        }
        (Trouble::Status(expected), Error::Status { status, .. }) => expected == *status,
        (trouble, Error::Transport { action, .. }) => match trouble {
            Trouble::Refused => *action == "connection",
            Trouble::NoName => *action == "name resolution",
            Trouble::NotTrusted => *action == "tls",
            Trouble::HangUp => true,
            _ => false,
        },
        _ => false,
    }
}

/// A world with a cached tag `v1` that has to be confirmed, and an upstream that is about to be in
/// trouble.
async fn about_to_be_in(trouble: Trouble) -> (World, Image) {
    let upstream = match trouble {
        Trouble::NotTrusted => ScriptedUpstream::start_tls().await,
        _ => ScriptedUpstream::start().await,
    };
    let mut setup = Setup::new();
    setup.client.lookup = Some(Arc::new(Names { known: true }));
    if matches!(trouble, Trouble::NotTrusted) {
        setup.client.root_certificates.push(upstream.root_pem().to_owned());
    }
    setup.client.limits.manifest_bytes_max = 5_000;
    let world = setup.world_on(upstream).await;
    // Names under localhost are loopback, and are looked up all the same.
    let host = if matches!(trouble, Trouble::NoName) { "hub.localhost" } else { "localhost" };
    let url = world.upstream.url_at(host);
    world.rule("hub", |rule| rule.upstream_registry_url = url).await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["x"]);
    push_image(&world.upstream, "app", Some("v2"), &["y"]);
    world.pull("hub/app", "v1").await.unwrap();
    world.clock.advance(TWO_DAYS);
    (world, image)
}

async fn begin(world: &mut World, trouble: Trouble) {
    if let Some(script) = trouble.script() {
        for tag in ["v1", "v2"] {
            world.upstream.script(&manifest_path("app", tag), script.clone());
        }
    }
    // Connections that are open would know neither of names nor of certificates.
    world.upstream.stop().await;
    if !matches!(trouble, Trouble::Refused) {
        world.upstream.restart().await;
    }
    world
        .restart(|setup| match trouble {
            Trouble::NoName => setup.client.lookup = Some(Arc::new(Names { known: false })),
            Trouble::NotTrusted => setup.client.root_certificates.clear(),
            Trouble::BlackHole => {
                setup.settings.stale_deadline = Duration::from_millis(50);
                setup.client.timeouts.first_byte = Duration::from_millis(200);
            }
            _ => {}
        })
        .await;
}

#[tokio::test]
async fn a_cached_tag_is_served_whatever_the_upstream_does_and_a_miss_is_told_the_truth() {
    let statuses = [400, 401, 403, 404, 408, 429, 500, 502, 503].map(Trouble::Status);
    let others = [
        Trouble::BlackHole,
        Trouble::HangUp,
        Trouble::Refused,
        Trouble::NoName,
        Trouble::NotTrusted,
        Trouble::WrongDigest,
        Trouble::NotAManifest,
        Trouble::TooLarge,
        Trouble::SignInPage,
    ];
    for trouble in statuses.into_iter().chain(others) {
        let (mut world, image) = about_to_be_in(trouble).await;
        begin(&mut world, trouble).await;

        let cached = world.pull("hub/app", "v1").await.unwrap();
        assert_eq!(cached.bytes, image.manifest, "{trouble:?}");
        match (&cached.served, trouble) {
            (Served::Stale(StaleReason::Deadline), Trouble::BlackHole) => {}
            (Served::Stale(StaleReason::Failed(error)), _) => {
                assert!(tells(trouble, error), "{trouble:?}: {error:?}");
            }
            (served, _) => panic!("{trouble:?}: {served:?}"),
        }
        if matches!(trouble, Trouble::BlackHole) {
            // Whoever waited may have left before the question arrived.
            until("the question arrives", || async {
                world.upstream.heads(&manifest_path("app", "v1")) > 0
            })
            .await;
        }
        // Asked again, it is served at once: the upstream is left alone.
        let requests = world.upstream.requests().len();
        let again = world.pull("hub/app", "v1").await.unwrap();
        let is_left_alone =
            matches!(again.served, Served::Stale(StaleReason::CircuitOpen | StaleReason::Backoff));
        assert!(is_left_alone, "{trouble:?}: {:?}", again.served);
        assert_eq!(world.upstream.requests().len(), requests, "{trouble:?}");

        let uncached = world.pull("hub/app", "v2").await.unwrap_err();
        assert!(tells(trouble, &uncached), "{trouble:?}: {uncached:?}");
        let images = world.images("hub/app").await;
        assert_eq!(images, [(image.digest, vec!["v1".to_owned()])], "{trouble:?}");
    }
}
