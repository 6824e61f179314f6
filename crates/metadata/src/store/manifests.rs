//! The contract of what a store knows of manifests.

use std::fmt;

use async_trait::async_trait;
use oci::{Digest, RepositoryName};

use crate::{
    Error, HeldParts, Image, ManifestFact, NewManifest, Page, PageRequest, Pull, RegistryId,
};

/// Manifests of repositories, and the images they make with their tags.
#[async_trait]
pub trait ManifestStore: Send + Sync + fmt::Debug + 'static {
    /// Records a manifest whose bytes are committed, and the tag it was asked by: both or neither.
    /// Returns the images that it restored from the archive.
    ///
    /// # Errors
    /// [`Error::TagImmutable`] where the tag names another manifest and the repository's settings
    /// do not let it move; [`Error::Archived`] where the manifest is and is not restored by it.
    async fn record_manifest(
        &self,
        registry: &RegistryId,
        manifest: &NewManifest,
    ) -> Result<Vec<Image>, Error>;

    /// As [`record_manifest`](Self::record_manifest), provided that the repository has these of its
    /// parts, and that the tag names what it should.
    ///
    /// # Errors
    /// As there; [`Error::PartMissing`] for the first part that it does not have;
    /// [`Error::TagMoved`].
    async fn record_with_parts(
        &self,
        registry: &RegistryId,
        manifest: &NewManifest,
        parts: &HeldParts,
    ) -> Result<Vec<Image>, Error>;

    /// Returns a manifest of a repository.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<ManifestFact, Error>;

    /// Returns a page of images by digest.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the repository does not exist.
    async fn images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Image>, Error>;

    /// Returns an image: a manifest and every tag that names it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn image(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error>;

    /// Returns a page, by digest, of the manifests whose subject is `subject`.
    async fn referrers(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        subject: &Digest,
        page: &PageRequest,
    ) -> Result<Page<ManifestFact>, Error>;

    /// Returns a manifest of the repository that names `child` as its config or child.
    async fn parent_of(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        child: &Digest,
    ) -> Result<Option<Digest>, Error>;

    /// Deletes a manifest with the tags that name it, and returns them. Links stay.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Image, Error>;

    /// Records pulls, later ones winning; pulls of what is gone are dropped. Not a change.
    async fn record_pulls(&self, pulls: &[Pull]) -> Result<(), Error>;
}
