//! What IAM says when it refuses. Texts are IAM's own, as its users see them, where one is known.

use aws::{
    Exception,
    exception::{CommonException, IamException as Kind},
};
use registry::RoleError;

use super::super::error::{self, Failure};

/// What IAM says about roles.
pub(super) fn role(error: RoleError) -> Failure {
    let exception = match &error {
        RoleError::Denied(denied) => return denied.clone().into(),
        RoleError::NotFound { name } => {
            let text = format!("The role with name {name} cannot be found.");
            Exception::new(Kind::NoSuchEntity, text)
        }
        RoleError::AlreadyExists { name } => {
            let text = format!("Role with name {name} already exists.");
            Exception::new(Kind::EntityAlreadyExists, text)
        }
        RoleError::PolicyNotFound { policy, .. } => {
            let text = format!("The role policy with name {policy} cannot be found.");
            Exception::new(Kind::NoSuchEntity, text)
        }
        RoleError::NotAttached { arn, .. } => {
            Exception::new(Kind::NoSuchEntity, format!("Policy {arn} was not found."))
        }
        RoleError::NotAttachable { arn } => {
            let text = format!("Policy {arn} does not exist or is not attachable.");
            Exception::new(Kind::NoSuchEntity, text)
        }
        RoleError::Invalid { field, reason } => invalid(field, reason),
        RoleError::InvalidInput { reason } => Exception::new(Kind::InvalidInput, reason.clone()),
        RoleError::MalformedPolicy { field, reason } => {
            let text = if is_sentence(reason) {
                (*reason).to_owned()
            } else {
                format!("The policy {field} is malformed: {reason}.")
            };
            Exception::new(Kind::MalformedPolicyDocument, text)
        }
        RoleError::LimitExceeded { quota, limit } => Exception::new(
            Kind::LimitExceeded,
            match *quota {
                "PolicySizePerRole" => {
                    format!("Maximum policy size of {limit} bytes exceeded for the role")
                }
                quota => format!("Cannot exceed quota for {quota}: {limit}"),
            },
        ),
        RoleError::HasPolicies { kind, .. } => Exception::new(
            Kind::DeleteConflict,
            match *kind {
                "attached" => "Cannot delete entity, must detach all policies first.",
                _ => "Cannot delete entity, must delete policies first.",
            },
        ),
        RoleError::Contended { .. } => Kind::ConcurrentModification.into(),
        RoleError::Storage(error) => return error::storage(error, Kind::ServiceFailure.into()),
    };
    Failure::from(exception).with_cause(error)
}

/// A member breaks a constraint of the model: the front end says so, in its frame.
pub(super) fn violation(member: &str, constraint: &str) -> Exception {
    Exception::new(
        CommonException::Validation,
        format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: \
             Member {constraint}"
        ),
    )
}

fn invalid(field: &str, reason: &str) -> Exception {
    if is_sentence(reason) {
        return Exception::new(CommonException::Validation, reason.to_owned());
    }
    member_violation(field, reason)
}

/// As [`violation`], by the name of the member in the API.
pub(in crate::control_plane) fn member_violation(field: &str, reason: &str) -> Exception {
    // AWS names members in its texts as in Java: `roleName`.
    let (first, rest) = field.split_at(1);
    violation(&format!("{}{rest}", first.to_ascii_lowercase()), reason)
}

/// A reason that is a sentence already stands for itself.
fn is_sentence(reason: &str) -> bool {
    reason.starts_with(char::is_uppercase)
}
