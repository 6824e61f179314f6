//! Other credentials for a rule. Nothing else of a rule can change, and none can be taken away.

use metadata::RuleCredentials;

use super::{RuleSource, RuleView, check_role, key_of, not_found, parse_prefix};
use crate::{Action, Caller, Registry, Resource, RuleError};

impl Registry {
    /// Sets the credentials of a rule that are given and leaves the others. Contacts no upstream.
    ///
    /// # Errors
    /// [`RuleError::NothingToUpdate`] where none is given, [`RuleError::NotFound`],
    /// [`RuleError::Declared`], and as [`Registry::create_rule`] for the secret and the role.
    pub async fn update_rule(
        &self,
        caller: &Caller,
        prefix: &str,
        credentials: RuleCredentials,
    ) -> Result<RuleView, RuleError> {
        let action = Action::Operation("ecr:UpdatePullThroughCacheRule");
        self.inner.authorize(caller, action, Resource::Registry)?;
        let (inner, registry) = (&self.inner, &caller.registry);
        parse_prefix("ecrRepositoryPrefix", prefix)?;
        if credentials == RuleCredentials::default() {
            return Err(RuleError::NothingToUpdate);
        }
        let booked = inner.changeable_rule(registry, prefix).await?;
        if let Some(arn) = &credentials.credential_arn {
            inner.check_secret(registry, arn).await?;
        }
        if let Some(arn) = &credentials.custom_role_arn {
            let url = &booked.rule.upstream_registry_url;
            check_role(url, Some(arn), registry, &inner.settings)?;
        }
        let now = inner.clock.now();
        let updated = inner.metadata.update_rule(registry, key_of(prefix), &credentials, now).await;
        let rule = updated.map_err(|error| match error {
            metadata::Error::NotFound => not_found(prefix, registry),
            error => error.into(),
        })?;
        inner.forget_rules(registry);
        Ok(RuleView::new(rule, RuleSource::Stored))
    }
}
