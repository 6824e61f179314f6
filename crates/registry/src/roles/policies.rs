//! Policies of roles: those inside, and those that are attached by their ARN.

use metadata::{RegistryId, Role};

use super::{RoleAspect, RoleView, constraints, documents, home};
use crate::{Caller, Registry, RoleError};

/// Characters that all policies inside a role may have together, white space left out; policies
/// that may be attached to it (IAM user guide, "IAM and AWS STS quotas").
const INLINE_CHARS_MAX: usize = 10_240;
const ATTACHED_MAX: usize = 10;

impl Registry {
    /// Puts a policy inside a role, in the place of one of the same name.
    ///
    /// # Errors
    /// [`RoleError::NotFound`], [`RoleError::Invalid`], [`RoleError::MalformedPolicy`],
    /// [`RoleError::LimitExceeded`].
    pub async fn put_role_policy(
        &self,
        caller: &Caller,
        role_name: &str,
        policy_name: &str,
        document: &str,
    ) -> Result<(), RoleError> {
        self.inner.authorize_role(caller, "iam:PutRolePolicy", role_name).await?;
        constraints::policy_name(policy_name)?;
        documents::permissions("PolicyDocument", document)?;
        let put = |role: &mut Role| {
            let policies = &mut role.inline_policies;
            match policies.binary_search_by(|(name, _)| name.as_str().cmp(policy_name)) {
                Ok(place) => document.clone_into(&mut policies[place].1),
                Err(place) => {
                    policies.insert(place, (policy_name.to_owned(), document.to_owned()));
                }
            }
            let documents = policies.iter().map(|(_, document)| document);
            let length: usize = documents.map(|it| documents::length_without_blanks(it)).sum();
            if length > INLINE_CHARS_MAX {
                let quota = "PolicySizePerRole";
                return Err(RoleError::LimitExceeded { quota, limit: INLINE_CHARS_MAX });
            }
            Ok(())
        };
        self.inner.change_role(&home(caller), role_name, put).await.map(drop)
    }

    /// Returns the document of a policy inside a role, with the role.
    ///
    /// # Errors
    /// [`RoleError::NotFound`], [`RoleError::PolicyNotFound`], [`RoleError::Invalid`].
    pub async fn role_policy(
        &self,
        caller: &Caller,
        role_name: &str,
        policy_name: &str,
    ) -> Result<(RoleView, String), RoleError> {
        let view = self.role(caller, role_name, RoleAspect::InlinePolicy).await?;
        constraints::policy_name(policy_name)?;
        let mut policies = view.role.inline_policies.iter();
        let found = policies.find(|(name, _)| name == policy_name);
        let document = found.map(|(_, document)| document.clone());
        let document = document.ok_or_else(|| no_such_policy(role_name, policy_name))?;
        Ok((view, document))
    }

    /// Removes a policy from inside a role.
    ///
    /// # Errors
    /// As [`role_policy`](Self::role_policy).
    pub async fn delete_role_policy(
        &self,
        caller: &Caller,
        role_name: &str,
        policy_name: &str,
    ) -> Result<(), RoleError> {
        self.inner.authorize_role(caller, "iam:DeleteRolePolicy", role_name).await?;
        constraints::policy_name(policy_name)?;
        let delete = |role: &mut Role| {
            let count = role.inline_policies.len();
            role.inline_policies.retain(|(name, _)| name != policy_name);
            if role.inline_policies.len() == count {
                return Err(no_such_policy(role_name, policy_name));
            }
            Ok(())
        };
        self.inner.change_role(&home(caller), role_name, delete).await.map(drop)
    }

    /// Attaches a policy to a role. One that is attached already is no error.
    ///
    /// # Errors
    /// [`RoleError::NotFound`], [`RoleError::NotAttachable`], [`RoleError::InvalidInput`],
    /// [`RoleError::LimitExceeded`].
    pub async fn attach_role_policy(
        &self,
        caller: &Caller,
        role_name: &str,
        arn: &str,
    ) -> Result<(), RoleError> {
        self.inner.authorize_role(caller, "iam:AttachRolePolicy", role_name).await?;
        let home = home(caller);
        attachable("PolicyArn", arn, &home)?;
        let attach = |role: &mut Role| {
            let attached = &mut role.attached_policies;
            if attached.iter().any(|held| held == arn) {
                return Ok(());
            }
            if attached.len() >= ATTACHED_MAX {
                let quota = "PoliciesPerRole";
                return Err(RoleError::LimitExceeded { quota, limit: ATTACHED_MAX });
            }
            attached.push(arn.to_owned());
            Ok(())
        };
        self.inner.change_role(&home, role_name, attach).await.map(drop)
    }

    /// Detaches a policy from a role.
    ///
    /// # Errors
    /// [`RoleError::NotFound`], [`RoleError::NotAttached`], [`RoleError::Invalid`].
    pub async fn detach_role_policy(
        &self,
        caller: &Caller,
        role_name: &str,
        arn: &str,
    ) -> Result<(), RoleError> {
        self.inner.authorize_role(caller, "iam:DetachRolePolicy", role_name).await?;
        constraints::arn("PolicyArn", arn)?;
        let detach = |role: &mut Role| {
            let count = role.attached_policies.len();
            role.attached_policies.retain(|held| held != arn);
            if role.attached_policies.len() == count {
                let (role, arn) = (role_name.to_owned(), arn.to_owned());
                return Err(RoleError::NotAttached { role, arn });
            }
            Ok(())
        };
        self.inner.change_role(&home(caller), role_name, detach).await.map(drop)
    }
}

fn no_such_policy(role: &str, policy: &str) -> RoleError {
    RoleError::PolicyNotFound { role: role.to_owned(), policy: policy.to_owned() }
}

/// Checks that an ARN names a policy that can be there: one of AWS's own. Which of those exist
/// only AWS knows; policies of an account cannot be made here, so that there is none.
pub(super) fn attachable(
    field: &'static str,
    arn: &str,
    home: &RegistryId,
) -> Result<(), RoleError> {
    constraints::arn(field, arn)?;
    let mut parts = arn.splitn(6, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (scheme, partition, product, region) = (part(), part(), part(), part());
    let (account, resource) = (part(), part());
    let is_policy = scheme == "arn"
        && (partition == "aws" || partition.starts_with("aws-"))
        && (product, region) == ("iam", "")
        && resource.strip_prefix("policy/").is_some_and(|path| {
            !path.is_empty() && !path.ends_with('/') && path.chars().all(|c| c.is_ascii_graphic())
        });
    match account {
        "aws" if is_policy => Ok(()),
        own if is_policy && own == home.account.as_str() => {
            Err(RoleError::NotAttachable { arn: arn.to_owned() })
        }
        _ => Err(RoleError::InvalidInput { reason: format!("ARN {arn} is not valid.") }),
    }
}
