//! What is attached to a repository as a text: its repository policy and its lifecycle policy.
//!
//! Both are kept as sent. Who may do what does not follow from a repository policy yet; what a
//! lifecycle policy does is in [`lifecycle`](crate::lifecycle).

use metadata::{RegistryId, Repository, RepositorySettings, Timestamp};
use oci::RepositoryName;

use super::{lifecycle, policy};
use crate::{Caller, PolicyKind, Registry, SettingError};

impl Registry {
    /// Returns the policy of a repository.
    ///
    /// # Errors
    /// [`SettingError::RepositoryNotFound`]; [`SettingError::PolicyNotFound`].
    pub async fn repository_policy(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<String, SettingError> {
        self.inner.authorize_on(caller, "ecr:GetRepositoryPolicy", name)?;
        let held = self.inner.find_repository(&caller.registry, name).await?;
        let absent = || absent(PolicyKind::Repository, &caller.registry, name);
        held.settings.repository_policy.ok_or_else(absent)
    }

    /// Sets the policy of a repository; only with `force` one that would keep the caller from
    /// setting another.
    ///
    /// # Errors
    /// [`SettingError::RepositoryNotFound`]; [`SettingError::MalformedPolicy`];
    /// [`SettingError::LockOut`].
    pub async fn set_repository_policy(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        text: &str,
        force: bool,
    ) -> Result<(), SettingError> {
        self.inner.authorize_on(caller, "ecr:SetRepositoryPolicy", name)?;
        let statements = policy::check_repository_policy(text)?;
        if !force && policy::locks_out(&statements, &caller.principal) {
            // A repository that is not there is named before what is wrong with its policy.
            self.inner.find_repository(&caller.registry, name).await?;
            return Err(SettingError::LockOut);
        }
        let change = |settings: &mut RepositorySettings| {
            settings.repository_policy = Some(text.to_owned());
            Ok(())
        };
        self.inner.change_repository(&caller.registry, name, change).await?;
        Ok(())
    }

    /// Removes the policy of a repository and returns it.
    ///
    /// # Errors
    /// As [`Registry::repository_policy`].
    pub async fn delete_repository_policy(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<String, SettingError> {
        self.inner.authorize_on(caller, "ecr:DeleteRepositoryPolicy", name)?;
        let registry = &caller.registry;
        let change = |settings: &mut RepositorySettings| {
            let text = settings.repository_policy.take();
            text.ok_or_else(|| absent(PolicyKind::Repository, registry, name))
        };
        Ok(self.inner.change_repository(registry, name, change).await?.1)
    }

    /// Returns the lifecycle policy of a repository, and when it was last evaluated.
    ///
    /// # Errors
    /// [`SettingError::RepositoryNotFound`]; [`SettingError::PolicyNotFound`].
    pub async fn lifecycle_policy(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<(String, Option<Timestamp>), SettingError> {
        self.inner.authorize_on(caller, "ecr:GetLifecyclePolicy", name)?;
        let Repository { settings, .. } =
            self.inner.find_repository(&caller.registry, name).await?;
        let absent = || absent(PolicyKind::Lifecycle, &caller.registry, name);
        let text = settings.lifecycle_policy.ok_or_else(absent)?;
        Ok((text, settings.lifecycle_evaluated_at))
    }

    /// Sets the lifecycle policy of a repository.
    ///
    /// # Errors
    /// [`SettingError::RepositoryNotFound`]; [`SettingError::MalformedPolicy`].
    pub async fn set_lifecycle_policy(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        text: &str,
    ) -> Result<(), SettingError> {
        self.inner.authorize_on(caller, "ecr:PutLifecyclePolicy", name)?;
        lifecycle::check(text)?;
        let change = |settings: &mut RepositorySettings| {
            settings.lifecycle_policy = Some(text.to_owned());
            settings.lifecycle_evaluated_at = None;
            Ok(())
        };
        self.inner.change_repository(&caller.registry, name, change).await?;
        Ok(())
    }

    /// Removes the lifecycle policy of a repository and returns it.
    ///
    /// # Errors
    /// As [`Registry::lifecycle_policy`].
    pub async fn delete_lifecycle_policy(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<(String, Option<Timestamp>), SettingError> {
        self.inner.authorize_on(caller, "ecr:DeleteLifecyclePolicy", name)?;
        let registry = &caller.registry;
        let change = |settings: &mut RepositorySettings| {
            let evaluated_at = settings.lifecycle_evaluated_at.take();
            let text = settings.lifecycle_policy.take();
            let text = text.ok_or_else(|| absent(PolicyKind::Lifecycle, registry, name))?;
            Ok((text, evaluated_at))
        };
        Ok(self.inner.change_repository(registry, name, change).await?.1)
    }
}

fn absent(kind: PolicyKind, registry: &RegistryId, name: &RepositoryName) -> SettingError {
    SettingError::PolicyNotFound { kind, resource: name.to_string(), registry: registry.clone() }
}
