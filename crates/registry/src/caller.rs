//! Who asks, and of which registry.

use std::fmt;

use metadata::{AccountId, RegistryId};

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
    /// Nobody in particular.
    Anonymous,
}

/// A principal and the registry it asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The registry.
    pub registry: RegistryId,
    /// The principal.
    pub principal: Principal,
}

impl Principal {
    /// Returns the account the principal belongs to.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Root { account, .. } => Some(account),
            Self::Anonymous => None,
        }
    }
}

/// Written as AWS writes it in errors: an ARN, or `anonymous`.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root { account, .. } => write!(f, "arn:aws:iam::{account}:root"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}
