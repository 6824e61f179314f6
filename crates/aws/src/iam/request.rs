//! What is asked of IAM.

use super::Tag;

crate::query::requests! {
    /// Asks for a role to be made.
    CreateRoleRequest {
        /// The path in its ARN, `/` when absent.
        path: Option<String> = "Path";
        /// The name.
        role_name: String = "RoleName";
        /// Who may assume it, in JSON.
        assume_role_policy_document: String = "AssumeRolePolicyDocument";
        /// A sentence about the role.
        description: Option<String> = "Description";
        /// The longest session, in seconds.
        max_session_duration: Option<i64> = "MaxSessionDuration";
        /// The ARN of the policy that bounds its permissions.
        permissions_boundary: Option<String> = "PermissionsBoundary";
        /// The tags.
        tags: Vec<Tag> = "Tags";
    }

    /// Asks for a role: the request of `GetRole`, `DeleteRole` and
    /// `DeleteRolePermissionsBoundary`.
    RoleRequest {
        /// The name.
        role_name: String = "RoleName";
    }

    /// Asks for a role's description and longest session to be changed.
    UpdateRoleRequest {
        /// The name.
        role_name: String = "RoleName";
        /// The new description.
        description: Option<String> = "Description";
        /// The new longest session, in seconds.
        max_session_duration: Option<i64> = "MaxSessionDuration";
    }

    /// Asks for a role's description to be changed.
    UpdateRoleDescriptionRequest {
        /// The name.
        role_name: String = "RoleName";
        /// The new description.
        description: String = "Description";
    }

    /// Asks for the policy to be changed that says who may assume a role.
    UpdateAssumeRolePolicyRequest {
        /// The name.
        role_name: String = "RoleName";
        /// The new policy, in JSON.
        policy_document: String = "PolicyDocument";
    }

    /// Asks for a policy to bound the permissions of a role.
    PutRolePermissionsBoundaryRequest {
        /// The name.
        role_name: String = "RoleName";
        /// The ARN of the policy.
        permissions_boundary: String = "PermissionsBoundary";
    }

    /// Asks for a policy inside a role to be made or replaced.
    PutRolePolicyRequest {
        /// The name of the role.
        role_name: String = "RoleName";
        /// The name of the policy.
        policy_name: String = "PolicyName";
        /// The policy, in JSON.
        policy_document: String = "PolicyDocument";
    }

    /// Asks for a policy inside a role: the request of `GetRolePolicy` and `DeleteRolePolicy`.
    RolePolicyRequest {
        /// The name of the role.
        role_name: String = "RoleName";
        /// The name of the policy.
        policy_name: String = "PolicyName";
    }

    /// Asks for a policy to be attached to a role or detached from it.
    AttachedPolicyRequest {
        /// The name of the role.
        role_name: String = "RoleName";
        /// The ARN of the policy.
        policy_arn: String = "PolicyArn";
    }

    /// Asks for a page of what a role has: the request of `ListRolePolicies`,
    /// `ListInstanceProfilesForRole` and `ListRoleTags`.
    ListOfRoleRequest {
        /// The name of the role.
        role_name: String = "RoleName";
        /// Where the page begins, as the previous answer said.
        marker: Option<String> = "Marker";
        /// The length of a page, 1 to 1000.
        max_items: Option<i64> = "MaxItems";
    }

    /// Asks for a page of the policies attached to a role.
    ListAttachedRolePoliciesRequest {
        /// The name of the role.
        role_name: String = "RoleName";
        /// How the paths of the policies begin.
        path_prefix: Option<String> = "PathPrefix";
        /// Where the page begins, as the previous answer said.
        marker: Option<String> = "Marker";
        /// The length of a page, 1 to 1000.
        max_items: Option<i64> = "MaxItems";
    }

    /// Asks for a page of roles.
    ListRolesRequest {
        /// How the paths of the roles begin.
        path_prefix: Option<String> = "PathPrefix";
        /// Where the page begins, as the previous answer said.
        marker: Option<String> = "Marker";
        /// The length of a page, 1 to 1000.
        max_items: Option<i64> = "MaxItems";
    }

    /// Asks for tags of a role to be set.
    TagRoleRequest {
        /// The name of the role.
        role_name: String = "RoleName";
        /// The tags; those of the same key are replaced.
        tags: Vec<Tag> = "Tags";
    }

    /// Asks for tags of a role to be removed.
    UntagRoleRequest {
        /// The name of the role.
        role_name: String = "RoleName";
        /// The keys of the tags.
        tag_keys: Vec<String> = "TagKeys";
    }
}
