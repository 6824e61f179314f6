//! Lifecycle policies in memory: what becomes of images by them, and previews.

use std::collections::BTreeMap;

use async_trait::async_trait;
use oci::RepositoryName;

use super::{MemoryMetadata, State, content::Content};
use crate::{
    CachedImage, Error, Image, LifecyclePreview, LifecycleStore, ManifestFact, Marked, MarkedImage,
    Page, PageRequest, PreviewResult, PreviewStatus, RegistryId, Repository, StorageClass,
    Timestamp,
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
        marked: &Marked,
    ) -> Result<Vec<Image>, Error> {
        self.state().carry_out(registry, repository, marked, None)
    }

    async fn archive_images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        marked: &Marked,
        at: Timestamp,
    ) -> Result<Vec<Image>, Error> {
        self.state().carry_out(registry, repository, marked, Some(at))
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

    /// Expires the images that a policy marks, or archives them at a moment.
    fn carry_out(
        &mut self,
        registry: &RegistryId,
        repository: &RepositoryName,
        marked: &Marked,
        archived_at: Option<Timestamp>,
    ) -> Result<Vec<Image>, Error> {
        let held = &self.content(registry, repository)?.repository.settings;
        if marked.policy.is_some() && held.lifecycle_policy != marked.policy {
            return Err(Error::NotFound);
        }
        let mut gone = Vec::new();
        for expected in &marked.images {
            let content = self.content(registry, repository)?;
            let Ok(image) = content.image(&expected.digest) else { continue };
            let is_tagged_since = image.tags.iter().any(|tag| {
                content.tag(tag).is_ok_and(|fact| fact.updated_at >= marked.evaluated_at)
            });
            let is_archival = archived_at.is_some();
            let stays = is_changed(&image, expected)
                || content.keeps_image(&image.manifest, is_archival)
                || is_tagged_since;
            let digest = &expected.digest;
            match archived_at {
                _ if stays => {}
                None => gone.push(self.delete_manifest(registry, repository, digest)?),
                Some(at) => {
                    let class = StorageClass::Archive;
                    gone.extend(self.carry(registry, repository, digest, class, at)?);
                }
            }
        }
        Ok(gone)
    }
}

/// Tells whether an image is not what it was when it was evaluated.
fn is_changed(image: &Image, expected: &MarkedImage) -> bool {
    let Image { manifest, tags } = image;
    *tags != expected.tags
        || manifest.pushed_at != expected.pushed_at
        || manifest.last_pulled_at != expected.last_pulled_at
        || manifest.storage != expected.storage
}

impl Content {
    /// Tells whether another manifest keeps an image: one that names it as its part, or its
    /// subject. Only an active one keeps it out of the archive.
    fn keeps_image(&self, manifest: &ManifestFact, is_archival: bool) -> bool {
        let parent = match is_archival {
            true => self.active_parent(&manifest.digest),
            false => self.parent_of(&manifest.digest),
        };
        let subject = manifest.subject.as_ref().and_then(|subject| self.manifest(subject).ok());
        parent.is_some()
            || subject.is_some_and(|subject| !is_archival || !subject.storage.is_archived)
    }
}
