//! Tags and resource policies of secrets.

use aws::{
    Exception,
    exception::SecretsManagerException,
    json,
    secrets_manager::{
        DeleteResourcePolicyRequest, DeleteResourcePolicyResponse, GetResourcePolicyRequest,
        GetResourcePolicyResponse, PutResourcePolicyRequest, PutResourcePolicyResponse,
        TagResourceRequest, UntagResourceRequest, ValidateResourcePolicyRequest,
        ValidateResourcePolicyResponse, ValidationErrorsEntry,
    },
};
use registry::SecretError;

use super::{Call, Outcome, checked_id, error, pair};

/// The answer of an operation that has none but that it was done.
const DONE: &[u8] = b"{}";

/// `TagResource`.
pub(in super::super) async fn tag(call: &Call<'_>) -> Outcome {
    let request: TagResourceRequest = call.secrets_manager()?;
    let id = checked_id(&request.secret_id)?;
    let tags: Vec<_> = request.tags.into_iter().map(pair).collect();
    let tagged = call.registry().tag_secret(call.caller(), id, &tags).await;
    tagged.map_err(|error| match error {
        // The model gives this operation no LimitExceededException.
        SecretError::LimitExceeded { what, limit } => {
            let reason = format!("A secret has at most {limit} {what}.");
            error::secret(SecretError::Invalid { field: "Tags", reason })
        }
        error => error::secret(error),
    })?;
    Ok(DONE.to_vec())
}

/// `UntagResource`.
pub(in super::super) async fn untag(call: &Call<'_>) -> Outcome {
    let request: UntagResourceRequest = call.secrets_manager()?;
    let id = checked_id(&request.secret_id)?;
    let untagged = call.registry().untag_secret(call.caller(), id, &request.tag_keys).await;
    untagged.map_err(error::secret)?;
    Ok(DONE.to_vec())
}

/// `GetResourcePolicy`.
pub(in super::super) async fn get_policy(call: &Call<'_>) -> Outcome {
    let request: GetResourcePolicyRequest = call.secrets_manager()?;
    let id = checked_id(&request.secret_id)?;
    require_default(request.policy_name.as_deref(), SecretsManagerException::ResourceNotFound)?;
    let view = call.registry().secret_policy(call.caller(), id).await.map_err(error::secret)?;
    Ok(json::render(&GetResourcePolicyResponse {
        arn: Some(view.arn),
        name: Some(view.secret.name),
        resource_policy: view.secret.resource_policy,
    }))
}

/// `PutResourcePolicy`.
pub(in super::super) async fn put_policy(call: &Call<'_>) -> Outcome {
    let request: PutResourcePolicyRequest = call.secrets_manager()?;
    let id = checked_id(&request.secret_id)?;
    require_default(request.policy_name.as_deref(), SecretsManagerException::InvalidParameter)?;
    let (policy, block) = (&request.resource_policy, request.block_public_policy);
    let block = block.unwrap_or_default();
    let set = call.registry().set_secret_policy(call.caller(), id, Some(policy), block).await;
    let view = set.map_err(error::secret)?;
    Ok(json::render(&PutResourcePolicyResponse {
        arn: Some(view.arn),
        name: Some(view.secret.name),
    }))
}

/// `ValidateResourcePolicy`. AWS proves what a policy allows; here a statement counts that lets
/// everybody in without a condition, as `BlockPublicPolicy` has it.
pub(in super::super) async fn validate_policy(call: &Call<'_>) -> Outcome {
    let request: ValidateResourcePolicyRequest = call.secrets_manager()?;
    let id = request.secret_id.as_deref().map(checked_id).transpose()?;
    let policy = &request.resource_policy;
    let checked = call.registry().secret_policy_is_public(call.caller(), id, policy).await;
    let is_public = checked.map_err(error::secret)?;
    let text = "The resource policy grants broad access to the secret: a statement allows every \
                principal without a condition.";
    let found = is_public.then(|| ValidationErrorsEntry {
        check_name: Some("PUBLIC_POLICY_CHECK".to_owned()),
        error_message: Some(text.to_owned()),
    });
    Ok(json::render(&ValidateResourcePolicyResponse {
        policy_validation_passed: Some(!is_public),
        validation_errors: found.into_iter().collect(),
    }))
}

/// `DeleteResourcePolicy`.
pub(in super::super) async fn delete_policy(call: &Call<'_>) -> Outcome {
    let request: DeleteResourcePolicyRequest = call.secrets_manager()?;
    let id = checked_id(&request.secret_id)?;
    require_default(request.policy_name.as_deref(), SecretsManagerException::ResourceNotFound)?;
    let set = call.registry().set_secret_policy(call.caller(), id, None, false).await;
    let view = set.map_err(error::secret)?;
    Ok(json::render(&DeleteResourcePolicyResponse {
        arn: Some(view.arn),
        name: Some(view.secret.name),
    }))
}

/// A secret has one policy, and its name is `default`.
fn require_default(name: Option<&str>, refusal: SecretsManagerException) -> Result<(), Exception> {
    match name {
        None | Some("default") => Ok(()),
        Some(_) => Err(Exception::new(
            refusal,
            "Invalid PolicyName: the only resource policy that a secret has is called default.",
        )),
    }
}
