//! What is attached to a secret: tags and a resource policy.

use super::{SecretView, constraints, policy};
use crate::{Action, Caller, Registry, Resource, SecretError};

impl Registry {
    /// Sets tags of a secret; those of the same key are replaced in their place.
    ///
    /// # Errors
    /// [`SecretError::NotFound`], [`SecretError::ScheduledForDeletion`], [`SecretError::Invalid`],
    /// [`SecretError::LimitExceeded`].
    pub async fn tag_secret(
        &self,
        caller: &Caller,
        id: &str,
        tags: &[(String, String)],
    ) -> Result<SecretView, SecretError> {
        self.inner.authorize_secret(caller, "secretsmanager:TagResource", id).await?;
        constraints::tags(tags)?;
        let change = |view: &mut SecretView| {
            view.require_live(id)?;
            let held = &mut view.secret.tags;
            for (key, value) in tags {
                match held.iter_mut().find(|(held_key, _)| held_key == key) {
                    Some((_, held_value)) => held_value.clone_from(value),
                    None => held.push((key.clone(), value.clone())),
                }
            }
            constraints::tag_count(held.len())
        };
        Ok(self.inner.change_secret(&caller.registry, id, change).await?.0)
    }

    /// Removes tags of a secret by their keys. A key that it does not have is no error.
    ///
    /// # Errors
    /// As [`Registry::tag_secret`].
    pub async fn untag_secret(
        &self,
        caller: &Caller,
        id: &str,
        keys: &[String],
    ) -> Result<SecretView, SecretError> {
        self.inner.authorize_secret(caller, "secretsmanager:UntagResource", id).await?;
        keys.iter().try_for_each(|key| constraints::tag_key(key))?;
        let change = |view: &mut SecretView| {
            view.require_live(id)?;
            view.secret.tags.retain(|(key, _)| !keys.contains(key));
            Ok(())
        };
        Ok(self.inner.change_secret(&caller.registry, id, change).await?.0)
    }

    /// Returns a secret for its resource policy.
    ///
    /// # Errors
    /// [`SecretError::NotFound`], [`SecretError::ScheduledForDeletion`].
    pub async fn secret_policy(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<SecretView, SecretError> {
        self.inner.authorize_secret(caller, "secretsmanager:GetResourcePolicy", id).await?;
        let view = self.inner.find_secret(&caller.registry, id).await?;
        view.require_live(id)?;
        Ok(view)
    }

    /// Tells whether a resource policy that could be put on a secret lets everybody in.
    ///
    /// # Errors
    /// [`SecretError::MalformedPolicy`]; where a secret is named, [`SecretError::NotFound`] and
    /// [`SecretError::ScheduledForDeletion`].
    pub async fn secret_policy_is_public(
        &self,
        caller: &Caller,
        id: Option<&str>,
        resource_policy: &str,
    ) -> Result<bool, SecretError> {
        const OPERATION: &str = "secretsmanager:ValidateResourcePolicy";
        let Some(id) = id else {
            let action = Action::Operation(OPERATION);
            self.inner.authorize(caller, action, Resource::Secret("*"))?;
            return policy::is_public(resource_policy);
        };
        self.inner.authorize_secret(caller, OPERATION, id).await?;
        self.inner.find_secret(&caller.registry, id).await?.require_live(id)?;
        policy::is_public(resource_policy)
    }

    /// Keeps the resource policy of a secret, or removes it. It is kept as sent; who may do what
    /// does not follow from it yet.
    ///
    /// # Errors
    /// [`SecretError::NotFound`], [`SecretError::ScheduledForDeletion`];
    /// [`SecretError::MalformedPolicy`]; [`SecretError::PublicPolicy`] where `block_public` and
    /// the policy lets everybody in.
    pub async fn set_secret_policy(
        &self,
        caller: &Caller,
        id: &str,
        resource_policy: Option<&str>,
        block_public: bool,
    ) -> Result<SecretView, SecretError> {
        let operation = match resource_policy {
            Some(_) => "secretsmanager:PutResourcePolicy",
            None => "secretsmanager:DeleteResourcePolicy",
        };
        self.inner.authorize_secret(caller, operation, id).await?;
        if let Some(text) = resource_policy {
            policy::check(text, block_public)?;
        }
        let change = |view: &mut SecretView| {
            view.require_live(id)?;
            view.secret.resource_policy = resource_policy.map(str::to_owned);
            Ok(())
        };
        Ok(self.inner.change_secret(&caller.registry, id, change).await?.0)
    }
}
