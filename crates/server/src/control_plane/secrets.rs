//! Secrets of rules, as far as AWS Secrets Manager offers them to their users.

mod batch;
mod changes;
mod labels;
mod list;
mod page;
mod unoffered;
mod versions;

pub(super) use batch::{get_values, random_password};
pub(super) use changes::{restore, update};
pub(super) use labels::{delete_policy, get_policy, put_policy, tag, untag, validate_policy};
pub(super) use list::list;
pub(super) use unoffered::refusal;
pub(super) use versions::{list_versions, move_stage, put_value};

use std::collections::BTreeMap;

use aws::{
    Arn, Exception, Sensitive, Timestamp,
    exception::{CommonException, SecretsManagerException},
    json,
    secrets_manager::{
        CreateSecretRequest, CreateSecretResponse, DeleteSecretRequest, DeleteSecretResponse,
        DescribeSecretRequest, DescribeSecretResponse, GetSecretValueRequest,
        GetSecretValueResponse, Tag,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use metadata::{RegistryId, SecretVersion};
use registry::{CreateSecret, DeleteSecret, SecretError, SecretSelector, SecretValue, SecretView};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Call, Outcome, error};

/// `SecretIdType`: 1 to 2048 characters.
const ID_CHARS_MAX: usize = 2048;

/// `CreateSecret`.
pub(super) async fn create(call: &Call<'_>) -> Outcome {
    let request: CreateSecretRequest = call.secrets_manager()?;
    refuse_unoffered(&request)?;
    let has_value = request.secret_string.is_some() || request.secret_binary.is_some();
    let new = CreateSecret {
        name: request.name,
        description: request.description,
        kms_key_id: request.kms_key_id,
        tags: request.tags.unwrap_or_default().into_iter().map(pair).collect(),
        client_request_token: request.client_request_token.clone(),
        value: value(request.secret_string, request.secret_binary)?,
    };
    let created = call.registry().create_secret(call.caller(), new).await;
    let view = created.map_err(|error| match error {
        SecretError::ScheduledForDeletion { .. } => Exception::new(
            SecretsManagerException::InvalidRequest,
            "You can't create this secret because a secret with this name is already scheduled \
             for deletion.",
        )
        .into(),
        error => error::secret(error),
    })?;
    let version = view.secret.versions.last().map(|version| version.version_id.clone());
    Ok(json::render(&CreateSecretResponse {
        arn: Some(view.arn),
        name: Some(view.secret.name),
        version_id: version.filter(|_| has_value),
        replication_status: None,
    }))
}

/// `GetSecretValue`.
pub(super) async fn get_value(call: &Call<'_>) -> Outcome {
    let request: GetSecretValueRequest = call.secrets_manager()?;
    let id = checked_id(&request.secret_id)?;
    let selector = SecretSelector { version_id: request.version_id, stage: request.version_stage };
    let found = call.registry().secret_value(call.caller(), id, &selector).await;
    let (view, version, value) = found.map_err(error::secret)?;
    let (text, binary) = text_or_binary(&value);
    Ok(json::render(&GetSecretValueResponse {
        arn: Some(view.arn),
        name: Some(view.secret.name),
        version_id: Some(version.version_id),
        secret_binary: binary,
        secret_string: text,
        version_stages: Some(version.stages),
        created_date: Some(moment(version.created_at)),
    }))
}

/// `DescribeSecret`.
pub(super) async fn describe(call: &Call<'_>) -> Outcome {
    let request: DescribeSecretRequest = call.secrets_manager()?;
    let id = checked_id(&request.secret_id)?;
    let view = call.registry().describe_secret(call.caller(), id).await.map_err(error::secret)?;
    let secret = view.secret;
    Ok(json::render(&DescribeSecretResponse {
        arn: Some(view.arn),
        name: Some(secret.name),
        description: secret.description,
        kms_key_id: secret.kms_key_id,
        last_changed_date: Some(moment(secret.changed_at)),
        deleted_date: secret.deleted_at.map(moment),
        tags: tags(secret.tags),
        version_ids_to_stages: Some(stages(secret.versions)),
        created_date: Some(moment(secret.created_at)),
        ..DescribeSecretResponse::default()
    }))
}

/// `DeleteSecret`.
pub(super) async fn delete(call: &Call<'_>) -> Outcome {
    let request: DeleteSecretRequest = call.secrets_manager()?;
    let id = checked_id(&request.secret_id)?;
    let delete = DeleteSecret {
        force: request.force_delete_without_recovery.unwrap_or_default(),
        recovery_window_days: request.recovery_window_in_days,
    };
    let deleted = call.registry().delete_secret(call.caller(), id, delete).await;
    let (arn, name, deletion_date) = match deleted {
        Ok(SecretView { arn, secret }) => (arn, secret.name, secret.delete_after),
        // "If you forcibly delete an already deleted or nonexistent secret, the operation does not
        // return ResourceNotFoundException" (API reference of DeleteSecret).
        Err(SecretError::NotFound { .. }) if delete.force => {
            let arn = arn_of(call, id);
            (arn.to_string(), arn.secret_name().unwrap_or(id).to_owned(), Some(call.now()))
        }
        Err(error) => return Err(error::secret(error)),
    };
    Ok(json::render(&DeleteSecretResponse {
        arn: Some(arn),
        name: Some(name),
        deletion_date: deletion_date.map(moment),
    }))
}

/// The ARN of a secret that is not there: as sent, or as it would begin.
fn arn_of(call: &Call<'_>, id: &str) -> Arn {
    let RegistryId { account, region } = call.registry_id();
    id.parse().unwrap_or_else(|_| Arn {
        partition: "aws".to_owned(),
        service: "secretsmanager".to_owned(),
        region: region.to_string(),
        account_id: account.to_string(),
        resource: format!("secret:{id}"),
    })
}

/// Members whose meaning is not kept here: to accept them would be to lose them.
fn refuse_unoffered(request: &CreateSecretRequest) -> Result<(), Exception> {
    let replicas = request.add_replica_regions.as_ref().is_some_and(|regions| !regions.is_empty());
    let unoffered = [
        ("AddReplicaRegions", replicas),
        ("Type", request.kind.is_some()),
        ("CrossAccountPrimaryARN", request.cross_account_primary_arn.is_some()),
    ];
    match unoffered.into_iter().find(|(_, is_sent)| *is_sent) {
        Some((member, _)) => Err(invalid(format!("{member} is not offered by this version"))),
        None => Ok(()),
    }
}

fn value(
    text: Option<Sensitive>,
    binary: Option<Sensitive>,
) -> Result<Option<SecretValue>, Exception> {
    match (text, binary) {
        (None, None) => Ok(None),
        (Some(text), None) => Ok(Some(SecretValue::Text(SecretString::from(text.into_string())))),
        (None, Some(binary)) => match STANDARD.decode(binary.as_str()) {
            Ok(bytes) => Ok(Some(SecretValue::Binary(bytes.into()))),
            Err(_) => Err(Exception::new(
                CommonException::Serialization,
                "The member 'SecretBinary' must be base64.",
            )),
        },
        (Some(_), Some(_)) => Err(invalid(
            "You can't specify both a binary secret value and a string secret value in the same \
             secret."
                .to_owned(),
        )),
    }
}

/// A value as the two members that may carry it.
fn text_or_binary(value: &SecretValue) -> (Option<Sensitive>, Option<Sensitive>) {
    match value {
        SecretValue::Text(text) => (Some(Sensitive::from(text.expose_secret())), None),
        SecretValue::Binary(bytes) => {
            (None, Some(Sensitive::from(STANDARD.encode(bytes.expose_secret()))))
        }
    }
}

fn checked_id(id: &str) -> Result<&str, Exception> {
    if (1..=ID_CHARS_MAX).contains(&id.chars().count()) {
        return Ok(id);
    }
    Err(violation("secretId", "must have length between 1 and 2048"))
}

/// The staging labels of each version. "Versions that have no staging labels are considered
/// deprecated and are not included in this list" (API reference of DescribeSecret).
fn stages(versions: Vec<SecretVersion>) -> BTreeMap<String, Vec<String>> {
    let labelled = versions.into_iter().filter(|version| !version.stages.is_empty());
    labelled.map(|version| (version.version_id, version.stages)).collect()
}

fn tags(tags: Vec<(String, String)>) -> Option<Vec<Tag>> {
    let tags = tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) });
    Some(tags.collect()).filter(|tags: &Vec<_>| !tags.is_empty())
}

fn pair(tag: Tag) -> (String, String) {
    (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())
}

/// A member breaks a constraint of the model: the service's front end says so, in its frame.
fn violation(member: &str, constraint: &str) -> Exception {
    Exception::new(
        CommonException::Validation,
        format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: \
             Member {constraint}"
        ),
    )
}

fn invalid(text: String) -> Exception {
    Exception::new(SecretsManagerException::InvalidParameter, text)
}

fn moment(at: metadata::Timestamp) -> Timestamp {
    Timestamp::from_milliseconds(at.0)
}
