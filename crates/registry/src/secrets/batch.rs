//! The values of many secrets at once.

use metadata::{PageRequest, SecretVersion};

use super::{ListSecrets, SecretFilter, SecretSelector, SecretValue, SecretView};
use crate::{Action, Caller, Registry, Resource, SecretError};

/// Which secrets a batch is of.
#[derive(Clone, Debug)]
pub enum SecretSelection {
    /// Those of these names and ARNs.
    Ids(Vec<String>),
    /// Those that match all of these, a page of them.
    Filters(Vec<SecretFilter>, PageRequest),
}

/// The values of many secrets, and what is wrong with those that have none to give.
#[derive(Debug, Default)]
pub struct SecretBatch {
    /// Secrets with their current versions.
    pub values: Vec<(SecretView, SecretVersion, SecretValue)>,
    /// Names or ARNs as they were selected, each with what is wrong.
    pub failures: Vec<(String, SecretError)>,
    /// Where the next page begins, of a selection by filters.
    pub next: Option<String>,
}

impl Registry {
    /// Reads the current values of many secrets. What is wrong with one of them is told beside the
    /// others.
    ///
    /// # Errors
    /// [`SecretError::Denied`] of the whole; [`SecretError::Storage`]; [`SecretError::Invalid`]
    /// where a page starts nowhere.
    pub async fn secret_values(
        &self,
        caller: &Caller,
        selection: SecretSelection,
    ) -> Result<SecretBatch, SecretError> {
        let action = Action::Operation("secretsmanager:BatchGetSecretValue");
        self.inner.authorize(caller, action, Resource::Registry)?;
        let mut batch = SecretBatch::default();
        let ids = match selection {
            SecretSelection::Ids(ids) => ids,
            SecretSelection::Filters(filters, page) => {
                let list = ListSecrets { filters, ..ListSecrets::default() };
                let found = self.secrets(caller, &list, &page).await?;
                batch.next = found.next;
                found.items.into_iter().map(|view| view.arn).collect()
            }
        };
        for id in ids {
            match self.secret_value(caller, &id, &SecretSelector::default()).await {
                Ok(value) => batch.values.push(value),
                Err(error @ SecretError::Storage(_)) => return Err(error),
                Err(error) => batch.failures.push((id, error)),
            }
        }
        Ok(batch)
    }
}
