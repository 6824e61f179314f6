//! What the tests share: settings with short waits, targets, whole bodies.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use oci::{Digest, Reference, Tag};
use testkit::ScriptedUpstream;
use upstream::{
    BlobBody, Credentials, Error, HttpUpstream, Identity, Proxy, Settings, Target, Timeouts, Trail,
    Upstream as _,
};

/// The repository of most tests.
pub(crate) const REPOSITORY: &str = "library/alpine";

/// A manifest, not in canonical form, so that rewriting it would show.
pub(crate) const MANIFEST: &str = "{ \"schemaVersion\": 2,\n\t\"layers\": [] }\n";

/// Settings for tests: no proxy of the machine's, waits that a failing test does not drag out.
pub(crate) fn settings() -> Settings {
    let wait = Duration::from_secs(20);
    let timeouts = Timeouts { connect: wait, first_byte: wait, idle: wait, queue: wait };
    Settings { timeouts, proxy: Proxy::None, ..Settings::default() }
}

/// Settings for tests that ask on after a 429.
pub(crate) fn heedless() -> Settings {
    let mut settings = settings();
    settings.limits.retry_after_max = Duration::ZERO;
    settings
}

/// Settings whose one wait is short.
pub(crate) fn impatient(change: impl FnOnce(&mut Timeouts, Duration)) -> Settings {
    let mut settings = settings();
    change(&mut settings.timeouts, Duration::from_millis(200));
    settings
}

pub(crate) fn client(settings: Settings) -> HttpUpstream {
    HttpUpstream::new(settings).unwrap()
}

pub(crate) fn target(registry_url: &str) -> Target {
    Target {
        registry_url: registry_url.into(),
        repository: REPOSITORY.into(),
        credentials: None,
        identity: Identity::anonymous(),
        role: None,
        neighbour: None,
        trail: Trail::default(),
    }
}

pub(crate) fn target_as(registry_url: &str, username: &str, secret: &str) -> Target {
    Target {
        credentials: Some(Credentials { username: username.to_owned(), secret: secret.into() }),
        identity: Identity::fingerprint(&format!("{username}/{secret}")),
        ..target(registry_url)
    }
}

pub(crate) fn tag(text: &str) -> Reference {
    Reference::Tag(Tag::parse(text).unwrap())
}

/// An upstream with one manifest, tagged `3.20`, and its path.
pub(crate) async fn with_manifest() -> (ScriptedUpstream, Digest, String) {
    let upstream = ScriptedUpstream::start().await;
    let digest =
        upstream.add_manifest(REPOSITORY, Some("3.20"), oci::media_type::OCI_MANIFEST, MANIFEST);
    (upstream, digest, testkit::manifest_path(REPOSITORY, "3.20"))
}

/// An upstream with one blob of 1000 bytes, and its path.
pub(crate) async fn with_blob() -> (ScriptedUpstream, Digest, String) {
    let upstream = ScriptedUpstream::start().await;
    let digest = upstream.add_blob(REPOSITORY, blob());
    let path = testkit::blob_path(REPOSITORY, &digest);
    (upstream, digest, path)
}

pub(crate) fn blob() -> Vec<u8> {
    (0..1000_u32).map(|index| u8::try_from(index % 251).unwrap()).collect()
}

/// Reads a blob to its end.
pub(crate) async fn read(body: BlobBody) -> Result<Vec<u8>, Error> {
    let parts: Vec<_> = body.bytes.try_collect().await?;
    Ok(parts.concat())
}

pub(crate) async fn fetch(
    client: &HttpUpstream,
    target: &Target,
    digest: &Digest,
) -> Result<Vec<u8>, Error> {
    read(client.fetch_blob(target, digest, 0).await?).await
}

/// Names the kind of an outcome, and what tells it from others of its kind.
pub(crate) fn kind<T>(outcome: &Result<T, Error>) -> String {
    match outcome {
        Ok(_) => "ok".to_owned(),
        Err(Error::NotFound { .. }) => "not found".to_owned(),
        Err(Error::Unauthorized { reason, .. }) => format!("unauthorized: {reason}"),
        Err(Error::Denied { reason, .. }) => format!("denied: {reason}"),
        Err(Error::RateLimited { retry_after, .. }) => format!("rate limited: {retry_after:?}"),
        Err(Error::Circle { reason, .. }) => format!("circle: {reason}"),
        Err(Error::Status { status, .. }) => format!("status {status}"),
        Err(Error::Invalid { reason, .. }) => format!("invalid: {reason}"),
        Err(Error::DigestMismatch { .. }) => "digest mismatch".to_owned(),
        Err(Error::TooLarge { limit_bytes, .. }) => format!("larger than {limit_bytes}"),
        Err(Error::Timeout { phase, .. }) => format!("timeout: {phase:?}"),
        Err(Error::Transport { action, .. }) => format!("transport: {action}"),
        Err(Error::Login { failure, .. }) => format!("login: {failure}"),
        Err(Error::Refused { destination, .. }) => format!("refused: {destination}"),
    }
}
