//! Pulling a manifest: from memory, from the stores, or from upstream.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use metadata::{Origin, RegistryId, TagFact, Timestamp};
use oci::{Digest, Reference, RepositoryName, Tag};

use crate::{
    Caller, Counter, Match, PullError, Registry, SecretError,
    circuit::Advice,
    flight::Flight,
    hot::{KeyRef, StoredManifest},
    refresh::{ImportWork, Imported},
    registry::Inner,
    rule_policies::Freshness,
    upstreams::is_unasked,
};

/// What makes two imports the same work.
pub(crate) type ImportKey = (RegistryId, RepositoryName, Reference);

/// A manifest, and how it came to be served.
#[derive(Clone, Debug)]
pub struct PulledManifest {
    /// The manifest, byte for byte as it was pushed or fetched.
    pub bytes: Bytes,
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: Arc<str>,
    /// How it came to be served.
    pub served: Served,
}

/// How content came to be served.
#[derive(Clone, Debug)]
pub enum Served {
    /// From what is stored, fresh.
    Hit,
    /// Fetched from the upstream for this caller (or together with another).
    Miss,
    /// From what is stored, after the upstream confirmed it.
    Revalidated,
    /// From what is stored, although the upstream could not confirm it.
    Stale(StaleReason),
}

/// Why a cached tag was served unconfirmed.
#[derive(Clone, Debug)]
pub enum StaleReason {
    /// The rule wants it so: the upstream is asked meanwhile.
    Revalidating,
    /// The upstream failed a moment ago and is left alone.
    CircuitOpen,
    /// The upstream refused this tag a moment ago and is not asked again yet.
    Backoff,
    /// The upstream said that it may not be asked much, or nothing for a while.
    Budget,
    /// The upstream did not answer before the deadline.
    Deadline,
    /// It could not be asked, or its answer was no confirmation.
    Failed(PullError),
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revalidating => f.write_str("the upstream is being asked"),
            Self::CircuitOpen => f.write_str("the upstream failed a moment ago"),
            Self::Backoff => f.write_str("the upstream refused a moment ago"),
            Self::Budget => f.write_str("the upstream limits requests"),
            Self::Deadline => f.write_str("the upstream did not answer in time"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl StaleReason {
    /// Returns why the rule's secret could not be used, where that is the reason.
    pub fn credentials(&self) -> Option<&SecretError> {
        match self {
            Self::Failed(PullError::Credentials { source, .. }) => Some(source),
            _ => None,
        }
    }
}

impl Registry {
    /// Pulls a manifest: GET of OCI distribution-spec 1.1, "Pulling manifests".
    ///
    /// # Errors
    /// A [`PullError`]; an upstream's failure is never reported as something missing.
    pub async fn pull_manifest(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<PulledManifest, PullError> {
        let (manifest, served) = self.find_manifest(caller, repository, reference).await?;
        let now = self.inner.clock.now();
        if manifest.is_to_remember(now) {
            self.inner.pulls.remember(&caller.registry, repository, &manifest.digest, now);
        }
        Ok(PulledManifest::new(&manifest, served))
    }

    /// Looks a manifest up for a HEAD. It fetches as a pull does, for that is how containerd
    /// resolves a tag, but does not count as one.
    ///
    /// # Errors
    /// As [`Registry::pull_manifest`].
    pub async fn stat_manifest(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<PulledManifest, PullError> {
        let (manifest, served) = self.find_manifest(caller, repository, reference).await?;
        Ok(PulledManifest::new(&manifest, served))
    }

    async fn find_manifest(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<Found, PullError> {
        let matched = self.admit_pull(caller, repository).await?;
        let now = self.inner.clock.now();
        if let (Some(matched), Reference::Tag(tag)) = (&matched, reference) {
            matched.admit_tag(tag).inspect_err(|_| self.inner.count_denied())?;
        }
        let wanted = Wanted { inner: &self.inner, registry: &caller.registry, repository, now };
        let found = match reference {
            Reference::Digest(digest) => wanted.by_digest(digest, matched).await,
            Reference::Tag(tag) => wanted.by_tag(tag, matched).await,
        };
        let found = found.and_then(|(manifest, served)| match manifest.is_archived {
            true => Err(wanted.archived(reference.clone())),
            false => Ok((manifest, served)),
        });
        self.inner.count(&found);
        found
    }
}

impl PulledManifest {
    fn new(manifest: &StoredManifest, served: Served) -> Self {
        Self {
            bytes: manifest.bytes.clone(),
            digest: manifest.digest.clone(),
            media_type: Arc::clone(&manifest.media_type),
            served,
        }
    }
}

/// A repository that something is wanted from.
///
/// What leaves the warm path is boxed: its state would otherwise make that of every request large.
struct Wanted<'a> {
    inner: &'a Arc<Inner>,
    registry: &'a RegistryId,
    repository: &'a RepositoryName,
    /// When it is wanted.
    now: Timestamp,
}

type Found = (Arc<StoredManifest>, Served);

impl Wanted<'_> {
    async fn by_digest(&self, digest: &Digest, matched: Option<Match>) -> Result<Found, PullError> {
        if let Some(stored) =
            self.inner.stored_manifest(self.registry, self.repository, digest).await?
        {
            return Ok((stored, Served::Hit));
        }
        let reference = Reference::Digest(digest.clone());
        match matched {
            Some(matched) => Box::pin(self.import(reference, matched, None)).await,
            None => Err(Box::pin(self.unknown(reference)).await?),
        }
    }

    async fn by_tag(&self, tag: &Tag, matched: Option<Match>) -> Result<Found, PullError> {
        let reference = Reference::Tag(tag.clone());
        let fact = self.inner.tag_fact(self.registry, self.repository, tag).await?;
        let stored = match &fact {
            Some(fact) => {
                self.inner.stored_manifest(self.registry, self.repository, &fact.digest).await?
            }
            None => None,
        };
        let pushed = fact.as_ref().is_some_and(|fact| matches!(fact.origin, Origin::Pushed { .. }));
        match (fact, stored, matched) {
            // It stays until somebody restores it: no upstream is asked.
            (_, Some(stored), _) if stored.is_archived => Ok((stored, Served::Hit)),
            (Some(fact), Some(stored), Some(matched)) => {
                match matched.freshness(tag, &fact, self.now) {
                    Freshness::Fresh => Ok((stored, Served::Hit)),
                    Freshness::Revalidate => self.revalidate(&fact, stored, reference, matched),
                    Freshness::Stale => {
                        Box::pin(self.confirm(&fact, stored, reference, matched)).await
                    }
                    Freshness::Expired => {
                        Box::pin(self.replace(&fact, stored, reference, matched)).await
                    }
                }
            }
            (_, Some(stored), _) => Ok((stored, Served::Hit)),
            // Where the bytes of a pushed tag are gone, the upstream's are not the same thing.
            (_, None, Some(matched)) if !pushed => {
                Box::pin(self.import(reference, matched, None)).await
            }
            (_, None, _) => Err(Box::pin(self.unknown(reference)).await?),
        }
    }

    /// Serves what is cached at once, and has the upstream asked for those who come later.
    fn revalidate(
        &self,
        fact: &TagFact,
        stored: Arc<StoredManifest>,
        reference: Reference,
        matched: Match,
    ) -> Result<Found, PullError> {
        let key = (self.registry.clone(), self.repository.clone(), reference);
        let upstream = &matched.rule().upstream_registry_url;
        let is_asked = self.inner.refusal(&key, &matched).is_none()
            && self.inner.backoff_until(&key, &matched).is_none()
            && self.inner.circuits.advice(upstream, self.now) != Advice::Leave;
        if is_asked {
            // Nobody waits for this flight: it is a task of the registry.
            drop(self.join(key, matched, Some(fact), true));
        }
        Ok((stored, Served::Stale(StaleReason::Revalidating)))
    }

    /// Asks the upstream whether a cached tag still holds, and serves what is cached if it does
    /// not say so in time.
    async fn confirm(
        &self,
        fact: &TagFact,
        stored: Arc<StoredManifest>,
        reference: Reference,
        matched: Match,
    ) -> Result<Found, PullError> {
        let upstream = matched.rule().upstream_registry_url.clone();
        let deadline = matched.policy().stale_deadline;
        let key = (self.registry.clone(), self.repository.clone(), reference.clone());
        let reason = if let Some(error) = self.inner.refusal(&key, &matched) {
            StaleReason::Failed(error)
        } else if self.inner.backoff_until(&key, &matched).is_some() {
            StaleReason::Backoff
        } else {
            let advice = self.inner.circuits.advice(&upstream, self.now);
            if advice == Advice::Leave {
                StaleReason::CircuitOpen
            } else {
                let flight = self.join(key, matched, Some(fact), true);
                if advice == Advice::Probe {
                    StaleReason::CircuitOpen
                } else {
                    match self.wait_for(flight, &upstream, deadline).await {
                        Ok(found) => return Ok(found),
                        Err(reason) => reason,
                    }
                }
            }
        };
        tracing::warn!(
            registry = %self.registry,
            repository = %self.repository,
            reference = %reference,
            upstream,
            "serving {}:{reference} stale: {reason}", self.repository
        );
        Ok((stored, Served::Stale(reason)))
    }

    async fn wait_for(
        &self,
        flight: Flight<Result<Imported, PullError>>,
        upstream: &str,
        deadline: Duration,
    ) -> Result<Found, StaleReason> {
        match tokio::time::timeout(deadline, flight.landed()).await {
            Ok(Some(Ok(imported))) => Ok((imported.manifest, imported.served)),
            Ok(Some(Err(PullError::Upstream(error)))) if is_unasked(&error) => {
                Err(StaleReason::Budget)
            }
            Ok(Some(Err(error))) => Err(StaleReason::Failed(error)),
            Ok(None) => Err(StaleReason::Failed(PullError::Abandoned)),
            Err(_) => {
                self.inner.circuits.failed(upstream, self.inner.clock.now(), None);
                Err(StaleReason::Deadline)
            }
        }
    }

    /// Brings what a tag names now. What is cached of it counts only where what the tag names now
    /// is not let in.
    async fn replace(
        &self,
        fact: &TagFact,
        stored: Arc<StoredManifest>,
        reference: Reference,
        matched: Match,
    ) -> Result<Found, PullError> {
        match self.import(reference, matched, Some(fact)).await {
            Err(error @ PullError::TooYoung { .. }) => {
                Ok((stored, Served::Stale(StaleReason::Failed(error))))
            }
            outcome => outcome,
        }
    }

    /// Brings what is not here, or may not be served unconfirmed.
    async fn import(
        &self,
        reference: Reference,
        matched: Match,
        cached: Option<&TagFact>,
    ) -> Result<Found, PullError> {
        let key = (self.registry.clone(), self.repository.clone(), reference);
        if let Some(error) = self.inner.refusal(&key, &matched) {
            if matches!(error, PullError::ManifestUnknown { .. }) {
                self.inner.counters.increment(Counter::PolicyMissing);
            }
            return Err(error);
        }
        let reference = key.2.clone();
        let flight = self.join(key, matched.clone(), cached, false);
        let imported = tokio::select! {
            imported = flight.landed() => imported.ok_or(PullError::Abandoned)??,
            circle = self.inner.circle_found(self.registry, &matched, &reference, false) => {
                return Err(circle);
            }
        };
        Ok((imported.manifest, imported.served))
    }

    fn join(
        &self,
        key: ImportKey,
        matched: Match,
        cached: Option<&TagFact>,
        servable: bool,
    ) -> Flight<Result<Imported, PullError>> {
        let (inner, work_key) = (Arc::clone(self.inner), key.clone());
        let known = cached.map(|fact| fact.digest.clone());
        self.inner.imports.join(key, move || {
            let (registry, repository, reference) = work_key;
            let insists = false;
            ImportWork { inner, registry, repository, reference, matched, known, servable, insists }
                .run()
        })
    }

    fn archived(&self, reference: Reference) -> PullError {
        PullError::Archived { repository: self.repository.clone(), reference }
    }

    /// The truth about a reference that nothing can bring.
    async fn unknown(&self, reference: Reference) -> Result<PullError, metadata::Error> {
        if !self.inner.has_repository(self.registry, self.repository).await? {
            return self.inner.unknown_name(self.registry, self.repository).await;
        }
        let repository = self.repository.clone();
        Ok(PullError::ManifestUnknown { repository, reference, upstream: None })
    }
}

impl Match {
    /// Tells what may be done with a tag that is here. What was pushed has no upstream to ask.
    pub(crate) fn freshness(&self, tag: &Tag, fact: &TagFact, now: Timestamp) -> Freshness {
        match fact.origin {
            Origin::Pushed { .. } => Freshness::Fresh,
            Origin::Cached { .. } => self.policy().freshness(tag, fact.checked_at, now),
        }
    }
}

impl Inner {
    fn count(&self, found: &Result<Found, PullError>) {
        use PullError::TooYoung;
        let is_held_back = matches!(
            found,
            Err(TooYoung { .. }) | Ok((_, Served::Stale(StaleReason::Failed(TooYoung { .. }))))
        );
        if is_held_back {
            self.counters.increment(Counter::PolicyHeldBack);
        }
        let Ok((_, served)) = found else { return };
        self.counters.increment(match served {
            Served::Hit => Counter::ManifestHits,
            Served::Miss => Counter::ManifestMisses,
            Served::Revalidated => Counter::ManifestRevalidations,
            Served::Stale(StaleReason::Revalidating) => Counter::ManifestStaleRevalidating,
            Served::Stale(_) => Counter::ManifestStale,
        });
    }

    /// Counts something that the lists of a rule refused.
    pub(crate) fn count_denied(&self) {
        self.counters.increment(Counter::PolicyDenied);
    }

    pub(crate) async fn tag_fact(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<Arc<TagFact>>, PullError> {
        if let Some(fact) = self.hot.tags.get(&KeyRef(registry, repository, tag)) {
            return Ok(Some(fact));
        }
        let epoch = self.hot.epoch();
        match self.metadata.tag(registry, repository, tag).await {
            Ok(fact) => {
                let fact = Arc::new(fact);
                let key = (registry.clone(), repository.clone(), tag.clone());
                self.hot.keep(&self.hot.tags, epoch, key, Arc::clone(&fact));
                Ok(Some(fact))
            }
            Err(metadata::Error::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns a manifest of a repository, where both the fact and the bytes are here.
    pub(crate) async fn stored_manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Arc<StoredManifest>>, PullError> {
        if let Some(stored) = self.hot.manifests.get(&KeyRef(registry, repository, digest)) {
            return Ok(Some(stored));
        }
        let epoch = self.hot.epoch();
        let fact = match self.metadata.manifest(registry, repository, digest).await {
            Ok(fact) => fact,
            Err(metadata::Error::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let bytes = Box::pin(self.manifest_bytes(digest)).await?;
        let Some(bytes) = bytes else { return Ok(None) };
        let is_archived = fact.storage.is_archived;
        let stored = StoredManifest::new(bytes, digest.clone(), &fact.media_type, is_archived);
        let stored = Arc::new(stored);
        let key = (registry.clone(), repository.clone(), digest.clone());
        self.hot.keep(&self.hot.manifests, epoch, key, Arc::clone(&stored));
        Ok(Some(stored))
    }

    /// Reads the bytes of a manifest; `None` where they are gone or damaged, so that they are
    /// fetched again.
    async fn manifest_bytes(&self, digest: &Digest) -> Result<Option<Bytes>, PullError> {
        let blob = match self.blobs.open(digest).await {
            Ok(blob) => blob,
            Err(blobs::Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < blob.size_bytes {
            let (at, max) = (bytes.len() as u64, blob.size_bytes as usize - bytes.len());
            match blob.content.read(at, max, blobs::Access::User).await {
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(blobs::Error::Truncated { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
        // Read once and kept in memory: worth the hash.
        if Digest::of_with(digest.algorithm(), &bytes) == *digest {
            return Ok(Some(bytes.into()));
        }
        self.counters.increment(Counter::BlobsDamaged);
        tracing::error!(digest = %digest, "stored manifest {digest} is damaged and was removed");
        self.blobs.delete(digest).await?;
        Ok(None)
    }
}
