//! Policies of repositories and of the registry.

use aws::{
    Timestamp,
    ecr::{
        DeleteLifecyclePolicyRequest, DeleteLifecyclePolicyResponse, DeleteRegistryPolicyRequest,
        DeleteRegistryPolicyResponse, DeleteRepositoryPolicyRequest,
        DeleteRepositoryPolicyResponse, GetLifecyclePolicyRequest, GetLifecyclePolicyResponse,
        GetRegistryPolicyRequest, GetRegistryPolicyResponse, GetRepositoryPolicyRequest,
        GetRepositoryPolicyResponse, Operation, PutLifecyclePolicyRequest,
        PutLifecyclePolicyResponse, PutRegistryPolicyRequest, PutRegistryPolicyResponse,
        SetRepositoryPolicyRequest, SetRepositoryPolicyResponse,
    },
    json,
};

use super::{Call, Outcome, repositories::named, setting_failure::setting};

/// `SetRepositoryPolicy`.
pub(super) async fn set(call: &Call<'_>) -> Outcome {
    let request: SetRepositoryPolicyRequest = call.ecr()?;
    let operation = Operation::SetRepositoryPolicy;
    let name = named(call, request.registry_id.as_deref(), operation, &request.repository_name)?;
    let (text, force) = (request.policy_text, request.force.unwrap_or_default());
    let set = call.registry().set_repository_policy(call.caller(), &name, &text, force).await;
    set.map_err(|error| setting(error, call))?;
    Ok(json::render(&SetRepositoryPolicyResponse {
        registry_id: account(call),
        repository_name: Some(request.repository_name),
        policy_text: Some(text),
    }))
}

/// `GetRepositoryPolicy`.
pub(super) async fn get(call: &Call<'_>) -> Outcome {
    let request: GetRepositoryPolicyRequest = call.ecr()?;
    let operation = Operation::GetRepositoryPolicy;
    let name = named(call, request.registry_id.as_deref(), operation, &request.repository_name)?;
    let text = call.registry().repository_policy(call.caller(), &name).await;
    Ok(json::render(&GetRepositoryPolicyResponse {
        registry_id: account(call),
        repository_name: Some(request.repository_name),
        policy_text: Some(text.map_err(|error| setting(error, call))?),
    }))
}

/// `DeleteRepositoryPolicy`.
pub(super) async fn delete(call: &Call<'_>) -> Outcome {
    let request: DeleteRepositoryPolicyRequest = call.ecr()?;
    let operation = Operation::DeleteRepositoryPolicy;
    let name = named(call, request.registry_id.as_deref(), operation, &request.repository_name)?;
    let text = call.registry().delete_repository_policy(call.caller(), &name).await;
    Ok(json::render(&DeleteRepositoryPolicyResponse {
        registry_id: account(call),
        repository_name: Some(request.repository_name),
        policy_text: Some(text.map_err(|error| setting(error, call))?),
    }))
}

/// `PutLifecyclePolicy`.
pub(super) async fn put_lifecycle(call: &Call<'_>) -> Outcome {
    let request: PutLifecyclePolicyRequest = call.ecr()?;
    let operation = Operation::PutLifecyclePolicy;
    let name = named(call, request.registry_id.as_deref(), operation, &request.repository_name)?;
    let text = request.lifecycle_policy_text;
    let set = call.registry().set_lifecycle_policy(call.caller(), &name, &text).await;
    set.map_err(|error| setting(error, call))?;
    Ok(json::render(&PutLifecyclePolicyResponse {
        registry_id: account(call),
        repository_name: Some(request.repository_name),
        lifecycle_policy_text: Some(text),
    }))
}

/// `GetLifecyclePolicy`.
pub(super) async fn get_lifecycle(call: &Call<'_>) -> Outcome {
    let request: GetLifecyclePolicyRequest = call.ecr()?;
    let operation = Operation::GetLifecyclePolicy;
    let name = named(call, request.registry_id.as_deref(), operation, &request.repository_name)?;
    let found = call.registry().lifecycle_policy(call.caller(), &name).await;
    let (text, evaluated_at) = found.map_err(|error| setting(error, call))?;
    Ok(json::render(&GetLifecyclePolicyResponse {
        registry_id: account(call),
        repository_name: Some(request.repository_name),
        lifecycle_policy_text: Some(text),
        last_evaluated_at: evaluated_at.map(moment),
    }))
}

/// `DeleteLifecyclePolicy`.
pub(super) async fn delete_lifecycle(call: &Call<'_>) -> Outcome {
    let request: DeleteLifecyclePolicyRequest = call.ecr()?;
    let operation = Operation::DeleteLifecyclePolicy;
    let name = named(call, request.registry_id.as_deref(), operation, &request.repository_name)?;
    let deleted = call.registry().delete_lifecycle_policy(call.caller(), &name).await;
    let (text, evaluated_at) = deleted.map_err(|error| setting(error, call))?;
    Ok(json::render(&DeleteLifecyclePolicyResponse {
        registry_id: account(call),
        repository_name: Some(request.repository_name),
        lifecycle_policy_text: Some(text),
        last_evaluated_at: evaluated_at.map(moment),
    }))
}

/// `PutRegistryPolicy`.
pub(super) async fn put_registry(call: &Call<'_>) -> Outcome {
    let request: PutRegistryPolicyRequest = call.ecr()?;
    let text = request.policy_text;
    let set = call.registry().set_registry_policy(call.caller(), &text).await;
    set.map_err(|error| setting(error, call))?;
    Ok(json::render(&PutRegistryPolicyResponse {
        registry_id: account(call),
        policy_text: Some(text),
    }))
}

/// `GetRegistryPolicy`.
pub(super) async fn get_registry(call: &Call<'_>) -> Outcome {
    let GetRegistryPolicyRequest {} = call.ecr()?;
    let text = call.registry().registry_policy(call.caller()).await;
    Ok(json::render(&GetRegistryPolicyResponse {
        registry_id: account(call),
        policy_text: Some(text.map_err(|error| setting(error, call))?),
    }))
}

/// `DeleteRegistryPolicy`.
pub(super) async fn delete_registry(call: &Call<'_>) -> Outcome {
    let DeleteRegistryPolicyRequest {} = call.ecr()?;
    let text = call.registry().delete_registry_policy(call.caller()).await;
    Ok(json::render(&DeleteRegistryPolicyResponse {
        registry_id: account(call),
        policy_text: Some(text.map_err(|error| setting(error, call))?),
    }))
}

fn account(call: &Call<'_>) -> Option<String> {
    Some(call.registry_id().account.to_string())
}

fn moment(at: metadata::Timestamp) -> Timestamp {
    Timestamp::from_milliseconds(at.0)
}
