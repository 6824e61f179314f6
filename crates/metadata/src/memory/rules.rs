//! Rules in memory.

use super::{MemoryMetadata, State};
use crate::{Change, Error, RegistryId, Rule, RuleCredentials, RulePolicy, RuleStore, Timestamp};
use async_trait::async_trait;

#[async_trait]
impl RuleStore for MemoryMetadata {
    async fn create_rule(
        &self,
        registry: &RegistryId,
        rule: &Rule,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        self.state().create_rule(registry, rule, limit)
    }

    async fn rules(&self, registry: &RegistryId) -> Result<Vec<Rule>, Error> {
        Ok(self.state().rules(registry))
    }

    async fn registries_with_rules(&self) -> Result<Vec<RegistryId>, Error> {
        Ok(self.state().registries_with_rules())
    }

    async fn update_rule(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
        credentials: &RuleCredentials,
        at: Timestamp,
    ) -> Result<Rule, Error> {
        self.state().update_rule(registry, prefix_key, credentials, at)
    }

    async fn set_rule_policy(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
        expected: Option<&RulePolicy>,
        policy: Option<&RulePolicy>,
    ) -> Result<Rule, Error> {
        self.state().set_rule_policy(registry, prefix_key, expected, policy)
    }

    async fn delete_rule(&self, registry: &RegistryId, prefix_key: &str) -> Result<Rule, Error> {
        self.state().delete_rule(registry, prefix_key)
    }
}

impl State {
    pub(super) fn create_rule(
        &mut self,
        registry: &RegistryId,
        rule: &Rule,
        limit: Option<u32>,
    ) -> Result<(), Error> {
        let rules = &mut self.facts_mut(registry).rules;
        let key = rule.ecr_repository_prefix.key();
        if rules.contains_key(key) {
            return Err(Error::AlreadyExists);
        }
        if let Some(limit) = limit.filter(|limit| rules.len() >= *limit as usize) {
            return Err(Error::LimitExceeded { limit });
        }
        rules.insert(key.to_owned(), rule.clone());
        self.history.record(Change::Rules(registry.clone()));
        Ok(())
    }

    pub(super) fn rules(&self, registry: &RegistryId) -> Vec<Rule> {
        self.facts(registry).into_iter().flat_map(|facts| facts.rules.values().cloned()).collect()
    }

    pub(super) fn registries_with_rules(&self) -> Vec<RegistryId> {
        let with_rules = self.registries.iter().filter(|(_, facts)| !facts.rules.is_empty());
        with_rules.map(|(registry, _)| registry.clone()).collect()
    }

    pub(super) fn update_rule(
        &mut self,
        registry: &RegistryId,
        prefix_key: &str,
        credentials: &RuleCredentials,
        at: Timestamp,
    ) -> Result<Rule, Error> {
        let rules = &mut self.facts_mut(registry).rules;
        let rule = rules.get_mut(prefix_key).ok_or(Error::NotFound)?;
        let RuleCredentials { credential_arn, custom_role_arn } = credentials.clone();
        if credential_arn.is_some() {
            rule.credentials.credential_arn = credential_arn;
        }
        if custom_role_arn.is_some() {
            rule.credentials.custom_role_arn = custom_role_arn;
        }
        rule.updated_at = at;
        let updated = rule.clone();
        self.history.record(Change::Rules(registry.clone()));
        Ok(updated)
    }

    pub(super) fn set_rule_policy(
        &mut self,
        registry: &RegistryId,
        prefix_key: &str,
        expected: Option<&RulePolicy>,
        policy: Option<&RulePolicy>,
    ) -> Result<Rule, Error> {
        let rules = &mut self.facts_mut(registry).rules;
        let rule = rules.get_mut(prefix_key).ok_or(Error::NotFound)?;
        if expected.is_some_and(|expected| !rule.has_policy(expected)) {
            return Err(Error::NotFound);
        }
        rule.policy = policy.cloned();
        let changed = rule.clone();
        self.history.record(Change::Rules(registry.clone()));
        Ok(changed)
    }

    pub(super) fn delete_rule(
        &mut self,
        registry: &RegistryId,
        prefix_key: &str,
    ) -> Result<Rule, Error> {
        let deleted = self.facts_mut(registry).rules.remove(prefix_key).ok_or(Error::NotFound)?;
        self.history.record(Change::Rules(registry.clone()));
        Ok(deleted)
    }
}
