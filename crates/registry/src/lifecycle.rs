//! Lifecycle policies, evaluated and carried out.
//!
//! Pure evaluation is in [`evaluation`]; here the images are read, and what is to be expired or
//! archived is handed to the store in batches, with what was known of each: the store takes only
//! what still is so.
//! Bytes are freed by the collection (see [`collect`](crate::collect)), not here.

mod evaluation;
mod preview;

use std::collections::HashMap;

use metadata::{
    Change, Image, Marked, MarkedImage, PageRequest, RegistryId, Repository, Timestamp,
};
use oci::{Digest, RepositoryName};

pub(crate) use self::evaluation::{Candidate, Verdict, evaluate};
pub use self::preview::{LifecyclePreviewView, PreviewState, PreviewedImages};
use crate::{
    Counter, Registry, SettingError, archive, chain,
    registry::Inner,
    repositories::lifecycle::{self, Action},
};

/// How many images are read, and how many deleted or archived, in one transaction.
const READ_AT_ONCE: usize = 1000;
const MARKED_AT_ONCE: usize = 100;
/// How many repositories are looked for at once.
const DUE_AT_ONCE: usize = 20;

impl Registry {
    /// Evaluates every lifecycle policy that is due, and carries it out, as the registry itself
    /// does from time to time.
    pub async fn evaluate_lifecycle_policies(&self) {
        self.inner.evaluate_due().await;
    }
}

impl Inner {
    /// Evaluates policies until none is due. One round at a time.
    pub(crate) async fn evaluate_due(&self) {
        let Ok(_turn) = self.upkeep.evaluation.try_lock() else { return };
        // A pull that is only remembered in memory counts too.
        self.flush_pulls().await;
        let interval_ms = self.settings.lifecycle_interval.as_millis();
        let interval_ms = i64::try_from(interval_ms).unwrap_or(i64::MAX);
        let before = Timestamp(self.clock.now().0.saturating_sub(interval_ms).max(1));
        loop {
            let due = match self.metadata.lifecycle_due(before, DUE_AT_ONCE).await {
                Ok(due) => due,
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(error, "lifecycle policies that are due cannot be looked for");
                    return;
                }
            };
            if due.is_empty() {
                return;
            }
            for (registry, repository) in due {
                if self.upkeep.is_closing() {
                    return;
                }
                if let Err(error) = self.carry_out_policy(&registry, &repository).await {
                    let error = chain(&error);
                    let name = &repository.name;
                    tracing::warn!(%registry, repository = %name, error,
                        "the lifecycle policy of {name} is tried again later");
                    return;
                }
            }
        }
    }

    /// Evaluates a repository's policy, does what it says, and records that it did.
    async fn carry_out_policy(
        &self,
        registry: &RegistryId,
        repository: &Repository,
    ) -> Result<(), SettingError> {
        let Some(text) = &repository.settings.lifecycle_policy else { return Ok(()) };
        let (name, evaluated_at) = (&repository.name, self.clock.now());
        match lifecycle::parse(text) {
            Ok(policy) => {
                let candidates = match self.candidates(registry, name).await {
                    Ok(candidates) => candidates,
                    // Deleted meanwhile.
                    Err(metadata::Error::NotFound) => return Ok(()),
                    Err(error) => return Err(error.into()),
                };
                let verdicts = evaluate(&policy, &candidates, evaluated_at);
                let whole = Evaluated { registry, name, text, evaluated_at, candidates, verdicts };
                self.expire(&whole).await?;
                self.archive(&whole).await?;
            }
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(%registry, repository = %name, error,
                    "the lifecycle policy of {name} does nothing");
            }
        }
        if self.upkeep.is_closing() {
            return Ok(());
        }
        self.counters.increment(Counter::LifecycleEvaluations);
        let change = |settings: &mut metadata::RepositorySettings| {
            if settings.lifecycle_policy.as_ref() == Some(text) {
                settings.lifecycle_evaluated_at = Some(evaluated_at);
            }
            Ok(())
        };
        match self.change_repository(registry, name, change).await {
            Ok(_) | Err(SettingError::RepositoryNotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reads what matters of every image of a repository.
    pub(crate) async fn candidates(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
    ) -> Result<Vec<Candidate>, metadata::Error> {
        let mut page = PageRequest::first(READ_AT_ONCE);
        let mut candidates = Vec::new();
        loop {
            let found = self.metadata.images(registry, name, &page).await?;
            candidates.extend(found.items.into_iter().map(Candidate::from));
            page.after = found.next;
            if page.after.is_none() {
                return Ok(candidates);
            }
        }
    }

    /// Deletes what a policy expires, the oldest first, each with what refers to it.
    async fn expire(&self, whole: &Evaluated<'_>) -> Result<(), metadata::Error> {
        let Evaluated { registry, name, candidates, .. } = whole;
        for batch in batches(candidates, whole.marked(Action::Expire)) {
            if self.upkeep.is_closing() {
                return Ok(());
            }
            let batch = whole.batch(&batch);
            let gone = match self.metadata.expire_images(registry, name, &batch).await {
                Ok(gone) => gone,
                // The policy was changed, or the repository deleted: its word is over.
                Err(metadata::Error::NotFound) => return Ok(()),
                Err(error) => return Err(error),
            };
            for Image { manifest, tags } in &gone {
                self.counters.increment(Counter::ImagesExpired);
                let tags: Vec<_> = tags.iter().map(ToString::to_string).collect();
                let (digest, tags) = (&manifest.digest, tags.join(" "));
                tracing::info!(%registry, repository = %name, %digest, tags,
                    "expired {name}@{digest} by its lifecycle policy");
            }
            self.hot.forget(Some(&changes(registry, name, &gone)));
        }
        Ok(())
    }

    /// Archives what a policy moves to the archive, the oldest first, each with what belongs to it.
    async fn archive(&self, whole: &Evaluated<'_>) -> Result<(), metadata::Error> {
        let Evaluated { registry, name, .. } = whole;
        let places: Vec<usize> = whole.marked(Action::Transition).collect();
        for places in places.chunks(MARKED_AT_ONCE) {
            if self.upkeep.is_closing() {
                return Ok(());
            }
            let (batch, at) = (whole.batch(places), self.clock.now());
            let moved = match self.metadata.archive_images(registry, name, &batch, at).await {
                Ok(moved) => moved,
                Err(metadata::Error::NotFound) => return Ok(()),
                Err(error) => return Err(error),
            };
            for Image { manifest, tags } in &moved {
                self.counters.increment(Counter::ImagesArchived);
                let tags: Vec<_> = tags.iter().map(ToString::to_string).collect();
                let (digest, tags) = (&manifest.digest, tags.join(" "));
                tracing::info!(%registry, repository = %name, %digest, tags,
                    "archived {name}@{digest} by its lifecycle policy");
            }
            self.hot.forget(Some(&archive::changes(registry, name, &moved)));
        }
        Ok(())
    }
}

/// Images as they were when a policy was evaluated.
struct Evaluated<'a> {
    registry: &'a RegistryId,
    name: &'a RepositoryName,
    text: &'a str,
    evaluated_at: Timestamp,
    candidates: Vec<Candidate>,
    verdicts: Vec<Verdict>,
}

impl Evaluated<'_> {
    /// The places of the images that an action is for, the oldest first.
    fn marked(&self, action: Action) -> impl Iterator<Item = usize> {
        let marked = self.verdicts.iter().filter(move |verdict| verdict.action == action);
        marked.map(|verdict| verdict.place)
    }

    fn batch(&self, places: &[usize]) -> Marked {
        Marked {
            policy: Some(self.text.to_owned()),
            evaluated_at: self.evaluated_at,
            images: places.iter().map(|place| self.candidates[*place].marked()).collect(),
        }
    }
}

impl Candidate {
    fn marked(&self) -> MarkedImage {
        MarkedImage {
            digest: self.digest.clone(),
            tags: self.tags.clone(),
            pushed_at: self.pushed_at,
            last_pulled_at: self.last_pulled_at,
            storage: self.storage,
        }
    }
}

/// Puts the images that go into batches, each followed by what refers to it: those go together.
fn batches(candidates: &[Candidate], expired: impl Iterator<Item = usize>) -> Vec<Vec<usize>> {
    let mut referrers: HashMap<&Digest, Vec<usize>> = HashMap::new();
    for (place, candidate) in candidates.iter().enumerate() {
        if let Some(subject) = &candidate.subject {
            referrers.entry(subject).or_default().push(place);
        }
    }
    let (mut batches, mut batch) = (Vec::new(), Vec::new());
    for place in expired {
        let mut waiting = vec![place];
        while let Some(place) = waiting.pop() {
            batch.push(place);
            // Taken out: whatever names itself its own subject is met once.
            waiting.extend(referrers.remove(&candidates[place].digest).unwrap_or_default());
        }
        if batch.len() >= MARKED_AT_ONCE {
            batches.push(std::mem::take(&mut batch));
        }
    }
    batches.extend((!batch.is_empty()).then_some(batch));
    batches
}

pub(crate) fn changes(registry: &RegistryId, name: &RepositoryName, gone: &[Image]) -> Vec<Change> {
    let tag = |tag| Change::Tag(registry.clone(), name.clone(), tag);
    let manifest = |digest| Change::Manifest(registry.clone(), name.clone(), digest);
    gone.iter()
        .flat_map(|image| {
            let tags = image.tags.iter().cloned().map(tag);
            tags.chain([manifest(image.manifest.digest.clone())])
        })
        .collect()
}
