//! When images were last pulled, remembered in memory and written in batches.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use metadata::{Pull, RegistryId, Timestamp};
use oci::{Digest, RepositoryName};

use crate::{chain, hot::ContentKey, registry::Inner};

/// How many images are remembered between two batches; pulls of more are not recorded.
const REMEMBERED_MAX: usize = 100_000;

/// Pulls since the last batch.
#[derive(Debug, Default)]
pub(crate) struct Pulls(Mutex<HashMap<ContentKey, Timestamp>>);

impl Pulls {
    pub(crate) fn remember(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
        at: Timestamp,
    ) {
        let mut pulls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (registry.clone(), repository.clone(), digest.clone());
        if pulls.len() < REMEMBERED_MAX || pulls.contains_key(&key) {
            pulls.insert(key, at);
        }
    }

    fn take(&self) -> Vec<Pull> {
        let pulls = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        pulls
            .into_iter()
            .map(|((registry, repository, digest), at)| Pull { registry, repository, digest, at })
            .collect()
    }
}

impl Inner {
    /// Writes the pulls since the last batch.
    pub(crate) async fn flush_pulls(&self) {
        let pulls = self.pulls.take();
        if pulls.is_empty() {
            return;
        }
        if let Err(error) = self.metadata.record_pulls(&pulls).await {
            tracing::warn!(error = chain(&error), "times of {} pulls are lost", pulls.len());
        }
    }
}
