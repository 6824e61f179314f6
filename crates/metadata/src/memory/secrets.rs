//! Secrets in memory.

use async_trait::async_trait;
use std::ops::Bound::{Excluded, Unbounded};

use super::{MemoryMetadata, State};
use crate::{
    Change, Error, NewSecret, Page, PageRequest, RegistryId, Secret, SecretId, SecretStore,
    Timestamp,
};

#[async_trait]
impl SecretStore for MemoryMetadata {
    async fn create_secret(&self, registry: &RegistryId, secret: &NewSecret) -> Result<(), Error> {
        self.state().create_secret(registry, secret)
    }

    async fn secret(
        &self,
        registry: &RegistryId,
        id: &SecretId,
        now: Timestamp,
    ) -> Result<Secret, Error> {
        self.state().secret(registry, id, now)
    }

    async fn replace_secret(
        &self,
        registry: &RegistryId,
        expected: &Secret,
        secret: &Secret,
    ) -> Result<(), Error> {
        self.state().replace_secret(registry, expected, secret)
    }

    async fn delete_secret(&self, registry: &RegistryId, name: &str) -> Result<(), Error> {
        self.state().delete_secret(registry, name)
    }

    async fn secrets(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<Secret>, Error> {
        Ok(self.state().secrets(registry, page, now))
    }

    async fn purge_secrets(&self, now: Timestamp) -> Result<u64, Error> {
        Ok(self.state().purge_secrets(now))
    }
}

impl State {
    pub(super) fn create_secret(
        &mut self,
        registry: &RegistryId,
        new: &NewSecret,
    ) -> Result<(), Error> {
        let secrets = &mut self.facts_mut(registry).secrets;
        let secret = &new.secret;
        if secrets.get(&secret.name).is_some_and(|held| !held.is_gone(secret.created_at)) {
            return Err(Error::AlreadyExists);
        }
        secrets.insert(secret.name.clone(), secret.clone());
        self.history.record(Change::Secret(registry.clone(), secret.name.clone()));
        Ok(())
    }

    pub(super) fn secret(
        &self,
        registry: &RegistryId,
        id: &SecretId,
        now: Timestamp,
    ) -> Result<Secret, Error> {
        let (name, suffix) = match id {
            SecretId::Name(name) => (name, None),
            SecretId::NameAndSuffix(name, suffix) => (name, Some(suffix)),
        };
        self.facts(registry)
            .and_then(|facts| facts.secrets.get(name))
            .filter(|secret| suffix.is_none_or(|suffix| *suffix == secret.arn_suffix))
            .filter(|secret| !secret.is_gone(now))
            .cloned()
            .ok_or(Error::NotFound)
    }

    pub(super) fn replace_secret(
        &mut self,
        registry: &RegistryId,
        expected: &Secret,
        secret: &Secret,
    ) -> Result<(), Error> {
        let secrets = &mut self.facts_mut(registry).secrets;
        let held = secrets.get_mut(&expected.name).filter(|held| *held == expected);
        *held.ok_or(Error::NotFound)? = Secret { name: expected.name.clone(), ..secret.clone() };
        self.history.record(Change::Secret(registry.clone(), expected.name.clone()));
        Ok(())
    }

    pub(super) fn delete_secret(&mut self, registry: &RegistryId, name: &str) -> Result<(), Error> {
        self.facts_mut(registry).secrets.remove(name).ok_or(Error::NotFound)?;
        self.history.record(Change::Secret(registry.clone(), name.to_owned()));
        Ok(())
    }

    pub(super) fn purge_secrets(&mut self, now: Timestamp) -> u64 {
        let mut purged = 0;
        for (registry, facts) in &mut self.registries {
            facts.secrets.retain(|name, secret| {
                if secret.is_gone(now) {
                    self.history.record(Change::Secret(registry.clone(), name.clone()));
                    purged += 1;
                }
                !secret.is_gone(now)
            });
        }
        purged
    }

    pub(super) fn secrets(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        now: Timestamp,
    ) -> Page<Secret> {
        let after = page.after.as_deref().map_or(Unbounded, Excluded);
        let held = self.facts(registry).into_iter();
        let held = held.flat_map(|facts| facts.secrets.range::<str, _>((after, Unbounded)));
        let secrets = held.map(|(_, secret)| secret).filter(|secret| !secret.is_gone(now));
        Page::take(page, secrets.cloned(), |secret| &secret.name)
    }
}
