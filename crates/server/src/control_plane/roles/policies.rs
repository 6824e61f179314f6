//! Policies of roles, and the instance profiles that none has.

use aws::{
    iam::{
        AttachedPolicy, AttachedPolicyRequest, AttachedRolePoliciesResult, InstanceProfilesResult,
        ListAttachedRolePoliciesRequest, ListOfRoleRequest, PutRolePolicyRequest,
        RolePoliciesResult, RolePolicyRequest, RolePolicyResult, encoded_document,
    },
    query::{self, Form},
};
use registry::RoleAspect;

use super::{Answered, Call, DONE, failure, page};

/// `PutRolePolicy`.
pub(super) async fn put(call: &Call<'_>, form: &Form) -> Answered {
    let request = PutRolePolicyRequest::read(form)?;
    let PutRolePolicyRequest { role_name, policy_name, policy_document } = &request;
    let registry = call.registry();
    let put = registry.put_role_policy(call.caller(), role_name, policy_name, policy_document);
    put.await.map_err(failure::role)?;
    Ok(DONE)
}

/// `GetRolePolicy`.
pub(super) async fn get(call: &Call<'_>, form: &Form) -> Answered {
    let request = RolePolicyRequest::read(form)?;
    let (role, policy) = (&request.role_name, &request.policy_name);
    let found = call.registry().role_policy(call.caller(), role, policy).await;
    let (view, document) = found.map_err(failure::role)?;
    Ok(query::result(
        "GetRolePolicy",
        &RolePolicyResult {
            role_name: view.role.name,
            policy_name: request.policy_name,
            policy_document: encoded_document(&document),
        },
    ))
}

/// `DeleteRolePolicy`.
pub(super) async fn delete(call: &Call<'_>, form: &Form) -> Answered {
    let request = RolePolicyRequest::read(form)?;
    let (role, policy) = (&request.role_name, &request.policy_name);
    let deleted = call.registry().delete_role_policy(call.caller(), role, policy).await;
    deleted.map_err(failure::role)?;
    Ok(DONE)
}

/// `ListRolePolicies`, by name.
pub(super) async fn list(call: &Call<'_>, form: &Form) -> Answered {
    let request = ListOfRoleRequest::read(form)?;
    let page = page::read(request.marker.as_deref(), request.max_items)?;
    let aspect = RoleAspect::InlinePolicies;
    let found = call.registry().role(call.caller(), &request.role_name, aspect).await;
    let policies = found.map_err(failure::role)?.role.inline_policies;
    let (policies, next) = page::cut(policies, &page, |(name, _)| name);
    Ok(query::result(
        "ListRolePolicies",
        &RolePoliciesResult {
            policy_names: policies.into_iter().map(|(name, _)| name).collect(),
            is_truncated: next.is_some(),
            marker: page::write(next),
        },
    ))
}

/// `AttachRolePolicy`.
pub(super) async fn attach(call: &Call<'_>, form: &Form) -> Answered {
    let request = AttachedPolicyRequest::read(form)?;
    let (role, arn) = (&request.role_name, &request.policy_arn);
    let attached = call.registry().attach_role_policy(call.caller(), role, arn).await;
    attached.map_err(failure::role)?;
    Ok(DONE)
}

/// `DetachRolePolicy`.
pub(super) async fn detach(call: &Call<'_>, form: &Form) -> Answered {
    let request = AttachedPolicyRequest::read(form)?;
    let (role, arn) = (&request.role_name, &request.policy_arn);
    let detached = call.registry().detach_role_policy(call.caller(), role, arn).await;
    detached.map_err(failure::role)?;
    Ok(DONE)
}

/// `ListAttachedRolePolicies`, by ARN.
pub(super) async fn list_attached(call: &Call<'_>, form: &Form) -> Answered {
    let request = ListAttachedRolePoliciesRequest::read(form)?;
    let page = page::read(request.marker.as_deref(), request.max_items)?;
    let prefix = request.path_prefix.as_deref().unwrap_or("/");
    if !prefix.starts_with('/') {
        return Err(failure::violation("pathPrefix", "must begin with /").into());
    }
    let aspect = RoleAspect::AttachedPolicies;
    let found = call.registry().role(call.caller(), &request.role_name, aspect).await;
    let mut attached = found.map_err(failure::role)?.role.attached_policies;
    attached.retain(|arn| path_and_name(arn).starts_with(prefix));
    let (attached, next) = page::cut(attached, &page, String::as_str);
    let entry = |policy_arn: String| AttachedPolicy {
        policy_name: policy_arn.rsplit('/').next().unwrap_or_default().to_owned(),
        policy_arn,
    };
    Ok(query::result(
        "ListAttachedRolePolicies",
        &AttachedRolePoliciesResult {
            attached_policies: attached.into_iter().map(entry).collect(),
            is_truncated: next.is_some(),
            marker: page::write(next),
        },
    ))
}

/// `ListInstanceProfilesForRole`. Terraform asks before it deletes a role.
pub(super) async fn list_profiles(call: &Call<'_>, form: &Form) -> Answered {
    let request = ListOfRoleRequest::read(form)?;
    page::read(request.marker.as_deref(), request.max_items)?;
    let aspect = RoleAspect::InstanceProfiles;
    let found = call.registry().role(call.caller(), &request.role_name, aspect).await;
    found.map_err(failure::role)?;
    Ok(query::result("ListInstanceProfilesForRole", &InstanceProfilesResult::default()))
}

/// The end of a policy's ARN from the first slash: `/service-role/Name`.
fn path_and_name(arn: &str) -> &str {
    arn.find('/').map_or("/", |at| &arn[at..])
}
