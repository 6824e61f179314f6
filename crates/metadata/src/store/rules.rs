//! The contract of what a store knows of rules.

use std::fmt;

use async_trait::async_trait;

use crate::{Error, RegistryId, Rule, RuleCredentials, RulePolicy, Timestamp};

/// Pull through cache rules.
#[async_trait]
pub trait RuleStore: Send + Sync + fmt::Debug + 'static {
    /// Creates a rule; `limit` is how many the registry may have.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] where one has the same prefix key; [`Error::LimitExceeded`].
    async fn create_rule(
        &self,
        registry: &RegistryId,
        rule: &Rule,
        limit: Option<u32>,
    ) -> Result<(), Error>;

    /// Returns every rule of a registry, by prefix key.
    async fn rules(&self, registry: &RegistryId) -> Result<Vec<Rule>, Error>;

    /// Returns the registries that have a rule.
    async fn registries_with_rules(&self) -> Result<Vec<RegistryId>, Error>;

    /// Sets the credentials of a rule that are `Some`, leaves the others, and returns the rule.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn update_rule(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
        credentials: &RuleCredentials,
        at: Timestamp,
    ) -> Result<Rule, Error>;

    /// Sets the policy of a rule in place of the one it has, `None` where it is to have none, and
    /// returns the rule. Where `expected` is given that is the one it has to have; none at all
    /// counts as one that says nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such rule, or it has another policy.
    async fn set_rule_policy(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
        expected: Option<&RulePolicy>,
        policy: Option<&RulePolicy>,
    ) -> Result<Rule, Error>;

    /// Deletes a rule and returns it. Cached content stays.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_rule(&self, registry: &RegistryId, prefix_key: &str) -> Result<Rule, Error>;
}
