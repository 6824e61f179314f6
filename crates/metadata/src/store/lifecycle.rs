//! The contract of what a store knows of lifecycle policies.

use std::fmt;

use async_trait::async_trait;
use oci::RepositoryName;

use crate::{
    CachedImage, Error, Image, LifecyclePreview, Marked, Page, PageRequest, PreviewResult,
    RegistryId, Repository, Timestamp,
};

/// Lifecycle policies carried out, and previews of them.
#[async_trait]
pub trait LifecycleStore: Send + Sync + fmt::Debug + 'static {
    /// Returns repositories of any registry whose lifecycle policy was never evaluated, or not
    /// since `before`, the longest ago first, at most `limit`.
    async fn lifecycle_due(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(RegistryId, Repository)>, Error>;

    /// Returns a page of the images of every registry that rules brought, by when they were last
    /// used, the longest ago first. Not among them is what is archived, nor are the parts of other
    /// manifests of their repository, and what refers to a subject that is there: they go after
    /// those.
    async fn cached_images(&self, page: &PageRequest) -> Result<Page<CachedImage>, Error>;

    /// Deletes images with their tags, all in one transaction and in this order, and returns those
    /// that it deleted. An image stays that is not as it was evaluated (tags, pushed and pulled
    /// when, storage class), that was given a tag since, that a manifest of the repository names as
    /// its part, or whose subject is there. Links stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the repository is gone, or has another lifecycle policy than the
    /// one that says so.
    async fn expire_images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        marked: &Marked,
    ) -> Result<Vec<Image>, Error>;

    /// Archives images with what belongs to them ([`ArchiveStore`](crate::ArchiveStore)), all in
    /// one transaction and in this order, and returns those that it archived. An image stays as for
    /// [`expire_images`](Self::expire_images), but that only an active manifest keeps it.
    ///
    /// # Errors
    /// As there.
    async fn archive_images(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        marked: &Marked,
        at: Timestamp,
    ) -> Result<Vec<Image>, Error>;

    /// Begins a preview of `policy` in place of an earlier one, without results. One that is in
    /// progress is in the way if it began after `given_up`.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such repository; [`Error::AlreadyExists`].
    async fn begin_preview(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        preview: &LifecyclePreview,
        given_up: Timestamp,
    ) -> Result<(), Error>;

    /// Adds a page of results, the first is 0, to the preview that began at `started_at`.
    ///
    /// # Errors
    /// [`Error::NotFound`] where another one took its place.
    async fn add_preview_page(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        started_at: Timestamp,
        page: u32,
        results: &[PreviewResult],
    ) -> Result<(), Error>;

    /// Replaces everything but the results of the preview that began at `preview.started_at`.
    ///
    /// # Errors
    /// [`Error::NotFound`] where another one took its place.
    async fn end_preview(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        preview: &LifecyclePreview,
    ) -> Result<(), Error>;

    /// Returns the preview of a repository.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn preview(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
    ) -> Result<LifecyclePreview, Error>;

    /// Returns a page of results of the preview of a repository; none beyond the last.
    async fn preview_page(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        page: u32,
    ) -> Result<Vec<PreviewResult>, Error>;
}
