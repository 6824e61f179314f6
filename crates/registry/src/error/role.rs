//! What decisions about roles can end in.

use super::{Denied, StorageError};

/// Why a role could not be made, read, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is none of this name.
    #[error("role {name} does not exist")]
    NotFound {
        /// The name as asked for.
        name: String,
    },
    /// There is one of this name already.
    #[error("role {name} already exists")]
    AlreadyExists {
        /// The name as asked for.
        name: String,
    },
    /// The role has no policy of this name inside.
    #[error("role {role} has no policy {policy}")]
    PolicyNotFound {
        /// The role.
        role: String,
        /// The name of the policy.
        policy: String,
    },
    /// No policy of this ARN is attached to the role.
    #[error("policy {arn} is not attached to role {role}")]
    NotAttached {
        /// The role.
        role: String,
        /// The ARN as sent.
        arn: String,
    },
    /// There is no policy of this ARN that could be attached or bound permissions.
    #[error("policy {arn} does not exist or is not attachable")]
    NotAttachable {
        /// The ARN as sent.
        arn: String,
    },
    /// A field breaks a constraint of its own.
    #[error("invalid {field}: {reason}")]
    Invalid {
        /// The field's name on the wire.
        field: &'static str,
        /// What it must be, or a whole sentence.
        reason: String,
    },
    /// Values that are well-formed do not go together, or name nothing.
    #[error("{reason}")]
    InvalidInput {
        /// What is wrong.
        reason: String,
    },
    /// A policy is not in the language of policies, or not of the kind that is wanted.
    #[error("the policy {field} is malformed: {reason}")]
    MalformedPolicy {
        /// The field's name on the wire.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The account or the role would have more than it may.
    #[error("at most {limit} {quota}")]
    LimitExceeded {
        /// The quota's name.
        quota: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The role still has policies, so that it cannot be removed.
    #[error("role {name} still has {kind} policies")]
    HasPolicies {
        /// The role.
        name: String,
        /// Which: attached or inline.
        kind: &'static str,
    },
    /// Others changed the role again and again while this change was tried.
    #[error("role {name} is being changed by too many at once")]
    Contended {
        /// The name as asked for.
        name: String,
    },
    /// A store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
