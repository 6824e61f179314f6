//! The contract of what a store knows of secrets.

use std::fmt;

use async_trait::async_trait;

use crate::{Error, NewSecret, Page, PageRequest, RegistryId, Secret, SecretId, Timestamp};

/// Secrets, sealed by whoever hands them in.
#[async_trait]
pub trait SecretStore: Send + Sync + fmt::Debug + 'static {
    /// Creates a secret. One of that name whose `delete_after` has passed `secret.created_at` is
    /// replaced.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`].
    async fn create_secret(&self, registry: &RegistryId, secret: &NewSecret) -> Result<(), Error>;

    /// Returns a secret, one scheduled for deletion included, with its versions. One whose
    /// `delete_after` is not later than `now` is gone.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn secret(
        &self,
        registry: &RegistryId,
        id: &SecretId,
        now: Timestamp,
    ) -> Result<Secret, Error>;

    /// Replaces a secret and all its versions, provided that it still is what `expected` says
    /// (compare and swap), so that a read-modify-write loses nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none or it changed in the meantime.
    async fn replace_secret(
        &self,
        registry: &RegistryId,
        expected: &Secret,
        secret: &Secret,
    ) -> Result<(), Error>;

    /// Deletes a secret at once.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_secret(&self, registry: &RegistryId, name: &str) -> Result<(), Error>;

    /// Returns a page of secrets by name.
    async fn secrets(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<Secret>, Error>;

    /// Deletes every secret, of whichever registry, whose `delete_after` is not later than `now`,
    /// and returns how many there were.
    async fn purge_secrets(&self, now: Timestamp) -> Result<u64, Error>;
}
