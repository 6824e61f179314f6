//! Policies of rules: set, shown, taken away.
//!
//! Where a rule is stored, its policy is stored with it and goes with it; where it is declared, so
//! is its policy. What a policy leaves open is what the registry says for every rule
//! ([`Settings::default_policy`](crate::Settings)), then the registry's limits. With `strict_ecr`
//! there are no policies: what a pull does is what it does in ECR.

mod constraints;
mod resolved;

use metadata::{Page, PageRequest, RulePolicy};

use crate::{
    Action, Caller, Registry, Resource, RuleError, RuleSource,
    matching::BookedRule,
    rules::{key_of, not_found},
};

pub use constraints::{PolicyFault, check_policy};
pub use resolved::Freshness;

pub(crate) use resolved::Policy;

/// The policy of a rule as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulePolicyView {
    /// The prefix of the rule, as typed.
    pub ecr_repository_prefix: String,
    /// Where the rule is kept, and its policy with it.
    pub source: RuleSource,
    /// What the rule itself says; none where it says nothing.
    pub policy: Option<RulePolicy>,
    /// What holds: every member is there.
    pub effective: RulePolicy,
}

impl Registry {
    /// Sets the policy of a stored rule, in place of the one it has. Takes effect at once. Where
    /// `expected` is given that is the one it has to have, for whoever read it and changed it; none
    /// at all is one that says nothing.
    ///
    /// # Errors
    /// [`RuleError::NoPolicies`] where exactly ECR's constraints hold, [`RuleError::Invalid`] with
    /// the member, [`RuleError::NotFound`], [`RuleError::Declared`], [`RuleError::PolicyChanged`].
    pub async fn put_rule_policy(
        &self,
        caller: &Caller,
        prefix: &str,
        expected: Option<&RulePolicy>,
        policy: RulePolicy,
    ) -> Result<RulePolicyView, RuleError> {
        let action = Action::Operation("cistern:PutPullThroughCacheRulePolicy");
        self.inner.authorize(caller, action, Resource::Registry)?;
        self.require_policies()?;
        check_policy(&policy)?;
        self.inner.changeable_rule(&caller.registry, prefix).await?;
        self.set_policy(caller, prefix, expected, Some(&policy)).await
    }

    /// Takes the policy of a stored rule away: what the registry says holds for it. Returns what
    /// it had.
    ///
    /// # Errors
    /// As [`Registry::put_rule_policy`].
    pub async fn delete_rule_policy(
        &self,
        caller: &Caller,
        prefix: &str,
        expected: Option<&RulePolicy>,
    ) -> Result<RulePolicyView, RuleError> {
        let action = Action::Operation("cistern:DeletePullThroughCacheRulePolicy");
        self.inner.authorize(caller, action, Resource::Registry)?;
        self.require_policies()?;
        let had = self.inner.changeable_rule(&caller.registry, prefix).await?;
        self.set_policy(caller, prefix, expected, None).await?;
        Ok(had.policy_view())
    }

    /// Lists the policies of rules by prefix: of the named ones, or of all.
    ///
    /// # Errors
    /// As [`Registry::rules`]; [`RuleError::NoPolicies`].
    pub async fn rule_policies(
        &self,
        caller: &Caller,
        prefixes: &[String],
        page: &PageRequest,
    ) -> Result<Page<RulePolicyView>, RuleError> {
        let action = Action::Operation("cistern:DescribePullThroughCacheRulePolicies");
        self.inner.authorize(caller, action, Resource::Registry)?;
        self.require_policies()?;
        let found = self.inner.booked_rules(&caller.registry, prefixes, page).await?;
        let items = found.items.iter().map(|booked| booked.policy_view()).collect();
        Ok(Page { items, next: found.next })
    }

    fn require_policies(&self) -> Result<(), RuleError> {
        if self.inner.settings.strict_ecr { Err(RuleError::NoPolicies) } else { Ok(()) }
    }

    async fn set_policy(
        &self,
        caller: &Caller,
        prefix: &str,
        expected: Option<&RulePolicy>,
        policy: Option<&RulePolicy>,
    ) -> Result<RulePolicyView, RuleError> {
        let (inner, registry, key) = (&self.inner, &caller.registry, key_of(prefix));
        let set = inner.metadata.set_rule_policy(registry, key, expected, policy).await;
        let rule = match set {
            Ok(rule) => rule,
            Err(metadata::Error::NotFound) => {
                // What another process did is read again, here and by who was refused.
                inner.forget_rules(registry);
                let is_there = inner.book(registry).await?.get(key).is_some();
                let prefix_typed = prefix.to_owned();
                return Err(match expected {
                    Some(_) if is_there => RuleError::PolicyChanged { prefix: prefix_typed },
                    _ => not_found(prefix, registry),
                });
            }
            Err(error) => return Err(error.into()),
        };
        inner.forget_rules(registry);
        Ok(BookedRule::stored(rule, &inner.settings).policy_view())
    }
}

impl BookedRule {
    fn policy_view(&self) -> RulePolicyView {
        RulePolicyView {
            ecr_repository_prefix: self.rule.ecr_repository_prefix.to_string(),
            source: self.source.clone(),
            policy: self.rule.policy.clone(),
            effective: self.policy.to_members(),
        }
    }
}
