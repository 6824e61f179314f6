//! Making secrets.

use metadata::{NewSecret, RegistryId, Secret, SecretVersion};

use super::{CreateSecret, SecretValue, SecretView, constraints, stages::CURRENT};
use crate::{
    Action, Caller, Registry, Resource, SecretArn, SecretError, random, secret_arn::SUFFIX_CHARS,
};

impl Registry {
    /// Makes a secret. The same name, token and value again is no error (idempotency by
    /// `ClientRequestToken`).
    ///
    /// # Errors
    /// [`SecretError::AlreadyExists`], [`SecretError::ScheduledForDeletion`],
    /// [`SecretError::Invalid`].
    pub async fn create_secret(
        &self,
        caller: &Caller,
        create: CreateSecret,
    ) -> Result<SecretView, SecretError> {
        let action = Action::Operation("secretsmanager:CreateSecret");
        self.inner.authorize(caller, action, Resource::Secret(&create.name))?;
        constraints::new_secret(&create)?;
        let inner = &self.inner;
        let registry = &caller.registry;
        let now = inner.clock.now();
        let suffix = random::letters_and_digits(SUFFIX_CHARS);
        let arn = SecretArn::format(registry, &create.name, &suffix);
        let version_id = create.client_request_token.clone().unwrap_or_else(random::uuid);
        let versions = create.value.iter().map(|value| SecretVersion {
            version_id: version_id.clone(),
            stages: vec![CURRENT.to_owned()],
            sealed_value: inner.seal_value(&arn, &version_id, value),
            created_at: now,
        });
        let secret = Secret {
            name: create.name.clone(),
            arn_suffix: suffix,
            description: create.description,
            kms_key_id: create.kms_key_id,
            tags: create.tags,
            resource_policy: None,
            created_at: now,
            changed_at: now,
            delete_after: None,
            deleted_at: None,
            versions: versions.collect(),
        };
        match inner.metadata.create_secret(registry, &NewSecret { secret: secret.clone() }).await {
            Ok(()) => {
                inner.forget_secret(registry, &create.name);
                Ok(SecretView::new(registry, secret))
            }
            Err(metadata::Error::AlreadyExists) => {
                let token = create.client_request_token.as_deref();
                self.created_before(registry, &create.name, token, create.value.as_ref()).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Decides whether a secret of that name is the one asked for, made by an earlier try.
    async fn created_before(
        &self,
        registry: &RegistryId,
        name: &str,
        token: Option<&str>,
        value: Option<&SecretValue>,
    ) -> Result<SecretView, SecretError> {
        let view = self.inner.find_secret(registry, name).await?;
        if view.secret.delete_after.is_some() {
            return Err(SecretError::ScheduledForDeletion { id: name.to_owned() });
        }
        let version =
            view.secret.versions.iter().find(|version| Some(version.version_id.as_str()) == token);
        let same = match (version, value) {
            (Some(version), Some(value)) => {
                self.inner.open_value(&view, version)?.bytes() == value.bytes()
            }
            _ => false,
        };
        if same { Ok(view) } else { Err(SecretError::AlreadyExists { name: name.to_owned() }) }
    }
}
