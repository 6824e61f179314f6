//! Assuming a role: who may, for how long, and what a session may do from then on.
//!
//! STS API reference, `AssumeRole`. A session is a fact that its own credentials carry; what it may
//! do is read from its role whenever it is used, so that a change of the role takes effect at once.

use metadata::{AccountId, Region, RegistryId, Role, Timestamp};
use secrecy::SecretString;

use super::{GLOBAL_REGION, RoleView, SESSION_SECS, trust};
use crate::{
    AssumedRole, Caller, Denied, Permissions, Principal, Registry, StorageError, authorize, random,
    registry::Inner,
};

/// Shortest session ("AssumeRole": 900 seconds up to the maximum of the role).
const SESSION_SECS_MIN: i64 = 900;
/// How temporary access keys begin, and how many characters follow (IAM user guide, "IAM
/// identifiers").
const KEY_PREFIX: &str = "ASIA";
const KEY_CHARS: usize = 16;
const SECRET_CHARS: usize = 40;

/// A wish to assume a role.
#[derive(Clone, Debug, Default)]
pub struct AssumeRole {
    /// `RoleArn`.
    pub role_arn: String,
    /// `RoleSessionName`.
    pub session_name: String,
    /// `DurationSeconds`; an hour where absent.
    pub duration_secs: Option<i64>,
    /// `ExternalId`.
    pub external_id: Option<String>,
}

/// A session that began, and the credentials to use it with.
#[derive(Debug)]
pub struct NewSession {
    /// Who its caller is.
    pub principal: AssumedRole,
    /// The secret of the temporary access key.
    pub secret_access_key: SecretString,
}

/// Why a role was not assumed.
#[derive(Debug, thiserror::Error)]
pub enum AssumeRoleError {
    /// It is not there, does not trust the caller, or the caller may not; nobody is told which.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A field breaks a constraint.
    #[error("invalid {field}: {reason}")]
    Invalid {
        /// The field's name on the wire.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The session would last longer than it may.
    #[error("a session of this role lasts at most {limit_secs} seconds")]
    TooLong {
        /// The longest session in seconds.
        limit_secs: u32,
        /// Whether that is so because the caller assumed a role itself.
        is_chained: bool,
    },
    /// A store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<metadata::Error> for AssumeRoleError {
    fn from(error: metadata::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl Registry {
    /// Begins a session of a role.
    ///
    /// # Errors
    /// [`AssumeRoleError::Denied`], [`AssumeRoleError::Invalid`], [`AssumeRoleError::TooLong`].
    pub async fn assume_role(
        &self,
        caller: &Caller,
        asked: AssumeRole,
    ) -> Result<NewSession, AssumeRoleError> {
        check_session_name(&asked.session_name)?;
        let (account, name) = parse_arn(&asked.role_arn)?;
        let held = self.inner.role_of(&account, name).await?;
        // The ARN of a role has its path: without it, it names none.
        let held = held.filter(|role| RoleView::arn_of(&account, role) == asked.role_arn);
        let external_id = asked.external_id.as_deref();
        let trusted = held.as_ref().map_or(trust::Trust::None, |role| {
            let candidate = trust::Candidate::Principal(&caller.principal);
            trust::evaluate(&role.assume_role_policy, candidate, external_id)
        });
        authorize::assume(&caller.principal, trusted, &account, &asked.role_arn)?;
        let (Some(role), Some(parent)) = (held, parent_of(&caller.principal)) else {
            let (principal, resource) = (caller.principal.to_string(), asked.role_arn);
            return Err(Denied { principal, action: "sts:AssumeRole", resource }.into());
        };
        let is_chained = matches!(caller.principal, Principal::AssumedRole(_));
        let secs = duration(asked.duration_secs, &role, is_chained)?;
        let now = self.inner.clock.now();
        let principal = AssumedRole {
            role_id: role.role_id,
            account,
            role_arn: asked.role_arn,
            session_name: asked.session_name,
            access_key_id: format!("{KEY_PREFIX}{}", random::capitals_and_digits(KEY_CHARS)),
            parent_access_key_id: parent.to_owned(),
            expires_at: Timestamp(now.0.saturating_add(i64::from(secs) * 1000)),
            permissions: Permissions::default(),
        };
        let secret_access_key = random::letters_and_digits(SECRET_CHARS).into();
        Ok(NewSession { principal, secret_access_key })
    }

    /// Completes a caller who proved that a session is his with what its role may do now. `None`
    /// where the role is gone.
    ///
    /// # Errors
    /// The store's.
    pub async fn enrol(&self, caller: &Caller) -> Result<Option<Caller>, metadata::Error> {
        let Principal::AssumedRole(session) = &caller.principal else {
            return Ok(Some(caller.clone()));
        };
        let Some(permissions) = self.inner.permissions(session).await? else { return Ok(None) };
        let principal = Principal::AssumedRole(AssumedRole { permissions, ..session.clone() });
        Ok(Some(Caller { registry: caller.registry.clone(), principal }))
    }
}

impl Inner {
    /// Returns what the role of a session may do; `None` where the role is gone. Kept in memory
    /// until the role changes.
    async fn permissions(
        &self,
        session: &AssumedRole,
    ) -> Result<Option<Permissions>, metadata::Error> {
        let key = (session.account.clone(), session.role_id.clone());
        if let Some(permissions) = self.hot.permissions.get(&key) {
            return Ok(Some(permissions));
        }
        let epoch = self.hot.epoch();
        let role = self.role_of(&session.account, session.role_name()).await?;
        let Some(role) = role.filter(|role| role.role_id == session.role_id) else {
            return Ok(None);
        };
        let permissions = Permissions::of(&role);
        self.hot.keep(&self.hot.permissions, epoch, key, permissions.clone());
        Ok(Some(permissions))
    }

    /// Finds a role of an account.
    pub(crate) async fn role_of(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<Role>, metadata::Error> {
        let region = Region::parse(GLOBAL_REGION).expect("a region name");
        let home = RegistryId { account: account.clone(), region };
        match self.metadata.role(&home, name).await {
            Ok(role) => Ok(Some(role)),
            Err(metadata::Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Reads the account and the name out of the ARN of a role.
pub(crate) fn parse_arn(arn: &str) -> Result<(AccountId, &str), AssumeRoleError> {
    let invalid =
        || AssumeRoleError::Invalid { field: "RoleArn", reason: format!("{arn} is invalid") };
    let mut parts = arn.splitn(6, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (scheme, _, product, region) = (part(), part(), part(), part());
    let (account, resource) = (part(), part());
    let name = resource.strip_prefix("role/").and_then(|path| path.rsplit('/').next());
    match (scheme, product, region, AccountId::parse(account), name) {
        ("arn", "iam", "", Ok(account), Some(name)) if !name.is_empty() => Ok((account, name)),
        _ => Err(invalid()),
    }
}

/// `roleSessionNameType`.
fn check_session_name(name: &str) -> Result<(), AssumeRoleError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let reason = match name.chars().count() {
        0..2 => "must have length greater than or equal to 2",
        65.. => "must have length less than or equal to 64",
        _ if !name.chars().all(is_allowed) => {
            r"must satisfy regular expression pattern: [\w+=,.@-]*"
        }
        _ => return Ok(()),
    };
    Err(AssumeRoleError::Invalid { field: "RoleSessionName", reason: reason.to_owned() })
}

/// How long a session lasts, in seconds. Whoever assumed a role himself gets an hour at most.
fn duration(asked: Option<i64>, role: &Role, is_chained: bool) -> Result<u32, AssumeRoleError> {
    let Some(asked) = asked else { return Ok(SESSION_SECS) };
    let limit_secs = if is_chained { SESSION_SECS } else { role.max_session_secs };
    if asked < SESSION_SECS_MIN {
        let reason = "must have value greater than or equal to 900".to_owned();
        return Err(AssumeRoleError::Invalid { field: "DurationSeconds", reason });
    }
    match u32::try_from(asked) {
        Ok(secs) if secs <= limit_secs => Ok(secs),
        _ => Err(AssumeRoleError::TooLong { limit_secs, is_chained }),
    }
}

fn parent_of(principal: &Principal) -> Option<&str> {
    match principal {
        Principal::Root { access_key_id, .. } => Some(access_key_id),
        Principal::AssumedRole(role) => Some(&role.parent_access_key_id),
        Principal::Anonymous => None,
    }
}
