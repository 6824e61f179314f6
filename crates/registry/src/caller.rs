//! Who asks, and of which registry.

use std::fmt;

use metadata::{AccountId, RegistryId, Timestamp};

use crate::Permissions;

/// An authenticated identity, or none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// The root user of an account, by one of its access keys.
    Root {
        /// The account.
        account: AccountId,
        /// The access key that authenticated it.
        access_key_id: String,
    },
    /// Somebody who assumed a role, for a while.
    AssumedRole(AssumedRole),
    /// Nobody in particular.
    Anonymous,
}

/// A session of a role: who `AssumeRole` made of its caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AssumedRole {
    /// The account of the role.
    pub account: AccountId,
    /// The ARN of the role, its path included.
    pub role_arn: String,
    /// The id that no other role ever has: a role made anew under the same name is another.
    pub role_id: String,
    /// The name of the session.
    pub session_name: String,
    /// The temporary access key.
    pub access_key_id: String,
    /// The access key of the root user at the beginning of the chain; the session ends with it.
    pub parent_access_key_id: String,
    /// When the session ends.
    pub expires_at: Timestamp,
    /// What the role may do as of now. None, until [`Registry::enrol`](crate::Registry::enrol)
    /// has looked.
    pub permissions: Permissions,
}

/// A principal and the registry it asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The registry.
    pub registry: RegistryId,
    /// The principal.
    pub principal: Principal,
}

impl Caller {
    /// Tells whether somebody of one account asks the registry of another.
    pub(crate) fn is_stranger(&self) -> bool {
        self.principal.account().is_some_and(|account| *account != self.registry.account)
    }
}

impl Principal {
    /// Returns the account the principal belongs to.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Root { account, .. } | Self::AssumedRole(AssumedRole { account, .. }) => {
                Some(account)
            }
            Self::Anonymous => None,
        }
    }
}

impl AssumedRole {
    /// Returns the name of the role.
    pub fn role_name(&self) -> &str {
        self.role_arn.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the unique id of the session, as STS writes it.
    pub fn user_id(&self) -> String {
        format!("{}:{}", self.role_id, self.session_name)
    }
}

/// Written as AWS writes it: without the path of the role.
impl fmt::Display for AssumedRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (role, session) = (self.role_name(), &self.session_name);
        write!(f, "arn:aws:sts::{}:assumed-role/{role}/{session}", self.account)
    }
}

/// Written as AWS writes it in errors: an ARN, or `anonymous`.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root { account, .. } => write!(f, "arn:aws:iam::{account}:root"),
            Self::AssumedRole(role) => role.fmt(f),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}
