//! Secrets: made, read, changed, removed; sealed before they are stored.
//!
//! AWS Secrets Manager API reference. A value is sealed for its ARN and version, so that no stored
//! value can be passed off as another's. Every change is read, made and swapped in, so that two at
//! once lose nothing.

mod batch;
mod constraints;
mod create;
mod delete;
mod labels;
mod list;
mod password;
mod policy;
mod read;
mod stages;
mod versions;

use std::fmt;

use metadata::{RegistryId, Secret};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

use crate::{SecretArn, SecretError, registry::Inner};

pub use batch::{SecretBatch, SecretSelection};
pub use list::{ListSecrets, SecretAttribute, SecretFilter, SecretOrder};
pub use password::PasswordRules;
pub use versions::{MoveStage, PutSecretValue, UpdateSecret};

/// How often a change is tried when others are faster: far more than ever meet at one secret.
const SWAPS_MAX: usize = 32;

/// The value of a secret.
#[derive(Clone)]
pub enum SecretValue {
    /// `SecretString`.
    Text(SecretString),
    /// `SecretBinary`.
    Binary(SecretSlice<u8>),
}

/// A secret to be made.
#[derive(Clone, Debug)]
pub struct CreateSecret {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// KMS key, as sent.
    pub kms_key_id: Option<String>,
    /// Tags, in order.
    pub tags: Vec<(String, String)>,
    /// The id of the first version; a UUID is made where there is none.
    pub client_request_token: Option<String>,
    /// The first version's value.
    pub value: Option<SecretValue>,
}

/// Which version of a secret is wanted: `AWSCURRENT` where neither is named.
#[derive(Clone, Debug, Default)]
pub struct SecretSelector {
    /// By version id.
    pub version_id: Option<String>,
    /// By staging label.
    pub stage: Option<String>,
}

/// How a secret is to be removed.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeleteSecret {
    /// At once, without a way back.
    pub force: bool,
    /// Days until it is gone; 30 where it is not said.
    pub recovery_window_days: Option<i64>,
}

/// A secret and its ARN.
#[derive(Clone, Debug)]
pub struct SecretView {
    /// Its full ARN.
    pub arn: String,
    /// The secret, without values in the clear.
    pub secret: Secret,
}

impl SecretValue {
    /// Returns the text, where it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.expose_secret()),
            Self::Binary(_) => None,
        }
    }

    fn bytes(&self) -> (u8, &[u8]) {
        match self {
            Self::Text(text) => (b't', text.expose_secret().as_bytes()),
            Self::Binary(bytes) => (b'b', bytes.expose_secret()),
        }
    }

    fn from_bytes(kind_and_bytes: &[u8]) -> Option<Self> {
        match kind_and_bytes.split_first()? {
            (b't', text) => Some(Self::Text(std::str::from_utf8(text).ok()?.into())),
            (b'b', bytes) => Some(Self::Binary(bytes.to_vec().into())),
            _ => None,
        }
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(…)",
            Self::Binary(_) => "Binary(…)",
        })
    }
}

impl SecretView {
    fn new(registry: &RegistryId, secret: Secret) -> Self {
        let arn = SecretArn::format(registry, &secret.name, &secret.arn_suffix);
        Self { arn, secret }
    }

    /// Refuses to touch a secret that is scheduled for deletion.
    fn require_live(&self, id: &str) -> Result<(), SecretError> {
        match self.secret.delete_after {
            Some(_) => Err(SecretError::ScheduledForDeletion { id: id.to_owned() }),
            None => Ok(()),
        }
    }
}

impl Inner {
    /// Reads a secret, changes it and swaps it in, again from the start where somebody else was
    /// faster. A change that changes nothing writes nothing.
    async fn change_secret<T>(
        &self,
        registry: &RegistryId,
        id: &str,
        change: impl Fn(&mut SecretView) -> Result<T, SecretError>,
    ) -> Result<(SecretView, T), SecretError> {
        for _ in 0..SWAPS_MAX {
            let held = self.find_secret(registry, id).await?;
            let mut next = held.clone();
            let told = change(&mut next)?;
            if next.secret == held.secret {
                return Ok((held, told));
            }
            next.secret.changed_at = self.clock.now();
            match self.metadata.replace_secret(registry, &held.secret, &next.secret).await {
                Ok(()) => {
                    self.forget_secret(registry, &next.secret.name);
                    return Ok((next, told));
                }
                Err(metadata::Error::NotFound) => tokio::task::yield_now().await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(SecretError::Contended { id: id.to_owned() })
    }

    fn forget_secret(&self, registry: &RegistryId, name: &str) {
        let change = metadata::Change::Secret(registry.clone(), name.to_owned());
        self.hot.forget(Some(&[change]));
    }
}
