//! Secrets as a whole: changed, and taken back from deletion.

use aws::{
    json,
    secrets_manager::{
        RestoreSecretRequest, RestoreSecretResponse, UpdateSecretRequest, UpdateSecretResponse,
    },
};
use registry::UpdateSecret;

use super::{Call, Outcome, checked_id, error, invalid, value};

/// `UpdateSecret`.
pub(in super::super) async fn update(call: &Call<'_>) -> Outcome {
    let request: UpdateSecretRequest = call.secrets_manager()?;
    let id = checked_id(&request.secret_id)?;
    if request.kind.is_some() {
        return Err(invalid("Type is not offered by this version".to_owned()).into());
    }
    let update = UpdateSecret {
        client_request_token: request.client_request_token,
        description: request.description,
        kms_key_id: request.kms_key_id,
        value: value(request.secret_string, request.secret_binary)?,
    };
    let updated = call.registry().update_secret(call.caller(), id, update).await;
    let (view, version) = updated.map_err(error::secret)?;
    Ok(json::render(&UpdateSecretResponse {
        arn: Some(view.arn),
        name: Some(view.secret.name),
        version_id: version.map(|version| version.version_id),
    }))
}

/// `RestoreSecret`.
pub(in super::super) async fn restore(call: &Call<'_>) -> Outcome {
    let request: RestoreSecretRequest = call.secrets_manager()?;
    let id = checked_id(&request.secret_id)?;
    let view = call.registry().restore_secret(call.caller(), id).await.map_err(error::secret)?;
    Ok(json::render(&RestoreSecretResponse { arn: Some(view.arn), name: Some(view.secret.name) }))
}
