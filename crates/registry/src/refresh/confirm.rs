//! Having a tag confirmed by its upstream, as cheaply as it lets.
//!
//! A HEAD first: it moves no manifest, and Docker Hub does not count it. An upstream that answers
//! none with a digest (it does not speak HEAD, leaves the digest out, or says 404 of what it has) is
//! asked for the manifest unless it is the one that is held, and from then on so at once. A 404 to a
//! HEAD is believed once the upstream has shown that it speaks HEAD.

use std::{sync::Arc, time::Duration};

use metadata::RepositorySettings;
use moka::sync::Cache;
use oci::{Digest, Reference};
use upstream::{Allowance, Demand, FetchedManifest, Target};

use super::{ImportWork, Imported};
use crate::{PullError, Served, clock::system_time, hot::StoredManifest, registry::Inner};

/// How many upstreams' ways are remembered; one that is forgotten costs a question.
const REMEMBERED_MAX: u64 = 4096;
/// How long. An upstream may learn to speak HEAD.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// What a question costs an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// Some count it, some do not.
    Head,
    /// Everybody counts it.
    Get,
}

/// What an upstream's answers to HEAD are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    /// It says what a tag names.
    Speaks,
    /// It says nothing of use.
    Mute,
}

/// What is known of upstreams' answers to HEAD, by address.
#[derive(Debug)]
pub(crate) struct Heads(Cache<String, Head>);

impl Default for Heads {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(REMEMBERED_MAX).time_to_live(LIFE).build())
    }
}

impl Heads {
    /// Tells whether a HEAD would say nothing.
    pub(crate) fn is_mute(&self, address: &str) -> bool {
        self.0.get(address) == Some(Head::Mute)
    }

    fn speaks(&self, address: &str) {
        self.0.insert(address.to_owned(), Head::Speaks);
    }

    /// A HEAD said nothing. One odd answer of an upstream that spoke is not held against it.
    fn said_nothing(&self, address: &str) {
        match self.0.get(address) {
            Some(Head::Speaks) => self.0.invalidate(address),
            _ => self.0.insert(address.to_owned(), Head::Mute),
        }
    }
}

/// What a HEAD came to.
pub(super) enum Confirmation {
    /// The tag names what is here.
    Here(Imported),
    /// It names something else.
    Moved,
    /// It did not say: only a GET can tell whether the tag still names this.
    Unsaid {
        /// What is here.
        held: Arc<StoredManifest>,
        /// Whether it said 404, which may be all that it knows of HEAD.
        is_404: bool,
    },
}

impl ImportWork {
    /// Leaves an upstream alone whose budget is short, where something is cached that can be served
    /// instead: what is left is for what is not.
    pub(super) fn spare(&self, target: &Target, cost: Cost) -> Result<(), PullError> {
        if !self.servable {
            return Ok(());
        }
        match self.inner.upstream.allowance(target, Demand::Manifests) {
            Allowance::Short { until, head_is_free } if cost == Cost::Get || !head_is_free => {
                let host = self.matched.rule().upstream_registry_url.clone();
                let retry_after = until.duration_since(system_time(self.inner.clock.now())).ok();
                let error = upstream::Error::RateLimited { host, retry_after, was_asked: false };
                Err(PullError::Upstream(Arc::new(error)))
            }
            _ => Ok(()),
        }
    }

    /// Asks by HEAD what a tag names now, where the upstream says so.
    pub(super) async fn confirm(
        &self,
        target: &Target,
        known: &Digest,
        settings: &RepositorySettings,
    ) -> Result<Confirmation, PullError> {
        let inner = &self.inner;
        let held = inner.stored_manifest(&self.registry, &self.repository, known).await?;
        let unsaid = |is_404| match held {
            Some(held) => Confirmation::Unsaid { held, is_404 },
            None => Confirmation::Moved,
        };
        let address = inner.address(target);
        if inner.heads.is_mute(&address) {
            return Ok(unsaid(false));
        }
        self.spare(target, Cost::Head)?;
        let stat = match inner.upstream.stat_manifest(target, &self.reference).await {
            Ok(stat) => stat,
            Err(upstream::Error::Status { status: 400 | 405 | 501, .. }) => {
                inner.heads.said_nothing(&address);
                return Ok(unsaid(false));
            }
            Err(upstream::Error::NotFound { .. }) if inner.heads.0.get(&address).is_none() => {
                return Ok(unsaid(true));
            }
            Err(error) => return Err(self.failed(target, Arc::new(error))),
        };
        inner.circuits.succeeded(&target.registry_url);
        let Some(digest) = stat.digest else {
            inner.heads.said_nothing(&address);
            return Ok(unsaid(false));
        };
        inner.heads.speaks(&address);
        self.take(digest, known, settings).await
    }

    /// Takes what the upstream says a tag names, where it is here.
    async fn take(
        &self,
        digest: Digest,
        known: &Digest,
        settings: &RepositorySettings,
    ) -> Result<Confirmation, PullError> {
        let (inner, registry, repository) = (&self.inner, &self.registry, &self.repository);
        let stored = inner.stored_manifest(registry, repository, &digest).await?;
        let Some(manifest) = stored else { return Ok(Confirmation::Moved) };
        if digest == *known {
            return self.confirmed(manifest).await.map(Confirmation::Here);
        }
        // The row may go before it is recorded anew; the bytes must not.
        let claim = inner.blobs.claim(&digest).await?;
        if claim.stored_bytes().is_none() {
            return Ok(Confirmation::Moved);
        }
        let fact = inner.metadata.manifest(registry, repository, &digest).await?;
        let here = Imported { manifest, served: Served::Revalidated };
        self.record(fact, here, settings).await.map(Confirmation::Here)
    }

    /// Fetches what a tag names, unless it is what is held; learns what a 404 to a HEAD is worth.
    pub(super) async fn fetch_unless(
        &self,
        target: &Target,
        held: &StoredManifest,
        is_404: bool,
    ) -> Result<Option<Arc<FetchedManifest>>, PullError> {
        let fetched = self.share(target, Some(held.digest.clone())).await;
        if is_404 {
            let (address, heads) = (self.inner.address(target), &self.inner.heads);
            match &fetched {
                Ok(_) => heads.said_nothing(&address),
                Err(PullError::ManifestUnknown { .. }) => heads.speaks(&address),
                Err(_) => {}
            }
        }
        fetched
    }

    /// Takes note that a tag still names what is here.
    pub(super) async fn confirmed(
        &self,
        manifest: Arc<StoredManifest>,
    ) -> Result<Imported, PullError> {
        if let Reference::Tag(tag) = &self.reference {
            let (metadata, now) = (&self.inner.metadata, self.inner.clock.now());
            let (registry, repository) = (&self.registry, &self.repository);
            match metadata.refresh_tag(registry, repository, tag, &manifest.digest, now).await {
                // Moved or removed meanwhile by somebody else: their word is newer than this.
                Ok(()) | Err(metadata::Error::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
            self.forget_tag();
        }
        Ok(Imported { manifest, served: Served::Revalidated })
    }
}

impl Inner {
    /// Tells whether the upstream of a target says nothing to a HEAD.
    pub(crate) fn is_mute(&self, target: &Target) -> bool {
        self.heads.is_mute(&self.address(target))
    }
}
