//! Previews of lifecycle policies: what one would do, evaluated in the background and kept.

use std::sync::Arc;

use metadata::{LifecyclePreview, Page, PageRequest, PreviewResult, PreviewStatus, Timestamp};
use oci::RepositoryName;

use super::{Verdict, evaluate};
use crate::{
    Caller, PolicyKind, Registry, SettingError, chain,
    registry::Inner,
    repositories::lifecycle::{self, Action, LifecyclePolicy},
};

/// Results of one page in the store.
const PAGE_RESULTS: usize = 100;
/// How long the results of a preview are good. ECR does not say when one is `EXPIRED`.
const GOOD_FOR_MS: i64 = 24 * 60 * 60 * 1000;
/// How long a preview may be in progress: its process is dead then.
const GIVEN_UP_AFTER_MS: i64 = 15 * 60 * 1000;

/// How far a preview is, as a caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviewState {
    /// The images are being evaluated.
    InProgress,
    /// Every result is there.
    Complete,
    /// It is too old to say anything about the repository.
    Expired,
    /// It came to nothing.
    Failed,
}

/// Which results are wanted: all, where none is named.
#[derive(Clone, Debug, Default)]
pub struct PreviewedImages {
    /// By tag, digest or both.
    pub images: Vec<(Option<String>, Option<String>)>,
    /// Only those with a tag, or only those without.
    pub tagged: Option<bool>,
}

/// A preview and a page of its results.
#[derive(Clone, Debug)]
pub struct LifecyclePreviewView {
    /// The text of the policy.
    pub policy: String,
    /// How far it is.
    pub state: PreviewState,
    /// How many images would be expired.
    pub expiring: u64,
    /// How many images would be moved to the archive.
    pub transitioning: u64,
    /// The results; none before the preview is complete.
    pub results: Page<PreviewResult>,
}

impl Registry {
    /// Begins to evaluate a lifecycle policy without carrying it out: the text given, else the
    /// policy of the repository. Returns the text.
    ///
    /// # Errors
    /// [`SettingError::RepositoryNotFound`]; [`SettingError::MalformedPolicy`];
    /// [`SettingError::PolicyNotFound`] where none is given and none is held;
    /// [`SettingError::PreviewInProgress`].
    pub async fn start_lifecycle_preview(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        text: Option<&str>,
    ) -> Result<String, SettingError> {
        let (inner, registry) = (&self.inner, &caller.registry);
        inner.authorize_on(caller, "ecr:StartLifecyclePolicyPreview", name)?;
        text.map(lifecycle::check).transpose()?;
        let held = inner.find_repository(registry, name).await?.settings.lifecycle_policy;
        let text = text.map(str::to_owned).or(held).ok_or_else(|| {
            let (kind, resource) = (PolicyKind::Lifecycle, name.to_string());
            SettingError::PolicyNotFound { kind, resource, registry: registry.clone() }
        })?;
        let policy = lifecycle::parse(&text)?;
        let started_at = inner.clock.now();
        let preview = LifecyclePreview {
            policy: text.clone(),
            status: PreviewStatus::InProgress,
            started_at,
            expiring: 0,
            transitioning: 0,
        };
        let given_up = Timestamp(started_at.0.saturating_sub(GIVEN_UP_AFTER_MS));
        match inner.metadata.begin_preview(registry, name, &preview, given_up).await {
            Ok(()) => {}
            Err(metadata::Error::AlreadyExists) => {
                let (repository, registry) = (name.to_string(), registry.clone());
                return Err(SettingError::PreviewInProgress { repository, registry });
            }
            Err(metadata::Error::NotFound) => {
                let (repository, registry) = (name.to_string(), registry.clone());
                return Err(SettingError::RepositoryNotFound { repository, registry });
            }
            Err(error) => return Err(error.into()),
        }
        let work =
            Work { inner: Arc::clone(inner), caller: caller.clone(), name: name.clone(), preview };
        tokio::spawn(work.run(policy));
        Ok(text)
    }

    /// Returns the last preview of a repository and a page of its results. The page is taken from
    /// those that are wanted; where images are named it is all of them.
    ///
    /// # Errors
    /// [`SettingError::RepositoryNotFound`]; [`SettingError::PreviewNotFound`];
    /// [`SettingError::Invalid`] where the page begins nowhere.
    pub async fn lifecycle_preview(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        wanted: &PreviewedImages,
        page: &PageRequest,
    ) -> Result<LifecyclePreviewView, SettingError> {
        let (inner, registry) = (&self.inner, &caller.registry);
        inner.authorize_on(caller, "ecr:GetLifecyclePolicyPreview", name)?;
        inner.find_repository(registry, name).await?;
        let preview = match inner.metadata.preview(registry, name).await {
            Ok(preview) => preview,
            Err(metadata::Error::NotFound) => {
                let (repository, registry) = (name.to_string(), registry.clone());
                return Err(SettingError::PreviewNotFound { repository, registry });
            }
            Err(error) => return Err(error.into()),
        };
        let state = state(&preview, inner.clock.now());
        let results = match state {
            PreviewState::Complete => self.results(caller, name, wanted, page).await?,
            _ => Page { items: Vec::new(), next: None },
        };
        let LifecyclePreview { policy, expiring, transitioning, .. } = preview;
        Ok(LifecyclePreviewView { policy, state, expiring, transitioning, results })
    }

    /// Walks over the stored pages from where the page wanted begins until it is full.
    async fn results(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        wanted: &PreviewedImages,
        page: &PageRequest,
    ) -> Result<Page<PreviewResult>, SettingError> {
        let start = match page.after.as_deref().map(str::parse::<u32>) {
            None => 0,
            Some(Ok(start)) => start,
            Some(Err(_)) => {
                let reason = "must be a token of a previous answer".to_owned();
                return Err(SettingError::Invalid { field: "nextToken", reason });
            }
        };
        let limit = if wanted.images.is_empty() { page.limit } else { usize::MAX };
        let page_results = PAGE_RESULTS as u32;
        let (mut number, mut skipped) = (start / page_results, start % page_results);
        let mut items = Vec::new();
        loop {
            let stored = self.inner.metadata.preview_page(&caller.registry, name, number).await?;
            if stored.is_empty() {
                return Ok(Page { items, next: None });
            }
            for (place, result) in (number * page_results..).zip(stored).skip(skipped as usize) {
                if !wanted.wants(&result) {
                    continue;
                }
                if items.len() == limit {
                    return Ok(Page { items, next: Some(place.to_string()) });
                }
                items.push(result);
            }
            (number, skipped) = (number + 1, 0);
        }
    }
}

impl PreviewedImages {
    fn wants(&self, result: &PreviewResult) -> bool {
        let is_named = self.images.is_empty()
            || self.images.iter().any(|(tag, digest)| {
                let has_tag = |tag: &String| result.tags.iter().any(|held| held.as_str() == tag);
                tag.as_ref().is_none_or(has_tag)
                    && digest.as_ref().is_none_or(|digest| result.digest.as_str() == digest)
            });
        is_named && self.tagged.is_none_or(|tagged| tagged != result.tags.is_empty())
    }
}

fn state(preview: &LifecyclePreview, now: Timestamp) -> PreviewState {
    let age_ms = now.0.saturating_sub(preview.started_at.0);
    match preview.status {
        PreviewStatus::InProgress if age_ms < GIVEN_UP_AFTER_MS => PreviewState::InProgress,
        PreviewStatus::Complete if age_ms < GOOD_FOR_MS => PreviewState::Complete,
        PreviewStatus::Complete => PreviewState::Expired,
        PreviewStatus::InProgress | PreviewStatus::Failed => PreviewState::Failed,
    }
}

/// A preview that is being evaluated.
struct Work {
    inner: Arc<Inner>,
    caller: Caller,
    name: RepositoryName,
    preview: LifecyclePreview,
}

impl Work {
    async fn run(mut self, policy: LifecyclePolicy) {
        self.preview.status = match self.evaluate(&policy).await {
            Ok(()) => PreviewStatus::Complete,
            // Another preview took its place, or the repository is gone.
            Err(metadata::Error::NotFound) => return,
            Err(error) => {
                self.failed(&error);
                PreviewStatus::Failed
            }
        };
        let (registry, name) = (&self.caller.registry, &self.name);
        match self.inner.metadata.end_preview(registry, name, &self.preview).await {
            Ok(()) | Err(metadata::Error::NotFound) => {}
            Err(error) => self.failed(&error),
        }
    }

    async fn evaluate(&mut self, policy: &LifecyclePolicy) -> Result<(), metadata::Error> {
        let (inner, registry) = (&self.inner, &self.caller.registry);
        // A pull that is only remembered in memory counts too.
        inner.flush_pulls().await;
        let candidates = inner.candidates(registry, &self.name).await?;
        let verdicts = evaluate(policy, &candidates, self.preview.started_at);
        let result = |verdict: &Verdict| {
            let candidate = &candidates[verdict.place];
            PreviewResult {
                digest: candidate.digest.clone(),
                tags: candidate.tags.clone(),
                pushed_at: candidate.pushed_at,
                priority: verdict.priority,
                is_transition: verdict.action == Action::Transition,
                is_archived: candidate.storage.is_archived,
            }
        };
        for (number, verdicts) in (0..).zip(verdicts.chunks(PAGE_RESULTS)) {
            let results: Vec<_> = verdicts.iter().map(result).collect();
            let at = self.preview.started_at;
            inner.metadata.add_preview_page(registry, &self.name, at, number, &results).await?;
        }
        let is_expired = |verdict: &&Verdict| verdict.action == Action::Expire;
        self.preview.expiring = verdicts.iter().filter(is_expired).count() as u64;
        self.preview.transitioning = verdicts.len() as u64 - self.preview.expiring;
        Ok(())
    }

    fn failed(&self, error: &metadata::Error) {
        tracing::warn!(
            registry = %self.caller.registry,
            repository = %self.name,
            error = chain(error),
            "a lifecycle policy preview of {} failed", self.name
        );
    }
}
