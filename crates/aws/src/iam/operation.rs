//! The operations of IAM on roles (botocore `iam` 2010-05-08).

crate::operation::operations! {
    /// An operation of IAM on roles.
    Operation;
    AttachRolePolicy
    CreateRole
    DeleteRole
    DeleteRolePermissionsBoundary
    DeleteRolePolicy
    DetachRolePolicy
    GetRole
    GetRolePolicy
    ListAttachedRolePolicies
    ListInstanceProfilesForRole
    ListRolePolicies
    ListRoleTags
    ListRoles
    PutRolePermissionsBoundary
    PutRolePolicy
    TagRole
    UntagRole
    UpdateAssumeRolePolicy
    UpdateRole
    UpdateRoleDescription
}
