//! Lifecycle policies in memory: images that are expired, and previews.

use std::collections::BTreeMap;

use async_trait::async_trait;
use oci::RepositoryName;

use super::{MemoryMetadata, State};
use crate::{
    CachedImage, Error, Expiry, Image, LifecyclePreview, LifecycleStore, Page, PageRequest,
    PreviewResult, PreviewStatus, RegistryId, Repository, Timestamp,
};

/// A preview and its pages.
#[derive(Debug)]
pub(super) struct Tried {
    preview: LifecyclePreview,
    pages: BTreeMap<u32, Vec<PreviewResult>>,
}

#[async_trait]
impl LifecycleStore for MemoryMetadata {
    async fn lifecycle_due(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(RegistryId, Repository)>, Error> {
        Ok(self.state().lifecycle_due(before, limit))
    }

    async fn cached_images(&self, page: &PageRequest) -> Result<Page<CachedImage>, Error> {
        Ok(self.state().cached_images(page))
    }

    async fn expire_images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        expiry: &Expiry,
    ) -> Result<Vec<Image>, Error> {
        self.state().expire_images(registry, repository, expiry)
    }

    async fn begin_preview(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        preview: &LifecyclePreview,
        given_up: Timestamp,
    ) -> Result<(), Error> {
        let mut state = self.state();
        let content = state.content_mut(registry, repository).ok_or(Error::NotFound)?;
        if content.tried.as_ref().is_some_and(|held| {
            held.preview.status == PreviewStatus::InProgress && held.preview.started_at > given_up
        }) {
            return Err(Error::AlreadyExists);
        }
        content.tried = Some(Tried { preview: preview.clone(), pages: BTreeMap::new() });
        Ok(())
    }

    async fn add_preview_page(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        started_at: Timestamp,
        page: u32,
        results: &[PreviewResult],
    ) -> Result<(), Error> {
        let mut state = self.state();
        let held = state.tried(registry, repository, started_at)?;
        held.pages.insert(page, results.to_vec());
        Ok(())
    }

    async fn end_preview(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        preview: &LifecyclePreview,
    ) -> Result<(), Error> {
        let mut state = self.state();
        state.tried(registry, repository, preview.started_at)?.preview = preview.clone();
        Ok(())
    }

    async fn preview(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
    ) -> Result<LifecyclePreview, Error> {
        let state = self.state();
        let held = state.content(registry, repository)?.tried.as_ref();
        held.map(|held| held.preview.clone()).ok_or(Error::NotFound)
    }

    async fn preview_page(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: u32,
    ) -> Result<Vec<PreviewResult>, Error> {
        let state = self.state();
        let held = state.content(registry, repository).ok();
        let held = held.and_then(|content| content.tried.as_ref()?.pages.get(&page));
        Ok(held.cloned().unwrap_or_default())
    }
}

impl State {
    fn tried(
        &mut self,
        registry: &RegistryId,
        repository: &RepositoryName,
        started_at: Timestamp,
    ) -> Result<&mut Tried, Error> {
        let held = self.content_mut(registry, repository).and_then(|held| held.tried.as_mut());
        held.filter(|held| held.preview.started_at == started_at).ok_or(Error::NotFound)
    }

    fn lifecycle_due(&self, before: Timestamp, limit: usize) -> Vec<(RegistryId, Repository)> {
        let evaluated_at =
            |held: &Repository| held.settings.lifecycle_evaluated_at.unwrap_or(Timestamp(0));
        let mut due: Vec<_> = self
            .registries
            .iter()
            .flat_map(|(registry, facts)| {
                facts.repositories.values().map(move |held| (registry, &held.repository))
            })
            .filter(|(_, held)| {
                held.settings.lifecycle_policy.is_some() && evaluated_at(held) < before
            })
            .map(|(registry, held)| (registry.clone(), held.clone()))
            .collect();
        due.sort_by_key(|(_, held)| evaluated_at(held));
        due.truncate(limit);
        due
    }

    fn cached_images(&self, page: &PageRequest) -> Page<CachedImage> {
        let key = |cached: &CachedImage| {
            let CachedImage { registry, repository, image } = cached;
            let (used_at, digest) = (image.used_at().0, &image.manifest.digest);
            // Moments before 1970 are none; the zeros keep numbers in order.
            format!("{used_at:020} {} {} {repository} {digest}", registry.account, registry.region)
        };
        let mut cached: Vec<_> = self
            .registries
            .iter()
            .flat_map(|(registry, facts)| {
                facts.repositories.values().map(move |content| (registry, content))
            })
            .flat_map(|(registry, content)| {
                content.cached_images().into_iter().map(move |image| CachedImage {
                    registry: registry.clone(),
                    repository: content.repository.name.clone(),
                    image,
                })
            })
            .collect();
        cached.sort_by_cached_key(key);
        let rest = cached.into_iter().filter(|cached| key(cached).as_str() > page.start());
        Page::take_by(page, rest, key)
    }

    fn expire_images(
        &mut self,
        registry: &RegistryId,
        repository: &RepositoryName,
        expiry: &Expiry,
    ) -> Result<Vec<Image>, Error> {
        let held = &self.content(registry, repository)?.repository.settings;
        if expiry.policy.is_some() && held.lifecycle_policy != expiry.policy {
            return Err(Error::NotFound);
        }
        let mut expired = Vec::new();
        for expiring in &expiry.images {
            let content = self.content(registry, repository)?;
            let Ok(image) = content.image(&expiring.digest) else { continue };
            let Image { manifest, tags } = &image;
            let is_same = *tags == expiring.tags
                && manifest.pushed_at == expiring.pushed_at
                && manifest.last_pulled_at == expiring.last_pulled_at;
            let has_subject =
                manifest.subject.as_ref().is_some_and(|subject| content.manifest(subject).is_ok());
            let is_tagged_since = tags.iter().any(|tag| {
                content.tag(tag).is_ok_and(|fact| fact.updated_at >= expiry.evaluated_at)
            });
            let is_part = content.parent_of(&expiring.digest).is_some();
            if is_same && !has_subject && !is_tagged_since && !is_part {
                expired.push(self.delete_manifest(registry, repository, &expiring.digest)?);
            }
        }
        Ok(expired)
    }
}
