//! Repositories, manifests, tags and links in memory.

use async_trait::async_trait;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Unbounded},
};

use oci::{Digest, RepositoryName, Tag, media_type};

use super::{MemoryMetadata, State, lifecycle::Tried};
use crate::{
    Change, Error, HeldParts, Image, Link, LinkStore, ManifestFact, ManifestStore, NewLink,
    NewManifest, Origin, Page, PageRequest, Pull, RegistryId, Repository, Storage, StorageClass,
    TagFact, TagStore, Timestamp,
};

#[async_trait]
impl LinkStore for MemoryMetadata {
    async fn record_links(&self, links: &[NewLink]) -> Result<(), Error> {
        self.state().record_links(links);
        Ok(())
    }

    async fn link(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Link, Error> {
        self.state().content(registry, repository)?.link(digest)
    }

    async fn linked_in(
        &self,
        registry: &RegistryId,
        digest: &Digest,
        limit: usize,
    ) -> Result<Vec<RepositoryName>, Error> {
        Ok(self.state().linked_in(registry, digest, limit))
    }

    async fn delete_link(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Link, Error> {
        self.state().delete_link(registry, repository, digest)
    }
}

#[async_trait]
impl TagStore for MemoryMetadata {
    async fn tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<TagFact, Error> {
        self.state().content(registry, repository)?.tag(tag)
    }

    async fn refresh_tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
        checked_at: Timestamp,
    ) -> Result<(), Error> {
        self.state().refresh_tag(registry, repository, tag, digest, checked_at)
    }

    async fn tags(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Tag>, Error> {
        Ok(self.state().content(registry, repository)?.tag_page(page))
    }

    async fn delete_tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<TagFact, Error> {
        self.state().delete_tag(registry, repository, tag)
    }
}

#[async_trait]
impl ManifestStore for MemoryMetadata {
    async fn record_manifest(
        &self,
        registry: &RegistryId,
        manifest: &NewManifest,
    ) -> Result<Vec<Image>, Error> {
        self.state().record_manifest(registry, manifest)
    }

    async fn record_with_parts(
        &self,
        registry: &RegistryId,
        manifest: &NewManifest,
        parts: &HeldParts,
    ) -> Result<Vec<Image>, Error> {
        let mut state = self.state();
        let content = state.content(registry, &manifest.repository).ok();
        let has_link = |digest: &Digest| content.is_some_and(|held| held.link(digest).is_ok());
        let has = |digest: &Digest| content.is_some_and(|held| held.manifest(digest).is_ok());
        let mut missing = parts.links.iter().filter(|digest| !has_link(digest));
        if let Some(digest) =
            missing.next().or_else(|| parts.manifests.iter().find(|digest| !has(digest)))
        {
            return Err(Error::PartMissing { digest: digest.clone() });
        }
        let held = manifest.tag.as_ref().and_then(|tag| content?.tags.get(tag));
        let held = held.map(|fact| &fact.digest);
        if manifest.tag.is_some() && !parts.tag.allows(held) {
            return Err(Error::TagMoved { digest: held.cloned() });
        }
        state.record_manifest(registry, manifest)
    }

    async fn manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<ManifestFact, Error> {
        self.state().content(registry, repository)?.manifest(digest)
    }

    async fn images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Image>, Error> {
        Ok(self.state().content(registry, repository)?.images(page))
    }

    async fn image(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error> {
        self.state().content(registry, repository)?.image(digest)
    }

    async fn referrers(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        subject: &Digest,
        page: &PageRequest,
    ) -> Result<Page<ManifestFact>, Error> {
        match self.state().content(registry, repository) {
            Ok(content) => Ok(content.referrers(subject, page)),
            Err(_) => Ok(Page { items: Vec::new(), next: None }),
        }
    }

    async fn parent_of(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        child: &Digest,
    ) -> Result<Option<Digest>, Error> {
        let state = self.state();
        Ok(state.content(registry, repository).ok().and_then(|content| content.parent_of(child)))
    }

    async fn delete_manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error> {
        self.state().delete_manifest(registry, repository, digest)
    }

    async fn record_pulls(&self, pulls: &[Pull]) -> Result<(), Error> {
        self.state().record_pulls(pulls);
        Ok(())
    }
}

/// A repository and what is in it.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) repository: Repository,
    /// By digest.
    manifests: BTreeMap<String, Tagged>,
    tags: BTreeMap<Tag, TagFact>,
    links: BTreeMap<Digest, Link>,
    /// The last preview of a lifecycle policy.
    pub(super) tried: Option<Tried>,
}

/// A manifest and the tags that name it: the reverse of [`Content::tags`].
#[derive(Debug)]
struct Tagged {
    fact: ManifestFact,
    tags: BTreeSet<Tag>,
}

impl Content {
    /// A repository with nothing in it.
    pub(super) fn empty(repository: Repository) -> Self {
        Self {
            repository,
            manifests: BTreeMap::new(),
            tags: BTreeMap::new(),
            links: BTreeMap::new(),
            tried: None,
        }
    }

    pub(super) fn has_manifests(&self) -> bool {
        !self.manifests.is_empty()
    }

    /// Checks that a tag is free to name a digest.
    fn check_move(&self, tag: &Tag, digest: &Digest) -> Result<(), Error> {
        let held = self.tags.get(tag).map(|fact| &fact.digest).filter(|held| *held != digest);
        match held {
            Some(held) if !self.repository.settings.tag_mutability.allows_move(tag) => {
                Err(Error::TagImmutable { digest: held.clone() })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn manifest(&self, digest: &Digest) -> Result<ManifestFact, Error> {
        let tagged = self.manifests.get(digest.as_str()).ok_or(Error::NotFound)?;
        Ok(tagged.fact.clone())
    }

    pub(super) fn facts(&self) -> impl Iterator<Item = &ManifestFact> {
        self.manifests.values().map(|tagged| &tagged.fact)
    }

    pub(super) fn fact_mut(&mut self, digest: &Digest) -> Option<&mut ManifestFact> {
        self.manifests.get_mut(digest.as_str()).map(|tagged| &mut tagged.fact)
    }

    fn is_archived(&self, digest: &Digest) -> bool {
        self.manifest(digest).is_ok_and(|fact| fact.storage.is_archived)
    }

    pub(super) fn tag(&self, tag: &Tag) -> Result<TagFact, Error> {
        self.tags.get(tag).cloned().ok_or(Error::NotFound)
    }

    pub(super) fn link(&self, digest: &Digest) -> Result<Link, Error> {
        self.links.get(digest).cloned().ok_or(Error::NotFound)
    }

    pub(super) fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    pub(super) fn images(&self, page: &PageRequest) -> Page<Image> {
        let after = page.after.as_deref().map_or(Unbounded, Excluded);
        let images = self.manifests.range::<str, _>((after, Unbounded)).map(|(_, tagged)| Image {
            manifest: tagged.fact.clone(),
            tags: tagged.tags.iter().cloned().collect(),
        });
        Page::take(page, images, |image| image.manifest.digest.as_str())
    }

    /// Returns what rules brought, but for parts of others and what refers to what is there.
    pub(super) fn cached_images(&self) -> Vec<Image> {
        let stands_alone = |fact: &&ManifestFact| {
            let has_subject =
                fact.subject.as_ref().is_some_and(|subject| self.manifest(subject).is_ok());
            matches!(fact.origin, Origin::Cached { .. })
                && !fact.storage.is_archived
                && !has_subject
                && self.parent_of(&fact.digest).is_none()
        };
        let alone = self.manifests.values().map(|tagged| &tagged.fact).filter(stands_alone);
        alone.filter_map(|fact| self.image(&fact.digest).ok()).collect()
    }

    pub(super) fn image(&self, digest: &Digest) -> Result<Image, Error> {
        let tagged = self.manifests.get(digest.as_str()).ok_or(Error::NotFound)?;
        Ok(Image { manifest: tagged.fact.clone(), tags: tagged.tags.iter().cloned().collect() })
    }

    /// Returns a page of tags, in the order of the distribution specification.
    pub(super) fn tag_page(&self, page: &PageRequest) -> Page<Tag> {
        let key = |tag: &str| (tag.to_ascii_lowercase(), tag.to_owned());
        let active = self.tags.iter().filter(|(_, fact)| !self.is_archived(&fact.digest));
        let mut tags: Vec<_> = active.map(|(tag, _)| tag.clone()).collect();
        tags.sort_by_cached_key(|tag| key(tag.as_str()));
        let after = page.after.as_deref().map(key);
        let rest =
            tags.into_iter().filter(|tag| after.as_ref().is_none_or(|a| key(tag.as_str()) > *a));
        Page::take(page, rest, |tag| tag.as_str())
    }

    /// Returns a page of the manifests that refer to a subject, by digest.
    pub(super) fn referrers(&self, subject: &Digest, page: &PageRequest) -> Page<ManifestFact> {
        let after = page.after.as_deref().map_or(Unbounded, Excluded);
        let facts = self.manifests.range::<str, _>((after, Unbounded)).map(|(_, held)| &held.fact);
        let referrers = facts.filter(|fact| fact.subject.as_ref() == Some(subject)).cloned();
        Page::take(page, referrers, |fact| fact.digest.as_str())
    }

    /// Returns a manifest that names `child`.
    pub(super) fn parent_of(&self, child: &Digest) -> Option<Digest> {
        let names = |fact: &ManifestFact| fact.references().any(|part| part.digest == *child);
        let parent = self.manifests.values().find(|held| names(&held.fact));
        parent.map(|held| held.fact.digest.clone())
    }

    pub(super) fn remove_tag(&mut self, tag: &Tag) -> Option<TagFact> {
        let fact = self.tags.remove(tag)?;
        if let Some(held) = self.manifests.get_mut(fact.digest.as_str()) {
            held.tags.remove(tag);
        }
        Some(fact)
    }

    pub(super) fn remove_manifest(&mut self, image: &Image) {
        for tag in &image.tags {
            self.tags.remove(tag);
        }
        self.manifests.remove(image.manifest.digest.as_str());
    }

    pub(super) fn remove_link(&mut self, digest: &Digest) -> Option<Link> {
        self.links.remove(digest)
    }

    /// Tells whether a tag stays with what it names: a pushed one is never moved by what is cached,
    /// nor one of an archived manifest by a pull.
    fn keeps(&self, tag: &Tag, new: &NewManifest) -> bool {
        let is_pushed = |origin: &Origin| matches!(origin, Origin::Pushed { .. });
        let stays = |held: &TagFact| {
            is_pushed(&held.origin) || (!new.restores && self.is_archived(&held.digest))
        };
        !is_pushed(&new.manifest.origin) && self.tags.get(tag).is_some_and(stays)
    }

    fn set_tag(&mut self, tag: &Tag, fact: TagFact) {
        let digest = fact.digest.clone();
        let moved_from = self.tags.insert(tag.clone(), fact).map(|old| old.digest);
        if let Some(old) = moved_from.and_then(|old| self.manifests.get_mut(old.as_str())) {
            old.tags.remove(tag);
        }
        if let Some(new) = self.manifests.get_mut(digest.as_str()) {
            new.tags.insert(tag.clone());
        }
    }
}

impl State {
    pub(super) fn content(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
    ) -> Result<&Content, Error> {
        let facts = self.facts(registry).ok_or(Error::NotFound)?;
        facts.repositories.get(repository.as_str()).ok_or(Error::NotFound)
    }

    pub(super) fn repositories(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
    ) -> Page<Repository> {
        let after = page.after.as_deref().map_or(Unbounded, Excluded);
        let held = self.facts(registry).into_iter();
        let held = held.flat_map(|facts| facts.repositories.range::<str, _>((after, Unbounded)));
        let repositories = held.map(|(_, content)| content.repository.clone());
        Page::take(page, repositories, |repository| repository.name.as_str())
    }

    pub(super) fn record_manifest(
        &mut self,
        registry: &RegistryId,
        new: &NewManifest,
    ) -> Result<Vec<Image>, Error> {
        let NewManifest { repository, manifest, tag, settings, restores } = new;
        let content = self.content_or_new(registry, repository, || Repository {
            name: repository.clone(),
            created_at: manifest.pushed_at,
            origin: manifest.origin.clone(),
            settings: settings.clone(),
        });
        let tag = tag.as_ref().filter(|tag| !content.keeps(tag, new));
        if let Some(tag) = tag {
            content.check_move(tag, &manifest.digest)?;
        }
        let is_archived = content.is_archived(&manifest.digest);
        if is_archived && !restores {
            return Err(Error::Archived);
        }
        content.manifests.entry(manifest.digest.as_str().to_owned()).or_insert_with(|| {
            let fact = ManifestFact { storage: Storage::default(), ..manifest.clone() };
            Tagged { fact, tags: BTreeSet::new() }
        });
        if let Some(tag) = tag {
            let fact = TagFact {
                digest: manifest.digest.clone(),
                origin: manifest.origin.clone(),
                updated_at: manifest.pushed_at,
                checked_at: manifest.pushed_at,
            };
            content.set_tag(tag, fact);
            let change = Change::Tag(registry.clone(), repository.clone(), tag.clone());
            self.history.record(change);
        }
        if !restores || !(is_archived || media_type::is_index(&manifest.media_type)) {
            return Ok(Vec::new());
        }
        let (digest, at) = (&manifest.digest, manifest.pushed_at);
        self.carry(registry, repository, digest, StorageClass::Standard, at)
    }

    pub(super) fn refresh_tag(
        &mut self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
        checked_at: Timestamp,
    ) -> Result<(), Error> {
        let content = self.content_mut(registry, repository).ok_or(Error::NotFound)?;
        let held = content.tags.get_mut(tag).filter(|held| held.digest == *digest);
        held.ok_or(Error::NotFound)?.checked_at = checked_at;
        self.history.record(Change::Tag(registry.clone(), repository.clone(), tag.clone()));
        Ok(())
    }

    pub(super) fn record_links(&mut self, links: &[NewLink]) {
        for NewLink { registry, repository, link, settings } in links {
            let content = self.content_or_new(registry, repository, || Repository {
                name: repository.clone(),
                created_at: link.linked_at,
                origin: link.origin.clone(),
                settings: settings.clone(),
            });
            let held = content.links.entry(link.digest.clone()).or_insert_with(|| link.clone());
            held.linked_at = held.linked_at.max(link.linked_at);
        }
    }

    fn linked_in(
        &self,
        registry: &RegistryId,
        digest: &Digest,
        limit: usize,
    ) -> Vec<RepositoryName> {
        let contents = self.registries.get(registry).into_iter().flat_map(|facts| {
            facts.repositories.values().filter(|content| content.links.contains_key(digest))
        });
        contents.take(limit).map(|content| content.repository.name.clone()).collect()
    }

    pub(super) fn record_pulls(&mut self, pulls: &[Pull]) {
        for Pull { registry, repository, digest, at } in pulls {
            let content = self.content_mut(registry, repository);
            let tagged = content.and_then(|content| content.manifests.get_mut(digest.as_str()));
            if let Some(Tagged { fact, .. }) = tagged {
                fact.last_pulled_at = fact.last_pulled_at.max(Some(*at));
            }
        }
    }

    pub(super) fn content_mut(
        &mut self,
        registry: &RegistryId,
        repository: &RepositoryName,
    ) -> Option<&mut Content> {
        self.registries.get_mut(registry)?.repositories.get_mut(repository.as_str())
    }

    /// Returns the content of a repository, which comes into being where it is missing.
    fn content_or_new(
        &mut self,
        registry: &RegistryId,
        name: &RepositoryName,
        new: impl FnOnce() -> Repository,
    ) -> &mut Content {
        let Self { registries, history, .. } = self;
        let repositories = &mut registries.entry(registry.clone()).or_default().repositories;
        repositories.entry(name.as_str().to_owned()).or_insert_with(|| {
            history.record(Change::Repository(registry.clone(), name.clone()));
            Content::empty(new())
        })
    }
}
