//! Secrets: made, read, removed; sealed before they are stored.
//!
//! AWS Secrets Manager API reference: `CreateSecret`, `GetSecretValue`, `DescribeSecret`,
//! `DeleteSecret`. A value is sealed for its ARN and version, so that no stored value can be
//! passed off as another's.

use std::fmt;

use metadata::{NewSecret, RegistryId, Secret, SecretId, SecretVersion, Timestamp};
use rand::Rng as _;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

use crate::{
    Action, Caller, Registry, Resource, SecretArn, SecretError, registry::Inner,
    secret_arn::SUFFIX_CHARS,
};

/// The staging label of the version that is in force.
const CURRENT: &str = "AWSCURRENT";
/// Recovery window where none is named, and its bounds, in days.
const RECOVERY_DAYS: i64 = 30;
const RECOVERY_DAYS_BOUNDS: std::ops::RangeInclusive<i64> = 7..=30;
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// Largest value in bytes, longest name in characters.
const VALUE_BYTES_MAX: usize = 65_536;
const NAME_CHARS_MAX: usize = 512;

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
}

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
        validate(&create)?;
        let inner = &self.inner;
        let registry = &caller.registry;
        let now = inner.clock.now();
        let suffix = random_text(SUFFIX_CHARS);
        let arn = SecretArn::format(registry, &create.name, &suffix);
        let version_id = create.client_request_token.clone().unwrap_or_else(random_uuid);
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
        let action = Action::Operation("secretsmanager:GetSecretValue");
        self.inner.authorize(caller, action, Resource::Secret(id))?;
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
        let action = Action::Operation("secretsmanager:DescribeSecret");
        self.inner.authorize(caller, action, Resource::Secret(id))?;
        self.inner.find_secret(&caller.registry, id).await
    }

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
        let action = Action::Operation("secretsmanager:DeleteSecret");
        self.inner.authorize(caller, action, Resource::Secret(id))?;
        let days = recovery_days(delete)?;
        let registry = &caller.registry;
        let mut view = self.inner.find_secret(registry, id).await?;
        let now = self.inner.clock.now();
        let before = view.secret.clone();
        view.secret.deleted_at = Some(now);
        if delete.force {
            view.secret.delete_after = Some(now);
            self.inner.metadata.delete_secret(registry, &view.secret.name).await?;
        } else {
            if before.delete_after.is_some() {
                return Err(SecretError::ScheduledForDeletion { id: id.to_owned() });
            }
            view.secret.delete_after = Some(Timestamp(now.0 + days * DAY_MILLIS));
            self.inner.metadata.replace_secret(registry, &before, &view.secret).await?;
        }
        self.inner.forget_secret(registry, &view.secret.name);
        Ok(view)
    }
}

impl Inner {
    /// Finds a secret by name, ARN, or ARN without suffix, in its own registry only.
    async fn find_secret(
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

    fn seal_value(&self, arn: &str, version_id: &str, value: &SecretValue) -> Vec<u8> {
        let (kind, bytes) = value.bytes();
        let plain = zeroize::Zeroizing::new([&[kind], bytes].concat());
        self.keyring.seal(&value_context(arn, version_id), &plain)
    }

    fn open_value(
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

    fn forget_secret(&self, registry: &RegistryId, name: &str) {
        let change = metadata::Change::Secret(registry.clone(), name.to_owned());
        self.hot.forget(Some(&[change]));
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
        (Some(id), Some(stage)) => format!("version id {id} and staging label {stage}"),
        (Some(id), None) => format!("version id {id}"),
        (None, Some(stage)) => format!("staging label {stage}"),
        (None, None) => format!("staging label {CURRENT}"),
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

fn validate(create: &CreateSecret) -> Result<(), SecretError> {
    let invalid = |field, reason: &str| SecretError::Invalid { field, reason: reason.to_owned() };
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    if create.name.is_empty() || create.name.chars().count() > NAME_CHARS_MAX {
        return Err(invalid("Name", "a name has 1 to 512 characters"));
    }
    if !create.name.chars().all(is_name_char) {
        return Err(invalid(
            "Name",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
             following: -/_+=.@!",
        ));
    }
    let token = create.client_request_token.as_deref();
    if token.is_some_and(|token| !(32..=64).contains(&token.chars().count())) {
        return Err(invalid("ClientRequestToken", "a token has 32 to 64 characters"));
    }
    if create.value.as_ref().is_some_and(|value| value.bytes().1.len() > VALUE_BYTES_MAX) {
        return Err(invalid("SecretString", "a value has at most 65536 bytes"));
    }
    Ok(())
}

/// Letters and digits, as Secrets Manager ends its ARNs.
fn random_text(chars: usize) -> String {
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(chars).map(char::from).collect()
}

/// A random UUID (RFC 9562, version 4), as Secrets Manager names versions.
fn random_uuid() -> String {
    let bits: u128 = rand::rng().random();
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
