//! Whether a rule would work: its secret is read and its upstream is asked, now.
//!
//! ECR API reference, `ValidatePullThroughCacheRule`: the secret is retrieved, its syntax verified,
//! and authentication to the upstream tried. Rights on a repository are not.

use rand::Rng as _;
use upstream::Identity;

use super::{RuleView, parse_prefix};
use crate::{
    Action, Caller, Registry, Resource, RuleError, SecretError, registry::Inner,
    upstreams::target_of,
};

/// A rule, and what is wrong with it.
#[derive(Debug)]
pub struct RuleValidation {
    /// The rule.
    pub view: RuleView,
    /// Why it would not work; absent where it would.
    pub failure: Option<RuleFailure>,
}

/// Why a rule would not work.
#[derive(Debug, thiserror::Error)]
pub enum RuleFailure {
    /// Its secret is not there, or not usable.
    #[error(transparent)]
    Secret(SecretError),
    /// Its upstream refused what it was shown, or could not be asked.
    #[error(transparent)]
    Upstream(upstream::Error),
}

impl Registry {
    /// Reads a rule's secret, connects to its upstream and authenticates there. The circuit of the
    /// upstream learns how that ended.
    ///
    /// # Errors
    /// [`RuleError::NotFound`], and the store's. What is wrong with the rule is no error but the
    /// answer.
    pub async fn validate_rule(
        &self,
        caller: &Caller,
        prefix: &str,
    ) -> Result<RuleValidation, RuleError> {
        let action = Action::Operation("ecr:ValidatePullThroughCacheRule");
        self.inner.authorize(caller, action, Resource::Registry)?;
        parse_prefix("ecrRepositoryPrefix", prefix)?;
        let view = self.inner.booked_rule(&caller.registry, prefix).await?.view();
        match self.inner.try_rule(caller, &view).await {
            Ok(()) => Ok(RuleValidation { view, failure: None }),
            // A store that fails says nothing about the rule.
            Err(RuleFailure::Secret(SecretError::Storage(error))) => Err(error.into()),
            Err(failure) => Ok(RuleValidation { view, failure: Some(failure) }),
        }
    }
}

impl Inner {
    async fn try_rule(&self, caller: &Caller, view: &RuleView) -> Result<(), RuleFailure> {
        let rule = &view.rule;
        // As stored, not as remembered: a secret may have been rotated at another replica just now.
        let eyes = match &rule.credentials.credential_arn {
            Some(arn) => {
                let eyes = self.stored_eyes(&caller.registry, arn).await;
                Some(eyes.map_err(RuleFailure::Secret)?)
            }
            None => None,
        };
        let mut target = target_of(rule, "", eyes, self.neighbour(&caller.registry, rule));
        if target.identity != Identity::anonymous() {
            // An identity that nobody had: a token of earlier says nothing about a password now.
            let unheard_of: [u8; 16] = rand::rng().random();
            target.identity = Identity::fingerprint(&self.keyring.fingerprint(&[&unheard_of]));
        }
        match self.upstream.authenticate(&target).await {
            Ok(()) => {
                self.circuits.succeeded(&target.registry_url);
                Ok(())
            }
            Err(error) => {
                self.note(&target, &error);
                Err(RuleFailure::Upstream(error))
            }
        }
    }
}
