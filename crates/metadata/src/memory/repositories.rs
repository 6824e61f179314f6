//! Repositories and their settings in memory.

use async_trait::async_trait;
use oci::RepositoryName;

use super::{MemoryMetadata, State, content::Content};
use crate::{
    Change, Error, Page, PageRequest, RegistryId, Repository, RepositorySettings, RepositoryStore,
};

#[async_trait]
impl RepositoryStore for MemoryMetadata {
    async fn create_repository(
        &self,
        registry: &RegistryId,
        repository: &Repository,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        self.state().create_repository(registry, repository, limit)
    }

    async fn delete_repository(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        force: bool,
    ) -> Result<Repository, Error> {
        self.state().delete_repository(registry, name, force)
    }

    async fn replace_repository_settings(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        expected: &RepositorySettings,
        settings: &RepositorySettings,
    ) -> Result<(), Error> {
        self.state().replace_repository_settings(registry, name, expected, settings)
    }

    async fn repository(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
    ) -> Result<Repository, Error> {
        self.state().content(registry, name).map(|content| content.repository.clone())
    }

    async fn repositories(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
    ) -> Result<Page<Repository>, Error> {
        Ok(self.state().repositories(registry, page))
    }
}

impl State {
    pub(super) fn create_repository(
        &mut self,
        registry: &RegistryId,
        repository: &Repository,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        let repositories = &mut self.facts_mut(registry).repositories;
        let name = repository.name.as_str();
        if repositories.contains_key(name) {
            return Err(Error::AlreadyExists);
        }
        if let Some(limit) = limit.filter(|limit| repositories.len() >= *limit as usize) {
            return Err(Error::LimitExceeded { limit });
        }
        repositories.insert(name.to_owned(), Content::empty(repository.clone()));
        self.history.record(Change::Repository(registry.clone(), repository.name.clone()));
        Ok(())
    }

    pub(super) fn delete_repository(
        &mut self,
        registry: &RegistryId,
        name: &RepositoryName,
        force: bool,
    ) -> Result<Repository, Error> {
        if self.content(registry, name)?.has_manifests() && !force {
            return Err(Error::NotEmpty);
        }
        let deleted = self.facts_mut(registry).repositories.remove(name.as_str());
        let deleted = deleted.ok_or(Error::NotFound)?;
        self.history.record(Change::RepositoryDeleted(registry.clone(), name.clone()));
        Ok(deleted.repository)
    }

    pub(super) fn replace_repository_settings(
        &mut self,
        registry: &RegistryId,
        name: &RepositoryName,
        expected: &RepositorySettings,
        settings: &RepositorySettings,
    ) -> Result<(), Error> {
        let content = self.content_mut(registry, name).ok_or(Error::NotFound)?;
        let held = &mut content.repository.settings;
        if held != expected {
            return Err(Error::NotFound);
        }
        held.clone_from(settings);
        self.history.record(Change::Repository(registry.clone(), name.clone()));
        Ok(())
    }
}
