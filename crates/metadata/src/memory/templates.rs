//! Repository creation templates in memory.

use super::{MemoryMetadata, State};
use crate::{Error, RegistryId, Template, TemplateStore};
use async_trait::async_trait;

#[async_trait]
impl TemplateStore for MemoryMetadata {
    async fn create_template(
        &self,
        registry: &RegistryId,
        template: &Template,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        self.state().create_template(registry, template, limit)
    }

    async fn templates(&self, registry: &RegistryId) -> Result<Vec<Template>, Error> {
        Ok(self.state().templates(registry))
    }

    async fn replace_template(
        &self,
        registry: &RegistryId,
        expected: &Template,
        template: &Template,
    ) -> Result<(), Error> {
        self.state().replace_template(registry, expected, template)
    }

    async fn delete_template(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
    ) -> Result<Template, Error> {
        self.state().delete_template(registry, prefix_key)
    }
}

impl State {
    pub(super) fn create_template(
        &mut self,
        registry: &RegistryId,
        template: &Template,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        let templates = &mut self.facts_mut(registry).templates;
        let key = template.prefix.key();
        if templates.contains_key(key) {
            return Err(Error::AlreadyExists);
        }
        if let Some(limit) = limit.filter(|limit| templates.len() >= *limit as usize) {
            return Err(Error::LimitExceeded { limit });
        }
        templates.insert(key.to_owned(), template.clone());
        Ok(())
    }

    pub(super) fn templates(&self, registry: &RegistryId) -> Vec<Template> {
        let facts = self.facts(registry).into_iter();
        facts.flat_map(|facts| facts.templates.values().cloned()).collect()
    }

    pub(super) fn replace_template(
        &mut self,
        registry: &RegistryId,
        expected: &Template,
        template: &Template,
    ) -> Result<(), Error> {
        let templates = &mut self.facts_mut(registry).templates;
        let held = templates.get_mut(expected.prefix.key()).filter(|held| *held == expected);
        let prefix = expected.prefix.clone();
        *held.ok_or(Error::NotFound)? = Template { prefix, ..template.clone() };
        Ok(())
    }

    pub(super) fn delete_template(
        &mut self,
        registry: &RegistryId,
        prefix_key: &str,
    ) -> Result<Template, Error> {
        self.facts_mut(registry).templates.remove(prefix_key).ok_or(Error::NotFound)
    }
}
