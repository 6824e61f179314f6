//! What takes a tag, a manifest or a link out of a repository, in memory.

use oci::{Digest, RepositoryName, Tag};

use super::State;
use crate::{Change, Error, Image, Link, RegistryId, TagFact};

impl State {
    pub(super) fn delete_tag(
        &mut self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<TagFact, Error> {
        let content = self.content_mut(registry, repository).ok_or(Error::NotFound)?;
        let fact = content.remove_tag(tag).ok_or(Error::NotFound)?;
        self.history.record(Change::Tag(registry.clone(), repository.clone(), tag.clone()));
        Ok(fact)
    }

    pub(super) fn delete_manifest(
        &mut self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error> {
        let content = self.content_mut(registry, repository).ok_or(Error::NotFound)?;
        let image = content.image(digest)?;
        content.remove_manifest(&image);
        for tag in &image.tags {
            self.history.record(Change::Tag(registry.clone(), repository.clone(), tag.clone()));
        }
        let change = Change::Manifest(registry.clone(), repository.clone(), digest.clone());
        self.history.record(change);
        Ok(image)
    }

    pub(super) fn delete_link(
        &mut self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Link, Error> {
        let content = self.content_mut(registry, repository).ok_or(Error::NotFound)?;
        let link = content.remove_link(digest).ok_or(Error::NotFound)?;
        let change = Change::Link(registry.clone(), repository.clone(), digest.clone());
        self.history.record(change);
        Ok(link)
    }
}
