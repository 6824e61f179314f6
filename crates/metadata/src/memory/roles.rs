//! Roles in memory.

use async_trait::async_trait;
use std::ops::Bound::{Excluded, Unbounded};

use super::{MemoryMetadata, State};
use crate::{Change, Error, Page, PageRequest, RegistryId, Role, RoleStore};

#[async_trait]
impl RoleStore for MemoryMetadata {
    async fn create_role(
        &self,
        registry: &RegistryId,
        role: &Role,
        limit: u32,
    ) -> Result<(), Error> {
        self.state().create_role(registry, role, limit)
    }

    async fn role(&self, registry: &RegistryId, name: &str) -> Result<Role, Error> {
        self.state().role(registry, name)
    }

    async fn replace_role(
        &self,
        registry: &RegistryId,
        expected: &Role,
        role: &Role,
    ) -> Result<(), Error> {
        self.state().replace_role(registry, expected, role)
    }

    async fn delete_role(&self, registry: &RegistryId, expected: &Role) -> Result<(), Error> {
        self.state().delete_role(registry, expected)
    }

    async fn roles(&self, registry: &RegistryId, page: &PageRequest) -> Result<Page<Role>, Error> {
        Ok(self.state().roles(registry, page))
    }
}

impl State {
    pub(super) fn create_role(
        &mut self,
        registry: &RegistryId,
        role: &Role,
        limit: u32,
    ) -> Result<(), Error> {
        let roles = &mut self.facts_mut(registry).roles;
        if roles.contains_key(&role.key()) {
            return Err(Error::AlreadyExists);
        }
        if roles.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            return Err(Error::LimitExceeded { limit });
        }
        roles.insert(role.key(), role.clone());
        self.history.record(Change::Role(registry.clone(), role.name.clone()));
        Ok(())
    }

    pub(super) fn role(&self, registry: &RegistryId, name: &str) -> Result<Role, Error> {
        self.facts(registry)
            .and_then(|facts| facts.roles.get(&Role::key_of(name)))
            .cloned()
            .ok_or(Error::NotFound)
    }

    pub(super) fn replace_role(
        &mut self,
        registry: &RegistryId,
        expected: &Role,
        role: &Role,
    ) -> Result<(), Error> {
        let roles = &mut self.facts_mut(registry).roles;
        let held = roles.get_mut(&expected.key()).filter(|held| *held == expected);
        *held.ok_or(Error::NotFound)? = Role { name: expected.name.clone(), ..role.clone() };
        self.history.record(Change::Role(registry.clone(), expected.name.clone()));
        Ok(())
    }

    pub(super) fn delete_role(
        &mut self,
        registry: &RegistryId,
        expected: &Role,
    ) -> Result<(), Error> {
        let roles = &mut self.facts_mut(registry).roles;
        if roles.get(&expected.key()) != Some(expected) {
            return Err(Error::NotFound);
        }
        roles.remove(&expected.key());
        self.history.record(Change::Role(registry.clone(), expected.name.clone()));
        Ok(())
    }

    pub(super) fn roles(&self, registry: &RegistryId, page: &PageRequest) -> Page<Role> {
        let after = page.after.as_deref().map_or(Unbounded, Excluded);
        let held = self.facts(registry).into_iter();
        let held = held.flat_map(|facts| facts.roles.range::<str, _>((after, Unbounded)));
        let page = Page::take(page, held, |(key, _)| key);
        Page {
            items: page.items.into_iter().map(|(_, role)| role.clone()).collect(),
            next: page.next,
        }
    }
}
