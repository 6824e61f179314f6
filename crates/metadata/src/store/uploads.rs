//! The contract of what a store knows of uploads.

use std::fmt;

use async_trait::async_trait;
use oci::RepositoryName;

use crate::{Error, RegistryId, Timestamp, Upload};

/// Uploads that are under way.
#[async_trait]
pub trait UploadStore: Send + Sync + fmt::Debug + 'static {
    /// Records an upload that begins; `limit` is how many the registry may have. Uploads are not
    /// part of the changes.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`]; [`Error::LimitExceeded`].
    async fn create_upload(
        &self,
        registry: &RegistryId,
        upload: &Upload,
        limit: Option<u32>,
    ) -> Result<(), Error>;

    /// Returns an upload of a repository.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Upload, Error>;

    /// Records that an upload has `size_bytes` now, provided that it still has as many as
    /// `expected` says (compare and swap).
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is gone or somebody else went on with it.
    async fn advance_upload(
        &self,
        registry: &RegistryId,
        expected: &Upload,
        size_bytes: u64,
        at: Timestamp,
    ) -> Result<(), Error>;

    /// Forgets an upload.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<(), Error>;

    /// Returns uploads of any registry for which no bytes came since `before`, longest idle first,
    /// at most `limit`.
    async fn idle_uploads(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(RegistryId, Upload)>, Error>;
}
