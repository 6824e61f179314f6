//! Removing secrets, at once or with a way back.

use metadata::Timestamp;

use super::{DeleteSecret, SecretView};
use crate::{Caller, Registry, SecretError, chain, registry::Inner};

/// Recovery window where none is named, and its bounds, in days.
const RECOVERY_DAYS: i64 = 30;
const RECOVERY_DAYS_BOUNDS: std::ops::RangeInclusive<i64> = 7..=30;
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

impl Registry {
    /// Removes a secret at once, or schedules it. The view's `delete_after` says when it is gone.
    ///
    /// # Errors
    /// [`SecretError::NotFound`], [`SecretError::ScheduledForDeletion`], [`SecretError::Invalid`].
    pub async fn delete_secret(
        &self,
        caller: &Caller,
        id: &str,
        delete: DeleteSecret,
    ) -> Result<SecretView, SecretError> {
        self.inner.authorize_secret(caller, "secretsmanager:DeleteSecret", id).await?;
        let days = recovery_days(delete)?;
        let inner = &self.inner;
        let registry = &caller.registry;
        let now = inner.clock.now();
        if delete.force {
            let mut view = inner.find_secret(registry, id).await?;
            match inner.metadata.delete_secret(registry, &view.secret.name).await {
                Ok(()) => inner.forget_secret(registry, &view.secret.name),
                // Somebody else was faster: it is as gone as was asked for.
                Err(metadata::Error::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
            view.secret.deleted_at = Some(now);
            view.secret.delete_after = Some(now);
            return Ok(view);
        }
        let schedule = |view: &mut SecretView| {
            view.require_live(id)?;
            view.secret.deleted_at = Some(now);
            view.secret.delete_after = Some(Timestamp(now.0 + days * DAY_MILLIS));
            Ok(())
        };
        Ok(inner.change_secret(registry, id, schedule).await?.0)
    }

    /// Takes a secret back that is scheduled for deletion. One that is not stays as it is.
    ///
    /// # Errors
    /// [`SecretError::NotFound`].
    pub async fn restore_secret(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<SecretView, SecretError> {
        self.inner.authorize_secret(caller, "secretsmanager:RestoreSecret", id).await?;
        let restore = |view: &mut SecretView| {
            view.secret.deleted_at = None;
            view.secret.delete_after = None;
            Ok(())
        };
        Ok(self.inner.change_secret(&caller.registry, id, restore).await?.0)
    }
}

impl Inner {
    /// Deletes the secrets whose time has come, sealed values and all. They are hidden from the
    /// moment it comes; this is when they leave the store.
    pub(crate) async fn purge_secrets(&self) {
        match self.metadata.purge_secrets(self.clock.now()).await {
            Ok(0) => {}
            Ok(purged) => tracing::info!(purged, "secrets past their deletion date are gone"),
            Err(error) => tracing::error!(
                error = chain(&error),
                "secrets past their deletion date cannot be deleted"
            ),
        }
    }
}

fn recovery_days(delete: DeleteSecret) -> Result<i64, SecretError> {
    let invalid = |reason: &str| SecretError::Invalid {
        field: "RecoveryWindowInDays",
        reason: reason.to_owned(),
    };
    match (delete.force, delete.recovery_window_days) {
        (true, Some(_)) => Err(invalid(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        )),
        (_, Some(days)) if !RECOVERY_DAYS_BOUNDS.contains(&days) => Err(invalid(
            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
        )),
        (_, days) => Ok(days.unwrap_or(RECOVERY_DAYS)),
    }
}
