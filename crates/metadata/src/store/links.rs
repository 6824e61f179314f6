//! The contract of what a store knows of links.

use std::fmt;

use async_trait::async_trait;
use oci::{Digest, RepositoryName};

use crate::{Error, Link, NewLink, RegistryId};

/// Links of blobs in repositories.
#[async_trait]
pub trait LinkStore: Send + Sync + fmt::Debug + 'static {
    /// Records links of blobs whose bytes are committed, all in one transaction.
    async fn record_links(&self, links: &[NewLink]) -> Result<(), Error>;

    /// Returns the link of a blob in a repository.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn link(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Link, Error>;

    /// Returns repositories that have a blob linked, by name, at most `limit`.
    async fn linked_in(
        &self,
        registry: &RegistryId,
        digest: &Digest,
        limit: usize,
    ) -> Result<Vec<RepositoryName>, Error>;

    /// Deletes the link of a blob and returns it. The bytes stay.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_link(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Link, Error>;
}
