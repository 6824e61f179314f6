//! The role of an upstream, as the registry sees it.

use std::{fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use oci::{Digest, Reference, Referrer, Tag};
use secrecy::SecretString;

use crate::{Allowance, Budget, Demand, Error, Trail};

/// User name and secret for an upstream.
#[derive(Clone)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password or access token.
    pub secret: SecretString,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Whose eyes an upstream is seen with: `anonymous`, or an opaque fingerprint of the credentials.
/// Two equal identities may share tokens, connections and transfers; it never reveals a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(Arc<str>);

impl Identity {
    /// The identity of requests without credentials.
    pub fn anonymous() -> Self {
        Self("anonymous".into())
    }

    /// Makes an identity from an opaque fingerprint.
    pub fn fingerprint(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the fingerprint.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns enough of it to tell identities apart in logs and metrics.
    pub fn short(&self) -> &str {
        self.0.char_indices().nth(12).map_or(&*self.0, |(end, _)| &self.0[..end])
    }
}

/// What is asked: an upstream, as its rule names it, a repository there, and with which eyes.
#[derive(Clone, Debug)]
pub struct Target {
    /// The upstream's public address as the rule has it: `registry-1.docker.io`,
    /// `https://registry.example.com:5000`, `http://127.0.0.1:5001`.
    pub registry_url: Arc<str>,
    /// Repository name at the upstream; its grammar is the upstream's affair.
    pub repository: Arc<str>,
    /// Credentials, where the rule has some.
    pub credentials: Option<Credentials>,
    /// Fingerprint of `credentials`, or of what else the upstream is seen with.
    pub identity: Identity,
    /// The ARN of the role that a private ECR registry is seen with, where the rule has no
    /// credentials; without one it is seen as this process.
    pub role: Option<Arc<str>>,
    /// Which registry of this process it is, where it is one: then nobody here is asked.
    pub neighbour: Option<Neighbour>,
    /// Who waits for the answer, whoever asks here last.
    pub trail: Trail,
}

/// A registry that the process serves itself, as the upstream of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its account.
    pub account: Arc<str>,
    /// Its region.
    pub region: Arc<str>,
    /// The account of the registry that asks.
    pub asker: Arc<str>,
}

/// What an upstream said about a manifest without sending it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestStat {
    /// `Docker-Content-Digest`, where it was sent and well formed; else the digest of what was
    /// fetched before with the same strong `ETag`.
    pub digest: Option<Digest>,
    /// Content type.
    pub media_type: Option<String>,
    /// Content length in bytes.
    pub size_bytes: Option<u64>,
}

/// A manifest, byte for byte as the upstream sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedManifest {
    /// The bytes.
    pub bytes: Bytes,
    /// Content type as served.
    pub media_type: Option<String>,
    /// Digest of the bytes: the one asked for, else the one announced, else SHA-256; checked.
    pub digest: Digest,
}

/// What an upstream said about a blob without sending it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobStat {
    /// Content length in bytes, where it was sent.
    pub size_bytes: Option<u64>,
}

/// A blob on its way. The headers have arrived; the bytes are unverified.
pub struct BlobBody {
    /// Size of the whole blob in bytes, where the upstream said.
    pub size_bytes: Option<u64>,
    /// Offset of the first byte of `bytes`: zero, or less than or equal to what was asked for
    /// where the upstream does not serve ranges.
    pub offset: u64,
    /// The bytes; a broken or stalled transfer ends with an error, never with a clean end.
    pub bytes: BoxStream<'static, Result<Bytes, Error>>,
}

impl fmt::Debug for BlobBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobBody").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

/// A list, as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<T> {
    /// What is in it, in the upstream's order.
    pub items: Vec<T>,
    /// Whether that is all: the upstream may have more than is taken.
    pub is_whole: bool,
}

/// Other people's registries. Every call is bounded in time; none is retried by the caller.
#[async_trait]
pub trait Upstream: Send + Sync + fmt::Debug + 'static {
    /// Asks for a manifest's digest (HEAD).
    ///
    /// # Errors
    /// An [`Error`] that keeps the upstream's truth.
    async fn stat_manifest(
        &self,
        target: &Target,
        reference: &Reference,
    ) -> Result<ManifestStat, Error>;

    /// Fetches a manifest, checks its digest where one is known, byte exact.
    ///
    /// # Errors
    /// As [`Upstream::stat_manifest`]; [`Error::DigestMismatch`] and [`Error::TooLarge`] too.
    async fn fetch_manifest(
        &self,
        target: &Target,
        reference: &Reference,
    ) -> Result<FetchedManifest, Error>;

    /// Fetches what a tag names now, unless that is still `held` (GET with `If-None-Match`); none
    /// where the upstream says that it is.
    ///
    /// # Errors
    /// As [`Upstream::fetch_manifest`].
    async fn fetch_manifest_unless(
        &self,
        target: &Target,
        tag: &Tag,
        held: &Digest,
    ) -> Result<Option<FetchedManifest>, Error>;

    /// Asks for a blob's size (HEAD).
    ///
    /// # Errors
    /// As [`Upstream::stat_manifest`].
    async fn stat_blob(&self, target: &Target, digest: &Digest) -> Result<BlobStat, Error>;

    /// Starts to fetch a blob from `offset` on (GET); returns when the headers are there.
    ///
    /// # Errors
    /// As [`Upstream::stat_manifest`].
    async fn fetch_blob(
        &self,
        target: &Target,
        digest: &Digest,
        offset: u64,
    ) -> Result<BlobBody, Error>;

    /// Fetches a part of a blob whole (GET with Range), to hold it against what is here. None where
    /// what comes is not that part of a blob of `size_bytes`, which the upstream may not be able to
    /// cut out.
    ///
    /// # Errors
    /// As [`Upstream::stat_manifest`].
    async fn sample_blob(
        &self,
        target: &Target,
        digest: &Digest,
        part: Range<u64>,
        size_bytes: u64,
    ) -> Result<Option<Bytes>, Error>;

    /// Lists the tags of the repository, page by page to a limit.
    ///
    /// # Errors
    /// As [`Upstream::stat_manifest`].
    async fn tags(&self, target: &Target) -> Result<Listing<Tag>, Error>;

    /// Lists what refers to a manifest, page by page to a limit.
    ///
    /// # Errors
    /// As [`Upstream::stat_manifest`]; [`Error::NotFound`] where the upstream does not answer this
    /// question at all.
    async fn referrers(
        &self,
        target: &Target,
        subject: &Digest,
    ) -> Result<Listing<Referrer>, Error>;

    /// Connects and authenticates, and asks for nothing else (`GET /v2/`).
    ///
    /// # Errors
    /// As [`Upstream::stat_manifest`].
    async fn authenticate(&self, target: &Target) -> Result<(), Error>;

    /// Says what may be asked now, as far as the upstream said; asks nobody. What is held would be
    /// refused by the other methods too, with [`Error::RateLimited`].
    fn allowance(&self, target: &Target, demand: Demand) -> Allowance;

    /// Returns what upstreams said about how much they may be asked.
    fn budgets(&self) -> Vec<Budget>;
}
