//! Reading secrets: by every name they have, by version id and by staging label.

use metadata::{RegistryId, SecretId, SecretVersion};

use super::{SecretSelector, SecretValue, SecretView, stages::CURRENT};
use crate::{
    Action, Caller, Registry, Resource, SecretArn, SecretError, registry::Inner,
    secret_arn::SUFFIX_CHARS,
};

impl Registry {
    /// Reads a value, by name, ARN or ARN without suffix.
    ///
    /// # Errors
    /// [`SecretError::NotFound`], [`SecretError::VersionNotFound`],
    /// [`SecretError::ScheduledForDeletion`].
    pub async fn secret_value(
        &self,
        caller: &Caller,
        id: &str,
        selector: &SecretSelector,
    ) -> Result<(SecretView, SecretVersion, SecretValue), SecretError> {
        self.inner.authorize_secret(caller, "secretsmanager:GetSecretValue", id).await?;
        self.inner.read_secret(&caller.registry, id, selector).await
    }

    /// Describes a secret, one scheduled for deletion included.
    ///
    /// # Errors
    /// [`SecretError::NotFound`].
    pub async fn describe_secret(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<SecretView, SecretError> {
        self.inner.authorize_secret(caller, "secretsmanager:DescribeSecret", id).await?;
        self.inner.find_secret(&caller.registry, id).await
    }
}

impl Inner {
    /// Checks that the caller may do something to a secret, by the secret's own ARN, whichever of
    /// its names it is asked for by: who is refused it is refused it by each of them.
    pub(super) async fn authorize_secret(
        &self,
        caller: &Caller,
        operation: &'static str,
        id: &str,
    ) -> Result<(), SecretError> {
        let registry = &caller.registry;
        let arn = match self.find_secret(registry, id).await {
            Ok(view) => SecretArn::parse(&view.arn),
            Err(SecretError::NotFound { .. }) => SecretArn::parse(id),
            Err(error) => return Err(error),
        };
        let name = arn.map_or_else(|| id.to_owned(), |arn| arn.name);
        let action = Action::Operation(operation);
        Ok(self.authorize(caller, action, Resource::Secret(&name))?)
    }

    /// Finds a secret by name, ARN, or ARN without suffix, in its own registry only.
    pub(super) async fn find_secret(
        &self,
        registry: &RegistryId,
        id: &str,
    ) -> Result<SecretView, SecretError> {
        let not_found = || SecretError::NotFound { id: id.to_owned() };
        let mut candidates = Vec::with_capacity(2);
        if id.starts_with("arn:") {
            let arn = SecretArn::parse(id).filter(|arn| arn.is_of(registry));
            let arn = arn.ok_or_else(not_found)?;
            if let Some((name, suffix)) = split_suffix(&arn.name) {
                candidates.push(SecretId::NameAndSuffix(name.to_owned(), suffix.to_owned()));
            }
            candidates.push(SecretId::Name(arn.name));
        } else {
            candidates.push(SecretId::Name(id.to_owned()));
        }
        let now = self.clock.now();
        for candidate in candidates {
            match self.metadata.secret(registry, &candidate, now).await {
                Ok(secret) => return Ok(SecretView::new(registry, secret)),
                Err(metadata::Error::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(not_found())
    }

    /// Finds and opens a value.
    pub(crate) async fn read_secret(
        &self,
        registry: &RegistryId,
        id: &str,
        selector: &SecretSelector,
    ) -> Result<(SecretView, SecretVersion, SecretValue), SecretError> {
        let view = self.find_secret(registry, id).await?;
        if view.secret.delete_after.is_some() {
            return Err(SecretError::ScheduledForDeletion { id: id.to_owned() });
        }
        let stage = match (&selector.stage, &selector.version_id) {
            (Some(stage), _) => Some(stage.as_str()),
            (None, Some(_)) => None,
            (None, None) => Some(CURRENT),
        };
        let fits = |version: &&SecretVersion| {
            selector.version_id.as_ref().is_none_or(|wanted| *wanted == version.version_id)
                && stage.is_none_or(|stage| version.stages.iter().any(|label| label == stage))
        };
        let version = view.secret.versions.iter().find(fits).cloned();
        let version = version.ok_or_else(|| SecretError::VersionNotFound {
            id: id.to_owned(),
            selector: describe_selector(selector),
        })?;
        let value = self.open_value(&view, &version)?;
        Ok((view, version, value))
    }

    pub(super) fn seal_value(&self, arn: &str, version_id: &str, value: &SecretValue) -> Vec<u8> {
        let (kind, bytes) = value.bytes();
        let plain = zeroize::Zeroizing::new([&[kind], bytes].concat());
        self.keyring.seal(&value_context(arn, version_id), &plain)
    }

    pub(super) fn open_value(
        &self,
        view: &SecretView,
        version: &SecretVersion,
    ) -> Result<SecretValue, SecretError> {
        let sealed = || SecretError::Sealed { id: view.arn.clone() };
        let context = value_context(&view.arn, &version.version_id);
        let plain = self.keyring.open(&context, &version.sealed_value).map_err(|_| sealed())?;
        let plain = zeroize::Zeroizing::new(plain);
        SecretValue::from_bytes(&plain).ok_or_else(sealed)
    }
}

fn value_context(arn: &str, version_id: &str) -> String {
    format!("secret {arn} {version_id}")
}

fn split_suffix(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('-').filter(|(_, suffix)| suffix.len() == SUFFIX_CHARS)
}

fn describe_selector(selector: &SecretSelector) -> String {
    match (&selector.version_id, &selector.stage) {
        (Some(id), Some(stage)) => format!("VersionId: {id} and staging label: {stage}"),
        (Some(id), None) => format!("VersionId: {id}"),
        (None, Some(stage)) => format!("staging label: {stage}"),
        (None, None) => format!("staging label: {CURRENT}"),
    }
}
