//! Settings of registries in memory.

use async_trait::async_trait;

use super::MemoryMetadata;
use crate::{Error, RegistryId, RegistrySettings, RegistrySettingsStore};

#[async_trait]
impl RegistrySettingsStore for MemoryMetadata {
    async fn registry_settings(&self, registry: &RegistryId) -> Result<RegistrySettings, Error> {
        Ok(self.state().facts(registry).map(|facts| facts.settings.clone()).unwrap_or_default())
    }

    async fn replace_registry_settings(
        &self,
        registry: &RegistryId,
        expected: &RegistrySettings,
        settings: &RegistrySettings,
    ) -> Result<(), Error> {
        let mut state = self.state();
        let held = &mut state.facts_mut(registry).settings;
        if held != expected {
            return Err(Error::NotFound);
        }
        held.clone_from(settings);
        Ok(())
    }
}
