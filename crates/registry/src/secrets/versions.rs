//! Versions of a secret: new values, and the staging labels that say which is in force.

use metadata::{Page, PageRequest, SecretVersion};

use super::{
    SecretValue, SecretView, constraints,
    stages::{self, CURRENT},
};
use crate::{Caller, Registry, SecretError, random, registry::Inner};

/// A new version of a secret.
#[derive(Clone, Debug)]
pub struct PutSecretValue {
    /// Its id; a UUID is made where there is none.
    pub client_request_token: Option<String>,
    /// Its value.
    pub value: SecretValue,
    /// Its staging labels; `AWSCURRENT` where none are named.
    pub stages: Option<Vec<String>>,
}

/// What is to change about a secret; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct UpdateSecret {
    /// The id of the new version, where there is a value.
    pub client_request_token: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// KMS key, as sent.
    pub kms_key_id: Option<String>,
    /// The value of a new version, which is in force at once.
    pub value: Option<SecretValue>,
}

/// Where a staging label is to go.
#[derive(Clone, Debug, Default)]
pub struct MoveStage {
    /// The label.
    pub stage: String,
    /// The version that has it now.
    pub from: Option<String>,
    /// The version that is to have it; none where it is to be removed.
    pub to: Option<String>,
}

impl Registry {
    /// Adds a version to a secret. The same token and value again is no error. Returns the
    /// version.
    ///
    /// # Errors
    /// [`SecretError::NotFound`], [`SecretError::ScheduledForDeletion`], [`SecretError::Invalid`];
    /// [`SecretError::TokenInUse`] where the version is there with another value;
    /// [`SecretError::LimitExceeded`].
    pub async fn put_secret_value(
        &self,
        caller: &Caller,
        id: &str,
        put: PutSecretValue,
    ) -> Result<(SecretView, SecretVersion), SecretError> {
        self.inner.authorize_secret(caller, "secretsmanager:PutSecretValue", id).await?;
        constraints::token(put.client_request_token.as_deref())?;
        constraints::value(&put.value)?;
        let stages = put.stages.unwrap_or_else(|| vec![CURRENT.to_owned()]);
        constraints::stages("VersionStages", &stages)?;
        let version_id = put.client_request_token.unwrap_or_else(random::uuid);
        let add = |view: &mut SecretView| {
            view.require_live(id)?;
            self.inner.add_version(view, &version_id, &put.value, &stages)
        };
        self.inner.change_secret(&caller.registry, id, add).await
    }

    /// Changes a secret; a value becomes a new version that is in force at once. Returns the
    /// version, where there was a value.
    ///
    /// # Errors
    /// As [`Registry::put_secret_value`].
    pub async fn update_secret(
        &self,
        caller: &Caller,
        id: &str,
        update: UpdateSecret,
    ) -> Result<(SecretView, Option<SecretVersion>), SecretError> {
        self.inner.authorize_secret(caller, "secretsmanager:UpdateSecret", id).await?;
        constraints::token(update.client_request_token.as_deref())?;
        constraints::texts(update.description.as_deref(), update.kms_key_id.as_deref())?;
        update.value.as_ref().map_or(Ok(()), constraints::value)?;
        let version_id = update.client_request_token.unwrap_or_else(random::uuid);
        let current = [CURRENT.to_owned()];
        let change = |view: &mut SecretView| {
            view.require_live(id)?;
            if let Some(description) = &update.description {
                view.secret.description = Some(description.clone());
            }
            if let Some(kms_key_id) = &update.kms_key_id {
                view.secret.kms_key_id = Some(kms_key_id.clone());
            }
            let value = update.value.as_ref();
            value
                .map(|value| self.inner.add_version(view, &version_id, value, &current))
                .transpose()
        };
        self.inner.change_secret(&caller.registry, id, change).await
    }

    /// Lists the versions of a secret, oldest first, one scheduled for deletion included. A page
    /// starts after a version id.
    ///
    /// # Errors
    /// [`SecretError::NotFound`]; [`SecretError::Invalid`] where a page starts nowhere.
    pub async fn secret_versions(
        &self,
        caller: &Caller,
        id: &str,
        include_unlabelled: bool,
        page: &PageRequest,
    ) -> Result<(SecretView, Page<SecretVersion>), SecretError> {
        self.inner.authorize_secret(caller, "secretsmanager:ListSecretVersionIds", id).await?;
        let view = self.inner.find_secret(&caller.registry, id).await?;
        let versions = &view.secret.versions;
        let start = match &page.after {
            None => 0,
            Some(after) => {
                let place = versions.iter().position(|version| version.version_id == *after);
                place.ok_or_else(super::list::no_such_page)? + 1
            }
        };
        let is_listed = |version: &&SecretVersion| include_unlabelled || !version.stages.is_empty();
        let mut rest = versions[start..].iter().filter(is_listed).cloned();
        let items: Vec<_> = rest.by_ref().take(page.limit).collect();
        let last = items.last().filter(|_| rest.next().is_some());
        let next = last.map(|version| version.version_id.clone());
        Ok((view, Page { items, next }))
    }

    /// Moves a staging label to a version, attaches it, or removes it.
    ///
    /// # Errors
    /// [`SecretError::NotFound`], [`SecretError::VersionNotFound`],
    /// [`SecretError::ScheduledForDeletion`], [`SecretError::LimitExceeded`];
    /// [`SecretError::Invalid`] where the label is not where the caller believes.
    pub async fn move_secret_stage(
        &self,
        caller: &Caller,
        id: &str,
        step: &MoveStage,
    ) -> Result<SecretView, SecretError> {
        self.inner.authorize_secret(caller, "secretsmanager:UpdateSecretVersionStage", id).await?;
        constraints::stages("VersionStage", std::slice::from_ref(&step.stage))?;
        let change = |view: &mut SecretView| {
            view.require_live(id)?;
            apply(view, id, step)
        };
        Ok(self.inner.change_secret(&caller.registry, id, change).await?.0)
    }
}

impl Inner {
    /// Adds a version with its labels, or finds that an earlier try did.
    fn add_version(
        &self,
        view: &mut SecretView,
        version_id: &str,
        value: &SecretValue,
        labels: &[String],
    ) -> Result<SecretVersion, SecretError> {
        let held = view.secret.versions.iter().find(|version| version.version_id == version_id);
        if let Some(version) = held {
            if self.open_value(view, version)?.bytes() == value.bytes() {
                return Ok(version.clone());
            }
            let (token, arn) = (version_id.to_owned(), view.arn.clone());
            return Err(SecretError::TokenInUse { token, arn });
        }
        let now = self.clock.now();
        let version = SecretVersion {
            version_id: version_id.to_owned(),
            stages: Vec::new(),
            sealed_value: self.seal_value(&view.arn, version_id, value),
            created_at: now,
        };
        let versions = &mut view.secret.versions;
        let place = versions.len();
        versions.push(version);
        // "If this operation creates the first version for the secret, then Secrets Manager
        // automatically attaches the staging label AWSCURRENT to it" (PutSecretValue).
        let first = (place == 0).then_some(CURRENT);
        for label in first.into_iter().chain(labels.iter().map(String::as_str)) {
            stages::give(versions, label, place);
        }
        stages::check_count(versions)?;
        let version = versions[place].clone();
        stages::make_room(versions, now)?;
        Ok(version)
    }
}

/// Applies `UpdateSecretVersionStage`, in the order in which Secrets Manager checks.
fn apply(view: &mut SecretView, id: &str, step: &MoveStage) -> Result<(), SecretError> {
    let MoveStage { stage, from, to } = step;
    let versions = &mut view.secret.versions;
    let place = |wanted: &String| {
        let place = versions.iter().position(|version| version.version_id == *wanted);
        place.ok_or_else(|| SecretError::VersionNotFound {
            id: id.to_owned(),
            selector: format!("VersionId: {wanted}"),
        })
    };
    let from = from.as_ref().map(place).transpose()?;
    let to = to.as_ref().map(place).transpose()?;
    let holder = stages::holder(versions, stage);
    let invalid = |field, reason| Err(SecretError::Invalid { field, reason });
    match (from, to, holder) {
        (None, None, _) => {
            let reason = "name the version to take the label from, the one to give it to, or both";
            return invalid("MoveToVersionId", reason.to_owned());
        }
        (Some(from), _, holder) if holder != Some(from) => {
            let from = &versions[from].version_id;
            let reason = format!("Staging label {stage} is not attached to version {from}.");
            return invalid("RemoveFromVersionId", reason);
        }
        (Some(_), None, _) if stage == CURRENT => {
            let reason = "You can only move staging label AWSCURRENT to a different secret version. \
                          It can’t be completely removed.";
            return invalid("MoveToVersionId", reason.to_owned());
        }
        (None, Some(to), Some(holder)) if holder != to => {
            let holder = &versions[holder].version_id;
            let reason = format!(
                "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is \
                 currently attached to version {holder}, so you must explicitly reference that \
                 version in RemoveFromVersionId."
            );
            return invalid("RemoveFromVersionId", reason);
        }
        (_, Some(to), _) => stages::give(versions, stage, to),
        (Some(_), None, _) => stages::take(versions, stage),
    }
    stages::check_count(versions)
}
