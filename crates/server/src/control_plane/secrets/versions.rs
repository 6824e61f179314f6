//! Versions of secrets and their staging labels.

use aws::{
    Exception,
    exception::SecretsManagerException,
    json,
    secrets_manager::{
        ListSecretVersionIdsRequest, ListSecretVersionIdsResponse, PutSecretValueRequest,
        PutSecretValueResponse, SecretVersionsListEntry, UpdateSecretVersionStageRequest,
        UpdateSecretVersionStageResponse,
    },
};
use registry::{MoveStage, PutSecretValue};

use super::{Call, Outcome, checked_id, error, invalid, moment, page, value};

/// `PutSecretValue`.
pub(in super::super) async fn put_value(call: &Call<'_>) -> Outcome {
    let request: PutSecretValueRequest = call.secrets_manager()?;
    let id = checked_id(&request.secret_id)?;
    if request.rotation_token.is_some() {
        return Err(invalid("RotationToken is not offered by this version".to_owned()).into());
    }
    let value = value(request.secret_string, request.secret_binary)?.ok_or_else(|| {
        Exception::new(
            SecretsManagerException::InvalidRequest,
            "You must provide either SecretString or SecretBinary.",
        )
    })?;
    let put = PutSecretValue {
        client_request_token: request.client_request_token,
        value,
        stages: request.version_stages,
    };
    let put = call.registry().put_secret_value(call.caller(), id, put).await;
    let (view, version) = put.map_err(error::secret)?;
    Ok(json::render(&PutSecretValueResponse {
        arn: Some(view.arn),
        name: Some(view.secret.name),
        version_id: Some(version.version_id),
        version_stages: Some(version.stages),
    }))
}

/// `ListSecretVersionIds`.
pub(in super::super) async fn list_versions(call: &Call<'_>) -> Outcome {
    let request: ListSecretVersionIdsRequest = call.secrets_manager()?;
    let id = checked_id(&request.secret_id)?;
    let page = page::read(request.next_token.as_deref(), request.max_results)?;
    let include = request.include_deprecated.unwrap_or_default();
    let listed = call.registry().secret_versions(call.caller(), id, include, &page).await;
    let (view, versions) = listed.map_err(error::secret)?;
    let entry = |version: metadata::SecretVersion| SecretVersionsListEntry {
        version_id: Some(version.version_id),
        version_stages: Some(version.stages).filter(|stages| !stages.is_empty()),
        created_date: Some(moment(version.created_at)),
        ..SecretVersionsListEntry::default()
    };
    Ok(json::render(&ListSecretVersionIdsResponse {
        versions: versions.items.into_iter().map(entry).collect(),
        next_token: page::write(versions.next),
        arn: Some(view.arn),
        name: Some(view.secret.name),
    }))
}

/// `UpdateSecretVersionStage`.
pub(in super::super) async fn move_stage(call: &Call<'_>) -> Outcome {
    let request: UpdateSecretVersionStageRequest = call.secrets_manager()?;
    let id = checked_id(&request.secret_id)?;
    let step = MoveStage {
        stage: request.version_stage,
        from: request.remove_from_version_id,
        to: request.move_to_version_id,
    };
    let moved = call.registry().move_secret_stage(call.caller(), id, &step).await;
    let view = moved.map_err(error::secret)?;
    Ok(json::render(&UpdateSecretVersionStageResponse {
        arn: Some(view.arn),
        name: Some(view.secret.name),
    }))
}
