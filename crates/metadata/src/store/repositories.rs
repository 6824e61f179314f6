//! The contract of what a store knows of repositories.

use std::fmt;

use async_trait::async_trait;
use oci::RepositoryName;

use crate::{Error, Page, PageRequest, RegistryId, Repository, RepositorySettings};

/// Repositories and their settings.
#[async_trait]
pub trait RepositoryStore: Send + Sync + fmt::Debug + 'static {
    /// Creates a repository; `limit` is how many the registry may have.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`]; [`Error::LimitExceeded`].
    async fn create_repository(
        &self,
        registry: &RegistryId,
        repository: &Repository,
        limit: Option<u32>,
    ) -> Result<(), Error>;

    /// Deletes a repository and returns it; with `force` together with its manifests, without only
    /// where it has none. Its tags and links go with it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotEmpty`].
    async fn delete_repository(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        force: bool,
    ) -> Result<Repository, Error>;

    /// Replaces the settings of a repository, provided that they still are what `expected` says
    /// (compare and swap), so that a read-modify-write loses nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none or its settings changed in the meantime.
    async fn replace_repository_settings(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        expected: &RepositorySettings,
        settings: &RepositorySettings,
    ) -> Result<(), Error>;

    /// Returns a repository.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn repository(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
    ) -> Result<Repository, Error>;

    /// Returns a page of repositories by name.
    async fn repositories(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
    ) -> Result<Page<Repository>, Error>;
}
