//! Storage classes in memory.

use async_trait::async_trait;
use oci::{Digest, RepositoryName, media_type};

use super::{MemoryMetadata, State, content::Content};
use crate::{
    ArchiveStore, Change, Error, Image, Link, ManifestFact, Page, PageRequest, RegistryId,
    StorageClass, Timestamp,
};

#[async_trait]
impl ArchiveStore for MemoryMetadata {
    async fn move_image(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
        class: StorageClass,
        at: Timestamp,
    ) -> Result<Vec<Image>, Error> {
        let mut state = self.state();
        let content = state.content(registry, repository)?;
        let held = content.manifest(digest)?;
        if class == StorageClass::Archive {
            if held.storage.is_archived {
                return Ok(Vec::new());
            }
            if let Some(parent) = content.active_parent(digest) {
                return Err(Error::Referenced { parent });
            }
        }
        state.carry(registry, repository, digest, class, at)
    }

    async fn archived_images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Image>, Error> {
        let state = self.state();
        let Ok(content) = state.content(registry, repository) else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let archived = content
            .facts()
            .filter(|fact| fact.storage.is_archived && fact.digest.as_str() > page.start());
        let images = archived.filter_map(|fact| content.image(&fact.digest).ok());
        Ok(Page::take(page, images, |image| image.manifest.digest.as_str()))
    }

    async fn is_link_archived(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        link: &Link,
    ) -> Result<bool, Error> {
        let state = self.state();
        let Ok(content) = state.content(registry, repository) else { return Ok(false) };
        let is_held = content.active_parent(&link.digest).is_none()
            && content.parents(&link.digest).any(|parent| {
                parent.storage.archived_at.is_some_and(|archived_at| archived_at >= link.linked_at)
            });
        Ok(is_held)
    }
}

impl Content {
    fn parents(&self, child: &Digest) -> impl Iterator<Item = &ManifestFact> {
        self.facts().filter(move |fact| fact.references().any(|part| part.digest == *child))
    }

    /// Returns a manifest that is not archived and names `child`.
    pub(super) fn active_parent(&self, child: &Digest) -> Option<Digest> {
        let mut active = self.parents(child).filter(|parent| !parent.storage.is_archived);
        active.next().map(|parent| parent.digest.clone())
    }

    /// Returns what moves with a manifest, as far as it is in the other class.
    fn belonging(&self, manifest: &ManifestFact, class: StorageClass) -> Vec<Digest> {
        let goes = |digest: &Digest| {
            self.image(digest).is_ok_and(|Image { manifest: held, tags }| {
                let is_kept = class == StorageClass::Archive
                    && (!tags.is_empty() || self.active_parent(digest).is_some());
                held.storage.class() != class && !is_kept
            })
        };
        let is_index = media_type::is_index(&manifest.media_type);
        let parts = manifest.children.iter().filter(|_| is_index).map(|part| &part.digest);
        let refers = |held: &&ManifestFact| {
            held.subject.as_ref() == Some(&manifest.digest) && held.storage.class() != class
        };
        let referrers = self.facts().filter(refers).map(|held| &held.digest);
        parts.filter(|digest| goes(digest)).chain(referrers).cloned().collect()
    }
}

impl State {
    /// Moves an image and what belongs to it; returns those that moved.
    pub(super) fn carry(
        &mut self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
        class: StorageClass,
        at: Timestamp,
    ) -> Result<Vec<Image>, Error> {
        let (mut moved, mut waiting) = (Vec::new(), vec![digest.clone()]);
        while let Some(digest) = waiting.pop() {
            let content = self.content_mut(registry, repository).ok_or(Error::NotFound)?;
            let Some(fact) = content.fact_mut(&digest) else { continue };
            let moves = fact.storage.class() != class;
            if moves {
                fact.storage = fact.storage.moved(class, at);
            }
            let image = content.image(&digest)?;
            // After the move: what an archived index alone names goes with it.
            waiting.extend(content.belonging(&image.manifest, class));
            if moves {
                let of = || (registry.clone(), repository.clone());
                let (registry, repository) = of();
                self.history.record(Change::Manifest(registry, repository, digest));
                for part in image.manifest.blobs() {
                    let (registry, repository) = of();
                    let link = Change::Link(registry, repository, part.digest.clone());
                    self.history.record(link);
                }
                moved.push(image);
            }
        }
        Ok(moved)
    }
}
