//! Secrets as facts. Their values are sealed by the caller: this room sees ciphertext only.

use crate::Timestamp;

/// How a secret is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretId {
    /// By its friendly name.
    Name(String),
    /// By name and the six random characters of its ARN.
    NameAndSuffix(String, String),
}

/// A secret: its labels and its versions, whose values stay sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Friendly name, unique in its registry.
    pub name: String,
    /// The six random characters that end its ARN.
    pub arn_suffix: String,
    /// Description, where one was given.
    pub description: Option<String>,
    /// KMS key, as sent, where one was given.
    pub kms_key_id: Option<String>,
    /// Tags in the order given.
    pub tags: Vec<(String, String)>,
    /// Resource policy, as sent, where one was given.
    pub resource_policy: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// When it will be gone; `Some` means it is scheduled for deletion and unreadable.
    pub delete_after: Option<Timestamp>,
    /// When deletion was asked for.
    pub deleted_at: Option<Timestamp>,
    /// Its versions, oldest first.
    pub versions: Vec<SecretVersion>,
}

/// One version of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretVersion {
    /// Version id: the client's request token, or a UUID.
    pub version_id: String,
    /// Staging labels such as `AWSCURRENT`.
    pub stages: Vec<String>,
    /// The sealed value: whether it was text or binary is inside the seal.
    pub sealed_value: Vec<u8>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A secret to be created, with its first version where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSecret {
    /// The secret; `versions` holds at most one.
    pub secret: Secret,
}

impl Secret {
    /// Tells whether the secret was scheduled for deletion and its time has come.
    pub(crate) fn is_gone(&self, now: Timestamp) -> bool {
        self.delete_after.is_some_and(|delete_after| delete_after <= now)
    }
}
