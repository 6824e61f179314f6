//! Roles, as far as IAM answers for them: what Terraform's `aws_iam_role` and its neighbours ask.

mod failure;
mod page;
mod policies;

use aws::{
    iam::{
        self, AttachedPermissionsBoundary, CreateRoleRequest, ListOfRoleRequest, ListRolesRequest,
        Operation, PutRolePermissionsBoundaryRequest, RoleRequest, RoleResult, RoleTagsResult,
        RolesResult, Tag, TagRoleRequest, UntagRoleRequest, UpdateAssumeRolePolicyRequest,
        UpdateRoleDescriptionRequest, UpdateRoleRequest, UpdateRoleResult,
    },
    query::{self, Form, QueryService},
};
use registry::{NewRole, RoleAspect, RoleView, UpdateRole};

pub(super) use failure::member_violation as violation;

use super::{Call, Failure, Outcome};
use crate::doors::Exchange;

/// What an operation comes to: the element of its result, empty where it has none.
type Answered = Result<String, Failure>;

/// The operations that answer nothing but that it was done.
const DONE: String = String::new();

/// Answers a call of IAM.
pub(super) async fn answer(call: &Call<'_>, form: &Form, exchange: &mut Exchange) -> Outcome {
    let operation = iam::operation(form)?;
    exchange.operation = Some(operation.name());
    let result = match operation {
        Operation::CreateRole => create(call, form).await,
        Operation::GetRole => get(call, form).await,
        Operation::ListRoles => list(call, form).await,
        Operation::UpdateRole => update(call, form).await,
        Operation::UpdateRoleDescription => describe(call, form).await,
        Operation::UpdateAssumeRolePolicy => trust(call, form).await,
        Operation::PutRolePermissionsBoundary => bound(call, form).await,
        Operation::DeleteRolePermissionsBoundary => unbound(call, form).await,
        Operation::DeleteRole => delete(call, form).await,
        Operation::TagRole => tag(call, form).await,
        Operation::UntagRole => untag(call, form).await,
        Operation::ListRoleTags => list_tags(call, form).await,
        Operation::PutRolePolicy => policies::put(call, form).await,
        Operation::GetRolePolicy => policies::get(call, form).await,
        Operation::DeleteRolePolicy => policies::delete(call, form).await,
        Operation::ListRolePolicies => policies::list(call, form).await,
        Operation::AttachRolePolicy => policies::attach(call, form).await,
        Operation::DetachRolePolicy => policies::detach(call, form).await,
        Operation::ListAttachedRolePolicies => policies::list_attached(call, form).await,
        Operation::ListInstanceProfilesForRole => policies::list_profiles(call, form).await,
    }?;
    let request_id = exchange.request_id.as_str();
    Ok(query::envelope(QueryService::Iam, operation.name(), &result, request_id))
}

/// `CreateRole`.
async fn create(call: &Call<'_>, form: &Form) -> Answered {
    let request = CreateRoleRequest::read(form)?;
    let new = NewRole {
        name: request.role_name,
        path: request.path,
        assume_role_policy: request.assume_role_policy_document,
        description: request.description,
        max_session_secs: request.max_session_duration,
        permissions_boundary: request.permissions_boundary,
        tags: request.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
    };
    let view = call.registry().create_role(call.caller(), new).await.map_err(failure::role)?;
    Ok(query::result("CreateRole", &RoleResult { role: shape(view) }))
}

/// `GetRole`.
async fn get(call: &Call<'_>, form: &Form) -> Answered {
    let request = RoleRequest::read(form)?;
    let found = call.registry().role(call.caller(), &request.role_name, RoleAspect::Role).await;
    let view = found.map_err(failure::role)?;
    Ok(query::result("GetRole", &RoleResult { role: shape(view) }))
}

/// `ListRoles`. "IAM resource-listing operations return a subset of the available attributes": not
/// the tags and not the boundary (API reference).
async fn list(call: &Call<'_>, form: &Form) -> Answered {
    let request = ListRolesRequest::read(form)?;
    let page = page::read(request.marker.as_deref(), request.max_items)?;
    let prefix = request.path_prefix.as_deref().unwrap_or("/");
    let found = call.registry().roles(call.caller(), prefix, &page).await;
    let found = found.map_err(failure::role)?;
    let entry = |view| iam::Role { tags: None, permissions_boundary: None, ..shape(view) };
    Ok(query::result(
        "ListRoles",
        &RolesResult {
            roles: found.items.into_iter().map(entry).collect(),
            is_truncated: found.next.is_some(),
            marker: page::write(found.next),
        },
    ))
}

/// `UpdateRole`.
async fn update(call: &Call<'_>, form: &Form) -> Answered {
    let request = UpdateRoleRequest::read(form)?;
    let update = UpdateRole::Settings {
        description: request.description,
        max_session_secs: request.max_session_duration,
    };
    change(call, &request.role_name, update).await?;
    Ok(query::result("UpdateRole", &UpdateRoleResult {}))
}

/// `UpdateRoleDescription`.
async fn describe(call: &Call<'_>, form: &Form) -> Answered {
    let request = UpdateRoleDescriptionRequest::read(form)?;
    let update = UpdateRole::Description(request.description);
    let view = change(call, &request.role_name, update).await?;
    Ok(query::result("UpdateRoleDescription", &RoleResult { role: shape(view) }))
}

/// `UpdateAssumeRolePolicy`.
async fn trust(call: &Call<'_>, form: &Form) -> Answered {
    let request = UpdateAssumeRolePolicyRequest::read(form)?;
    let update = UpdateRole::AssumeRolePolicy(request.policy_document);
    change(call, &request.role_name, update).await?;
    Ok(DONE)
}

/// `PutRolePermissionsBoundary`.
async fn bound(call: &Call<'_>, form: &Form) -> Answered {
    let request = PutRolePermissionsBoundaryRequest::read(form)?;
    let update = UpdateRole::PermissionsBoundary(Some(request.permissions_boundary));
    change(call, &request.role_name, update).await?;
    Ok(DONE)
}

/// `DeleteRolePermissionsBoundary`.
async fn unbound(call: &Call<'_>, form: &Form) -> Answered {
    let request = RoleRequest::read(form)?;
    change(call, &request.role_name, UpdateRole::PermissionsBoundary(None)).await?;
    Ok(DONE)
}

/// `DeleteRole`.
async fn delete(call: &Call<'_>, form: &Form) -> Answered {
    let request = RoleRequest::read(form)?;
    let deleted = call.registry().delete_role(call.caller(), &request.role_name).await;
    deleted.map_err(failure::role)?;
    Ok(DONE)
}

/// `TagRole`.
async fn tag(call: &Call<'_>, form: &Form) -> Answered {
    let request = TagRoleRequest::read(form)?;
    let tags: Vec<_> = request.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    let tagged = call.registry().tag_role(call.caller(), &request.role_name, &tags).await;
    tagged.map_err(failure::role)?;
    Ok(DONE)
}

/// `UntagRole`.
async fn untag(call: &Call<'_>, form: &Form) -> Answered {
    let request = UntagRoleRequest::read(form)?;
    let (name, keys) = (&request.role_name, &request.tag_keys);
    call.registry().untag_role(call.caller(), name, keys).await.map_err(failure::role)?;
    Ok(DONE)
}

/// `ListRoleTags`, by key.
async fn list_tags(call: &Call<'_>, form: &Form) -> Answered {
    let request = ListOfRoleRequest::read(form)?;
    let page = page::read(request.marker.as_deref(), request.max_items)?;
    let found = call.registry().role(call.caller(), &request.role_name, RoleAspect::Tags).await;
    let tags = found.map_err(failure::role)?.role.tags;
    let (tags, next) = page::cut(tags, &page, |(key, _)| key);
    Ok(query::result(
        "ListRoleTags",
        &RoleTagsResult {
            tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
            is_truncated: next.is_some(),
            marker: page::write(next),
        },
    ))
}

async fn change(call: &Call<'_>, name: &str, update: UpdateRole) -> Result<RoleView, Failure> {
    call.registry().update_role(call.caller(), name, update).await.map_err(failure::role)
}

fn shape(view: RoleView) -> iam::Role {
    let RoleView { arn, role } = view;
    let tags = role.tags.into_iter().map(|(key, value)| Tag { key, value });
    let boundary = |arn| AttachedPermissionsBoundary {
        permissions_boundary_type: "PermissionsBoundaryPolicy".to_owned(),
        permissions_boundary_arn: arn,
    };
    iam::Role {
        path: role.path,
        role_name: role.name,
        role_id: role.role_id,
        arn,
        create_date: aws::Timestamp::from_milliseconds(role.created_at.0).to_extended_format(),
        assume_role_policy_document: iam::encoded_document(&role.assume_role_policy),
        description: role.description,
        max_session_duration: role.max_session_secs,
        permissions_boundary: role.permissions_boundary.map(boundary),
        tags: (tags.len() > 0).then(|| tags.collect()),
    }
}
