//! Registries that lean on one another, and whether they do so in a circle.
//!
//! A rule may lead to another server whose rules lead back. Each question goes on with the names of
//! those who wait for it ([`Trail`]), and one that comes back to where it was is refused at once. A
//! name stands for one repository of one upstream, as a registry here sees it: another repository of
//! the same server, or of another account there, is no circle. Names are made with the keyring, so
//! that every replica knows them again and nobody else learns anything from them.

use std::{sync::Arc, time::Duration};

use metadata::RegistryId;
use oci::{Reference, RepositoryName};
use upstream::{Error, Trail};

use crate::{Caller, Match, PullError, Registry, registry::Inner};

/// How many registries may lean on one another. Prefixes can make every name of a circle a new one.
pub(crate) const HOPS_MAX: usize = 8;

/// How long a registry that is asked by another one waits before it looks whether it waits for itself.
const ASK_AFTER: Duration = Duration::from_secs(2);

impl Registry {
    /// Returns a handle whose questions are asked on behalf of registries that wait for the answer.
    #[must_use]
    pub fn asked_by(&self, trail: Trail) -> Self {
        Self { inner: Arc::clone(&self.inner), trail }
    }

    /// As [`Inner::admit_pull`], for whoever waits; refuses what came here before.
    pub(crate) async fn admit_pull(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
    ) -> Result<Option<Match>, PullError> {
        let matched = self.inner.admit_pull(caller, repository).await?;
        matched.map(|matched| self.follow(&caller.registry, matched)).transpose()
    }

    /// Has what is asked under a rule asked on behalf of whoever waits.
    ///
    /// # Errors
    /// That it leads in a circle.
    pub(crate) fn follow(&self, registry: &RegistryId, matched: Match) -> Result<Match, PullError> {
        if self.trail.is_empty() {
            return Ok(matched);
        }
        let reason = if self.trail.has(&self.inner.step(registry, &matched)) {
            "the question came back to where it was"
        } else if self.trail.len() >= HOPS_MAX {
            "the question came through too many registries"
        } else {
            return Ok(Match { trail: self.trail.clone(), ..matched });
        };
        let host = matched.rule().upstream_registry_url.clone();
        let error = Error::Circle { host, reason: reason.to_owned() };
        Err(PullError::Upstream(Arc::new(error)))
    }
}

impl Inner {
    /// Comes back when what is waited for leads in a circle, and never else. Two pulls that enter a
    /// circle at two of its ends in the same moment begin one flight each, and then join each other's:
    /// neither question says that both wait. So whoever waits behind another registry for a while
    /// asks once more, on his own behalf, by a HEAD.
    pub(crate) async fn circle_found(
        &self,
        registry: &RegistryId,
        matched: &Match,
        wanted: &Reference,
        is_blob: bool,
    ) -> PullError {
        if matched.trail.is_empty() {
            return std::future::pending().await;
        }
        tokio::time::sleep(ASK_AFTER).await;
        if let Ok(target) = self.target(registry, matched).await {
            let asked = match wanted {
                Reference::Digest(digest) if is_blob => {
                    self.upstream.stat_blob(&target, digest).await.map(drop)
                }
                reference => self.upstream.stat_manifest(&target, reference).await.map(drop),
            };
            if let Err(error @ Error::Circle { .. }) = asked {
                return PullError::Upstream(Arc::new(error));
            }
        }
        std::future::pending().await
    }

    /// Names what a registry of this server asks for under a rule.
    pub(crate) fn step(&self, registry: &RegistryId, matched: &Match) -> String {
        let parts = [
            "via",
            registry.account.as_str(),
            registry.region.as_str(),
            &matched.rule().upstream_registry_url,
            &matched.upstream_repository,
        ];
        self.keyring.fingerprint(&parts.map(str::as_bytes))
    }
}
