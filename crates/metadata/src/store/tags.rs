//! The contract of what a store knows of tags.

use std::fmt;

use async_trait::async_trait;
use oci::{Digest, RepositoryName, Tag};

use crate::{Error, Page, PageRequest, RegistryId, TagFact, Timestamp};

/// Tags of repositories.
#[async_trait]
pub trait TagStore: Send + Sync + fmt::Debug + 'static {
    /// Returns what a tag names.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<TagFact, Error>;

    /// Records that the upstream confirmed that `tag` still names `digest`.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the tag is gone or names something else by now.
    async fn refresh_tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
        checked_at: Timestamp,
    ) -> Result<(), Error>;

    /// Returns a page of a repository's tags, ordered without regard to ASCII case (OCI
    /// distribution-spec 1.1, "Listing Tags"), those that differ by nothing else by byte. Tags of
    /// archived manifests are left out: they cannot be pulled.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the repository does not exist.
    async fn tags(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: &PageRequest,
    ) -> Result<Page<Tag>, Error>;

    /// Deletes a tag and returns what it named. The manifest stays.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_tag(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<TagFact, Error>;
}
