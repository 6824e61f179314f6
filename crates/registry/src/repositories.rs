//! Making, changing and removing repositories.

pub(crate) mod constraints;
mod labels;
pub(crate) mod lifecycle;
mod policies;
pub(crate) mod policy;

pub(crate) use policy::{check_registry_policy, resource_verdict};

use metadata::{Change, Origin, RegistryId, Repository, RepositorySettings, TagMutability};
use oci::RepositoryName;

use crate::{Action, Caller, Registry, Resource, SettingError, registry::Inner};

/// How many repositories ECR lets a registry have (User Guide, "Amazon ECR service quotas").
const STRICT_REPOSITORIES_MAX: u32 = 100_000;
/// How often a change is tried again where somebody else was faster.
pub(crate) const SWAPS_MAX: usize = 100;

impl Registry {
    /// Creates an empty repository with its settings.
    ///
    /// # Errors
    /// [`SettingError::RepositoryExists`]; [`SettingError::LimitExceeded`] (strict mode); a
    /// setting that breaks a constraint.
    pub async fn create_repository(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        settings: RepositorySettings,
    ) -> Result<Repository, SettingError> {
        self.inner.authorize_on(caller, "ecr:CreateRepository", name)?;
        constraints::settings(&settings)?;
        let (inner, registry) = (&self.inner, &caller.registry);
        let limit = inner.settings.strict_ecr.then_some(STRICT_REPOSITORIES_MAX);
        let repository = Repository {
            name: name.clone(),
            created_at: inner.clock.now(),
            origin: Origin::Pushed { principal: caller.principal.to_string() },
            settings,
        };
        let created = inner.metadata.create_repository(registry, &repository, limit).await;
        created.map_err(|error| match error {
            metadata::Error::AlreadyExists => SettingError::RepositoryExists {
                repository: name.to_string(),
                registry: registry.clone(),
            },
            metadata::Error::LimitExceeded { limit } => SettingError::LimitExceeded { limit },
            error => error.into(),
        })?;
        inner.hot.forget(Some(&[Change::Repository(registry.clone(), name.clone())]));
        Ok(repository)
    }

    /// Deletes a repository, with `force` together with its images. Nothing of it is served from
    /// the moment this returns; a pull that was under way may make it anew.
    ///
    /// # Errors
    /// [`SettingError::RepositoryNotFound`]; [`SettingError::RepositoryNotEmpty`].
    pub async fn delete_repository(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        force: bool,
    ) -> Result<Repository, SettingError> {
        self.inner.authorize_on(caller, "ecr:DeleteRepository", name)?;
        let (inner, registry) = (&self.inner, &caller.registry);
        let deleted = inner.metadata.delete_repository(registry, name, force).await;
        let repository = deleted.map_err(|error| match error {
            metadata::Error::NotFound => not_found(registry, name),
            metadata::Error::NotEmpty => SettingError::RepositoryNotEmpty {
                repository: name.to_string(),
                registry: registry.clone(),
            },
            error => error.into(),
        })?;
        inner.hot.forget(Some(&[Change::RepositoryDeleted(registry.clone(), name.clone())]));
        Ok(repository)
    }

    /// Sets which tags of a repository may be moved. Tags that moved before stay as they are.
    ///
    /// # Errors
    /// [`SettingError::RepositoryNotFound`]; [`SettingError::Invalid`].
    pub async fn set_tag_mutability(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        tag_mutability: TagMutability,
    ) -> Result<Repository, SettingError> {
        self.inner.authorize_on(caller, "ecr:PutImageTagMutability", name)?;
        constraints::tag_mutability(&tag_mutability)?;
        let change = |settings: &mut RepositorySettings| {
            settings.tag_mutability.clone_from(&tag_mutability);
            Ok(())
        };
        Ok(self.inner.change_repository(&caller.registry, name, change).await?.0)
    }

    /// Sets whether Cloud Control deletes a repository together with its images.
    ///
    /// # Errors
    /// [`SettingError::RepositoryNotFound`].
    pub async fn set_empty_on_delete(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        empty_on_delete: bool,
    ) -> Result<Repository, SettingError> {
        self.inner.authorize_on(caller, "cloudformation:UpdateResource", name)?;
        let change = |settings: &mut RepositorySettings| {
            settings.empty_on_delete = empty_on_delete;
            Ok(())
        };
        Ok(self.inner.change_repository(&caller.registry, name, change).await?.0)
    }

    /// Sets whether images of a repository are to be scanned when they are pushed.
    ///
    /// # Errors
    /// [`SettingError::RepositoryNotFound`].
    pub async fn set_scan_on_push(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        scan_on_push: bool,
    ) -> Result<Repository, SettingError> {
        self.inner.authorize_on(caller, "ecr:PutImageScanningConfiguration", name)?;
        let change = |settings: &mut RepositorySettings| {
            settings.scan_on_push = scan_on_push;
            Ok(())
        };
        Ok(self.inner.change_repository(&caller.registry, name, change).await?.0)
    }
}

impl Inner {
    /// Checks that the caller may do something to a repository.
    pub(crate) fn authorize_on(
        &self,
        caller: &Caller,
        operation: &'static str,
        name: &RepositoryName,
    ) -> Result<(), SettingError> {
        let action = Action::Operation(operation);
        Ok(self.authorize(caller, action, Resource::Repository(name, None))?)
    }

    pub(crate) async fn find_repository(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
    ) -> Result<Repository, SettingError> {
        self.metadata.repository(registry, name).await.map_err(|error| match error {
            metadata::Error::NotFound => not_found(registry, name),
            error => error.into(),
        })
    }

    /// Reads the settings of a repository, changes them and swaps them in, again from the start
    /// where somebody else was faster. A change that changes nothing writes nothing.
    pub(crate) async fn change_repository<T>(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        change: impl Fn(&mut RepositorySettings) -> Result<T, SettingError>,
    ) -> Result<(Repository, T), SettingError> {
        for _ in 0..SWAPS_MAX {
            let held = self.find_repository(registry, name).await?;
            let mut settings = held.settings.clone();
            let told = change(&mut settings)?;
            if settings == held.settings {
                return Ok((held, told));
            }
            let store = &self.metadata;
            let swapped =
                store.replace_repository_settings(registry, name, &held.settings, &settings).await;
            match swapped {
                Ok(()) => return Ok((Repository { settings, ..held }, told)),
                Err(metadata::Error::NotFound) => tokio::task::yield_now().await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(SettingError::Contended { resource: name.to_string() })
    }
}

fn not_found(registry: &RegistryId, name: &RepositoryName) -> SettingError {
    SettingError::RepositoryNotFound { repository: name.to_string(), registry: registry.clone() }
}
