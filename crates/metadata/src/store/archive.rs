//! The contract of what a store knows of storage classes.

use std::fmt;

use async_trait::async_trait;
use oci::{Digest, RepositoryName};

use crate::{Error, Image, Link, Page, PageRequest, RegistryId, StorageClass, Timestamp};

/// Images in the archive, and what is archived with them.
///
/// What belongs to an image moves with it. To the archive: the manifests of an index that have no
/// tag of their own and that no active index names, and what refers to any of them. Back: every
/// manifest of an index, and what refers to any of them.
#[async_trait]
pub trait ArchiveStore: Send + Sync + fmt::Debug + 'static {
    /// Moves an image to a storage class together with what belongs to it, all in one transaction,
    /// and returns those that were in the other class before, as they are now.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Referenced`] where it is to be archived and an active index
    /// names it.
    async fn move_image(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
        class: StorageClass,
        at: Timestamp,
    ) -> Result<Vec<Image>, Error>;

    /// Returns a page, by digest, of the images of a repository that are archived, at a cost that
    /// does not grow with those that are not.
    async fn archived_images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Image>, Error>;

    /// Tells whether a blob is archived: manifests of the repository name it, all of those are
    /// archived, and it was not linked anew after that.
    async fn is_link_archived(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        link: &Link,
    ) -> Result<bool, Error>;
}
