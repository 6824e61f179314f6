//! Uploads in memory.

use async_trait::async_trait;
use oci::RepositoryName;

use super::{MemoryMetadata, State};
use crate::{Error, RegistryId, Timestamp, Upload, UploadStore};

#[async_trait]
impl UploadStore for MemoryMetadata {
    async fn create_upload(
        &self,
        registry: &RegistryId,
        upload: &Upload,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        self.state().create_upload(registry, upload, limit)
    }

    async fn upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Upload, Error> {
        self.state().upload(registry, repository, id)
    }

    async fn advance_upload(
        &self,
        registry: &RegistryId,
        expected: &Upload,
        size_bytes: u64,
        at: Timestamp,
    ) -> Result<(), Error> {
        self.state().advance_upload(registry, expected, size_bytes, at)
    }

    async fn delete_upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<(), Error> {
        self.state().delete_upload(registry, repository, id)
    }

    async fn idle_uploads(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(RegistryId, Upload)>, Error> {
        Ok(self.state().idle_uploads(before, limit))
    }
}

impl State {
    pub(super) fn create_upload(
        &mut self,
        registry: &RegistryId,
        upload: &Upload,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        let uploads = &mut self.facts_mut(registry).uploads;
        if let Some(limit) = limit.filter(|limit| uploads.len() >= *limit as usize) {
            return Err(Error::LimitExceeded { limit });
        }
        if uploads.contains_key(&upload.id) {
            return Err(Error::AlreadyExists);
        }
        uploads.insert(upload.id.clone(), upload.clone());
        Ok(())
    }

    pub(super) fn upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Upload, Error> {
        let held = self.facts(registry).and_then(|facts| facts.uploads.get(id));
        held.filter(|held| held.repository == *repository).cloned().ok_or(Error::NotFound)
    }

    pub(super) fn advance_upload(
        &mut self,
        registry: &RegistryId,
        expected: &Upload,
        size_bytes: u64,
        at: Timestamp,
    ) -> Result<(), Error> {
        let held = self.facts_mut(registry).uploads.get_mut(&expected.id);
        let held = held.filter(|held| {
            held.repository == expected.repository && held.size_bytes == expected.size_bytes
        });
        let held = held.ok_or(Error::NotFound)?;
        (held.size_bytes, held.moved_at) = (size_bytes, at);
        Ok(())
    }

    pub(super) fn delete_upload(
        &mut self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<(), Error> {
        self.upload(registry, repository, id)?;
        self.facts_mut(registry).uploads.remove(id);
        Ok(())
    }

    pub(super) fn idle_uploads(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Vec<(RegistryId, Upload)> {
        let mut idle: Vec<_> = self
            .registries
            .iter()
            .flat_map(|(registry, facts)| facts.uploads.values().map(move |held| (registry, held)))
            .filter(|(_, held)| held.moved_at < before)
            .map(|(registry, held)| (registry.clone(), held.clone()))
            .collect();
        idle.sort_by_key(|(_, held)| held.moved_at);
        idle.truncate(limit);
        idle
    }
}
