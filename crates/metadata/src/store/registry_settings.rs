//! The contract of what a store knows of registry settings.

use std::fmt;

use async_trait::async_trait;

use crate::{Error, RegistryId, RegistrySettings};

/// Settings of whole registries.
#[async_trait]
pub trait RegistrySettingsStore: Send + Sync + fmt::Debug + 'static {
    /// Returns the settings of a registry, the default ones where none were set.
    async fn registry_settings(&self, registry: &RegistryId) -> Result<RegistrySettings, Error>;

    /// Replaces the settings of a registry, provided that they still are what `expected` says
    /// (compare and swap). Not a change.
    ///
    /// # Errors
    /// [`Error::NotFound`] where they changed in the meantime.
    async fn replace_registry_settings(
        &self,
        registry: &RegistryId,
        expected: &RegistrySettings,
        settings: &RegistrySettings,
    ) -> Result<(), Error>;
}
