//! Bringing a manifest from upstream, or having a tag confirmed there: once for everybody.

mod confirm;

use std::{sync::Arc, time::Duration};

use blobs::Claim;
use metadata::{
    ManifestFact, NewManifest, Origin, RegistryId, RepositorySettings, Storage, Timestamp,
};
use moka::sync::Cache;
use oci::{Digest, Manifest, Reference, RepositoryName};
use upstream::{FetchedManifest, Identity, Target};

pub(crate) use self::confirm::Heads;
use self::confirm::{Confirmation, Cost};

use crate::{
    Match, PullError, Served,
    hot::StoredManifest,
    matching::BookedRule,
    pull::ImportKey,
    registry::Inner,
    rule_policies::Freshness,
    upstreams::{is_about_content, is_unasked},
};

/// What makes two fetches of a manifest the same exchange, whatever repository it is for here:
/// address, identity, repository there, reference, and what is held of it.
pub(crate) type FetchKey = (String, String, String, Reference, Option<Digest>);
/// What a fetch came to; none where what is held still holds.
pub(crate) type FetchResult = Result<Option<Arc<FetchedManifest>>, Arc<upstream::Error>>;

/// How long a tag that its upstream refused is not asked for again, where it did not say.
const BACKOFF: Duration = Duration::from_secs(30);
/// The longest wait that an upstream can ask for.
const BACKOFF_MAX: Duration = Duration::from_secs(60 * 60);

/// A manifest that was brought or confirmed.
#[derive(Clone, Debug)]
pub(crate) struct Imported {
    pub(crate) manifest: Arc<StoredManifest>,
    pub(crate) served: Served,
}

/// Tags whose upstream is alive and refused: not asked again for a while, for it would refuse
/// again, and count it.
#[derive(Debug)]
pub(crate) struct Backoff(Cache<ImportKey, Refused>);

/// A refusal. Whoever corrects a rule or its secret wants to see at once what comes of it: it holds
/// for the very rule and credentials that were refused.
#[derive(Clone, Debug)]
struct Refused {
    until: Timestamp,
    booked: Arc<BookedRule>,
    identity: Option<Identity>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(100_000).time_to_live(BACKOFF_MAX).build())
    }
}

impl Inner {
    /// Returns until when a tag is not asked for, where that is so.
    pub(crate) fn backoff_until(&self, key: &ImportKey, matched: &Match) -> Option<Timestamp> {
        let refused = self.backoff.0.get(key)?;
        let is_same = Arc::ptr_eq(&refused.booked, &matched.booked)
            && refused.identity == self.known_identity(&key.0, matched);
        (is_same && self.clock.now() < refused.until).then_some(refused.until)
    }

    /// Returns with which eyes the secret of a rule was seen since it last changed.
    fn known_identity(&self, registry: &RegistryId, matched: &Match) -> Option<Identity> {
        let arn = matched.rule().credentials.credential_arn.clone()?;
        let eyes = self.hot.eyes.get(&(registry.clone(), arn))?;
        Some(eyes.identity().clone())
    }
}

/// One import: everything it needs, so that no request has to stay for it.
pub(crate) struct ImportWork {
    pub(crate) inner: Arc<Inner>,
    pub(crate) registry: RegistryId,
    pub(crate) repository: RepositoryName,
    pub(crate) reference: Reference,
    pub(crate) matched: Match,
    /// What the tag names as far as known: confirming it is enough.
    pub(crate) known: Option<Digest>,
    /// Whether that may be served where the upstream does not answer.
    pub(crate) servable: bool,
    /// Whether the upstream is asked although the tag is fresh.
    pub(crate) insists: bool,
}

impl ImportWork {
    pub(crate) async fn run(self) -> Result<Imported, PullError> {
        let outcome = self.import().await;
        let key = (self.registry.clone(), self.repository.clone(), self.reference.clone());
        self.inner.heard.note(key, self.inner.clock.now(), &outcome);
        if let Err(error) = &outcome {
            self.back_off(error);
            self.remember(error);
            tracing::info!(
                registry = %self.registry,
                repository = %self.repository,
                reference = %self.reference,
                upstream = self.matched.rule().upstream_registry_url,
                "{} of {} was not brought: {error}", self.reference, self.repository
            );
        }
        outcome
    }

    async fn import(&self) -> Result<Imported, PullError> {
        if let Some((manifest, is_fresh)) = self.held().await? {
            if manifest.is_archived {
                return Err(self.archived());
            }
            // An import brought it that ended between this caller's look and this one.
            if is_fresh && !self.insists {
                return Ok(Imported { manifest, served: Served::Hit });
            }
        }
        // First of all: nothing is fetched for a repository that cannot come into being.
        let settings = self.inner.settings_for_pull(&self.registry, &self.repository).await?;
        let target = self.inner.target(&self.registry, &self.matched).await?;
        let held = match &self.known {
            None => None,
            Some(known) => match self.confirm(&target, known, &settings).await? {
                Confirmation::Here(imported) => return Ok(imported),
                Confirmation::Moved => None,
                Confirmation::Unsaid { held, is_404 } => Some((held, is_404)),
            },
        };
        self.spare(&target, Cost::Get)?;
        let fetched = match held {
            None => self.fetch(&target).await?,
            Some((held, is_404)) => match self.fetch_unless(&target, &held, is_404).await? {
                Some(fetched) if fetched.digest != held.digest => fetched,
                _ => return self.confirmed(held).await,
            },
        };
        self.admit_age(&target, &fetched).await?;
        self.store(&fetched, &settings).await
    }

    /// Returns what is here, and whether it may be served without a question.
    async fn held(&self) -> Result<Option<(Arc<StoredManifest>, bool)>, PullError> {
        let (inner, registry, repository) = (&self.inner, &self.registry, &self.repository);
        let (digest, is_fresh) = match &self.reference {
            Reference::Digest(digest) => (digest.clone(), true),
            Reference::Tag(tag) => {
                let fact = inner.tag_fact(registry, repository, tag).await?;
                let Some(fact) = fact else { return Ok(None) };
                let now = inner.clock.now();
                let is_fresh = self.matched.freshness(tag, &fact, now) == Freshness::Fresh;
                (fact.digest.clone(), is_fresh)
            }
        };
        let held = inner.stored_manifest(registry, repository, &digest).await?;
        Ok(held.map(|manifest| (manifest, is_fresh)))
    }

    fn archived(&self) -> PullError {
        let (repository, reference) = (self.repository.clone(), self.reference.clone());
        PullError::Archived { repository, reference }
    }

    async fn fetch(&self, target: &Target) -> Result<Arc<FetchedManifest>, PullError> {
        // Without a condition, no answer says that it is met.
        self.share(target, None).await?.ok_or(PullError::Abandoned)
    }

    /// Fetches the manifest, together with every other repository here that wants the same one and
    /// holds the same one. None where it is the one that is held.
    async fn share(
        &self,
        target: &Target,
        held: Option<Digest>,
    ) -> Result<Option<Arc<FetchedManifest>>, PullError> {
        let key = (
            self.inner.address(target),
            target.identity.as_str().to_owned(),
            target.repository.to_string(),
            self.reference.clone(),
            held.clone(),
        );
        let flight = self.inner.fetches.join(key, || {
            let (inner, target) = (Arc::clone(&self.inner), target.clone());
            let reference = self.reference.clone();
            async move {
                let fetched = match (&reference, held) {
                    (Reference::Tag(tag), Some(held)) => {
                        inner.upstream.fetch_manifest_unless(&target, tag, &held).await
                    }
                    _ => inner.upstream.fetch_manifest(&target, &reference).await.map(Some),
                };
                fetched.map(|fetched| fetched.map(Arc::new)).map_err(Arc::new)
            }
        });
        let fetched = flight.landed().await.ok_or(PullError::Abandoned)?;
        let fetched = fetched.map_err(|error| self.failed(target, error))?;
        self.inner.circuits.succeeded(&target.registry_url);
        Ok(fetched)
    }

    /// Stores the bytes, then the facts.
    async fn store(
        &self,
        fetched: &FetchedManifest,
        settings: &RepositorySettings,
    ) -> Result<Imported, PullError> {
        let manifest = Manifest::read(&fetched.bytes, fetched.media_type.as_deref());
        let manifest = manifest.map_err(|source| PullError::BadManifest {
            host: self.matched.rule().upstream_registry_url.clone(),
            source: Arc::new(source),
        })?;
        let _claim = self.inner.store_bytes(&fetched.digest, fetched.bytes.clone()).await?;
        let (bytes, digest) = (fetched.bytes.clone(), fetched.digest.clone());
        let stored = StoredManifest::new(bytes, digest, &manifest.media_type, false);
        let config_type = manifest.config.as_ref().map(|config| config.media_type.clone());
        let fact = ManifestFact {
            digest: fetched.digest.clone(),
            media_type: manifest.media_type,
            size_bytes: fetched.bytes.len() as u64,
            artifact_type: manifest.artifact_type.or(config_type),
            config: manifest.config,
            children: manifest.children,
            subject: manifest.subject.map(|subject| subject.digest),
            origin: self.origin(),
            pushed_at: self.inner.clock.now(),
            last_pulled_at: None,
            storage: Storage::default(),
        };
        let fetched = Imported { manifest: Arc::new(stored), served: Served::Miss };
        self.record(fact, fetched, settings).await
    }

    /// Records a manifest whose bytes are here, and the tag it was asked by; then it is served,
    /// unless the tag may not move to it.
    async fn record(
        &self,
        mut manifest: ManifestFact,
        imported: Imported,
        settings: &RepositorySettings,
    ) -> Result<Imported, PullError> {
        manifest.pushed_at = self.inner.clock.now();
        manifest.origin = self.origin();
        let tag = match &self.reference {
            Reference::Tag(tag) => Some(tag.clone()),
            Reference::Digest(_) => None,
        };
        let (repository, settings) = (self.repository.clone(), settings.clone());
        let new = NewManifest { repository, manifest, tag, restores: false, settings };
        match self.inner.metadata.record_manifest(&self.registry, &new).await {
            Ok(_) => {
                self.forget_tag();
                Ok(imported)
            }
            // The tag names it upstream by now; what it named here stays.
            Err(metadata::Error::Archived) => Err(self.archived()),
            Err(metadata::Error::TagImmutable { digest }) => self.keep(digest).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Serves what a tag names that may not move, whatever its upstream says by now: an immutable
    /// tag is not updated by a pull (User Guide, "Using pull through cache rules").
    async fn keep(&self, held: Digest) -> Result<Imported, PullError> {
        let (inner, registry, repository) = (&self.inner, &self.registry, &self.repository);
        if let Reference::Tag(tag) = &self.reference {
            let now = inner.clock.now();
            match inner.metadata.refresh_tag(registry, repository, tag, &held, now).await {
                Ok(()) | Err(metadata::Error::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
            self.forget_tag();
        }
        if let Some(manifest) = inner.stored_manifest(registry, repository, &held).await? {
            return Ok(Imported { manifest, served: Served::Hit });
        }
        // Its bytes are gone: the upstream may still have them, if under another name.
        let by_digest = Self {
            inner: Arc::clone(inner),
            registry: registry.clone(),
            repository: repository.clone(),
            reference: Reference::Digest(held),
            matched: self.matched.clone(),
            known: None,
            servable: false,
            insists: false,
        };
        Box::pin(by_digest.run()).await
    }

    fn origin(&self) -> Origin {
        self.matched.origin()
    }

    /// What was written here must be seen here at once.
    fn forget_tag(&self) {
        if let Reference::Tag(tag) = &self.reference {
            let (registry, repository) = (self.registry.clone(), self.repository.clone());
            let change = metadata::Change::Tag(registry, repository, tag.clone());
            self.inner.hot.forget(Some(&[change]));
        }
    }

    pub(crate) fn failed(&self, target: &Target, error: Arc<upstream::Error>) -> PullError {
        self.inner.note(target, &error);
        match &*error {
            upstream::Error::NotFound { host } => PullError::ManifestUnknown {
                repository: self.repository.clone(),
                reference: self.reference.clone(),
                upstream: Some(host.clone()),
            },
            _ => PullError::Upstream(error),
        }
    }

    fn back_off(&self, error: &PullError) {
        let retry_after = match error {
            // What was not asked was not refused; the budget is looked at each time.
            PullError::Upstream(error) if is_unasked(error) => return,
            // Who waited is a reason of its own: the next one may come by another way.
            PullError::Upstream(error) if matches!(**error, upstream::Error::Circle { .. }) => {
                return;
            }
            PullError::Upstream(error) if error.is_alive() || is_about_content(error) => {
                match &**error {
                    upstream::Error::RateLimited { retry_after, .. } => *retry_after,
                    _ => None,
                }
            }
            PullError::ManifestUnknown { .. } | PullError::BadManifest { .. } => None,
            _ => return,
        };
        let wait = retry_after.unwrap_or(BACKOFF).min(BACKOFF_MAX);
        let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let until = Timestamp(self.inner.clock.now().0.saturating_add(wait));
        let identity = self.inner.known_identity(&self.registry, &self.matched);
        let refused = Refused { until, booked: Arc::clone(&self.matched.booked), identity };
        let key = (self.registry.clone(), self.repository.clone(), self.reference.clone());
        self.inner.backoff.0.insert(key, refused);
    }
}

impl Match {
    /// Says where content that comes through this rule comes from.
    pub(crate) fn origin(&self) -> Origin {
        let rule = self.rule();
        Origin::Cached {
            rule: rule.ecr_repository_prefix.key().to_owned(),
            upstream_registry_url: rule.upstream_registry_url.clone(),
            upstream_repository: self.upstream_repository.clone(),
        }
    }
}

impl Inner {
    /// Commits bytes that are in memory. Keep the claim until the fact that names them is recorded.
    pub(crate) async fn store_bytes(
        &self,
        digest: &Digest,
        bytes: bytes::Bytes,
    ) -> Result<Claim, PullError> {
        let mut staged = self.blobs.stage(digest.algorithm()).await?;
        let appended = tokio::task::spawn_blocking(move || {
            staged.append(&bytes)?;
            Ok::<_, blobs::Error>(staged)
        });
        let staged = appended.await.map_err(|_| PullError::Abandoned)??;
        let verified = staged.verify(digest, None)?;
        let claim = self.blobs.claim(digest).await?;
        verified.commit().await?;
        Ok(claim)
    }
}
