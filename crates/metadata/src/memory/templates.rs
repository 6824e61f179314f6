//! Repository creation templates in memory.

use super::State;
use crate::{Error, RegistryId, Template};

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
