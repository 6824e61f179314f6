//! What IAM answers.

use serde::Serialize;

use super::Tag;
use crate::query::Members;

/// A role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Role {
    /// The path in its ARN.
    pub path: String,
    /// The name.
    pub role_name: String,
    /// The id that no other role ever has, `AROA…`.
    pub role_id: String,
    /// The ARN.
    pub arn: String,
    /// When it was made, in ISO 8601.
    pub create_date: String,
    /// Who may assume it, percent-encoded; see [`super::encoded_document`].
    pub assume_role_policy_document: String,
    /// A sentence about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The longest session, in seconds.
    pub max_session_duration: u32,
    /// What bounds its permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<AttachedPermissionsBoundary>,
    /// Its tags; lists of roles leave them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Members<Tag>>,
}

/// A policy that bounds permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttachedPermissionsBoundary {
    /// `PermissionsBoundaryPolicy`.
    pub permissions_boundary_type: String,
    /// The ARN of the policy.
    pub permissions_boundary_arn: String,
}

/// The answer of `CreateRole`, `GetRole` and `UpdateRoleDescription`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleResult {
    /// The role.
    pub role: Role,
}

/// The answer of `UpdateRole`: that it was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UpdateRoleResult {}

/// A policy inside a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RolePolicyResult {
    /// The name of the role.
    pub role_name: String,
    /// The name of the policy.
    pub policy_name: String,
    /// The policy, percent-encoded; see [`super::encoded_document`].
    pub policy_document: String,
}

/// A policy that is attached to a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttachedPolicy {
    /// The name of the policy.
    pub policy_name: String,
    /// Its ARN.
    pub policy_arn: String,
}

/// A page of roles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RolesResult {
    /// The roles of this page.
    pub roles: Members<Role>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// A page of the names of policies inside a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RolePoliciesResult {
    /// The names of this page.
    pub policy_names: Members<String>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// A page of the policies attached to a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttachedRolePoliciesResult {
    /// The policies of this page.
    pub attached_policies: Members<AttachedPolicy>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// The instance profiles of a role: there is no machine here that could have one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InstanceProfilesResult {
    /// None, ever.
    pub instance_profiles: Members<String>,
    /// Whether there are more.
    pub is_truncated: bool,
}

/// A page of the tags of a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleTagsResult {
    /// The tags of this page.
    pub tags: Members<Tag>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
