//! Values of many secrets at once, and passwords for new ones.

use aws::{
    Exception, Sensitive,
    exception::SecretsManagerException,
    json,
    secrets_manager::{
        ApiErrorType, BatchGetSecretValueRequest, BatchGetSecretValueResponse,
        GetRandomPasswordRequest, GetRandomPasswordResponse, SecretValueEntry,
    },
};
use metadata::SecretVersion;
use registry::{PasswordRules, SecretError, SecretSelection, SecretValue, SecretView};
use secrecy::ExposeSecret as _;

use super::{
    Call, Outcome, checked_id, error, invalid, list, moment, page, text_or_binary, violation,
};

/// `SecretIdListType` and `MaxResultsBatchType`.
const BATCH_MAX: usize = 20;

/// `BatchGetSecretValue`.
pub(in super::super) async fn get_values(call: &Call<'_>) -> Outcome {
    let request: BatchGetSecretValueRequest = call.secrets_manager()?;
    let selection = selection(request)?;
    let found = call.registry().secret_values(call.caller(), selection).await;
    let found = found.map_err(error::secret)?;
    Ok(json::render(&BatchGetSecretValueResponse {
        secret_values: found.values.into_iter().map(entry).collect(),
        next_token: page::write(found.next),
        errors: found.failures.into_iter().map(told).collect(),
    }))
}

fn selection(request: BatchGetSecretValueRequest) -> Result<SecretSelection, Exception> {
    match (request.secret_id_list, request.filters) {
        (Some(ids), None) => {
            if request.max_results.is_some() || request.next_token.is_some() {
                let text = "You can't use MaxResults or NextToken without Filters.";
                return Err(invalid(text.to_owned()));
            }
            if ids.is_empty() || ids.len() > BATCH_MAX {
                return Err(violation("secretIdList", "must have length between 1 and 20"));
            }
            ids.iter().try_for_each(|id| checked_id(id).map(drop))?;
            Ok(SecretSelection::Ids(ids))
        }
        (None, Some(filters)) => {
            let limit = request.max_results.unwrap_or(20);
            if limit > 20 {
                let constraint = "must have value less than or equal to 20";
                return Err(violation("maxResults", constraint));
            }
            let page = page::read(request.next_token.as_deref(), Some(limit))?;
            Ok(SecretSelection::Filters(list::filters(filters)?, page))
        }
        (None, None) | (Some(_), Some(_)) => {
            let text = "You must include either Filters or SecretIdList, but not both.";
            Err(Exception::new(SecretsManagerException::InvalidParameter, text))
        }
    }
}

fn entry((view, version, value): (SecretView, SecretVersion, SecretValue)) -> SecretValueEntry {
    let (secret_string, secret_binary) = text_or_binary(&value);
    SecretValueEntry {
        arn: Some(view.arn),
        name: Some(view.secret.name),
        version_id: Some(version.version_id),
        secret_binary,
        secret_string,
        version_stages: Some(version.stages),
        created_date: Some(moment(version.created_at)),
    }
}

/// The exception that the secret alone would have been answered with.
fn told((id, failure): (String, SecretError)) -> ApiErrorType {
    let exception = error::secret(failure).exception;
    ApiErrorType {
        secret_id: Some(id),
        error_code: Some(exception.kind().name().to_owned()),
        message: Some(exception.message().to_owned()),
    }
}

/// `GetRandomPassword`.
pub(in super::super) fn random_password(call: &Call<'_>) -> Outcome {
    let request: GetRandomPasswordRequest = call.secrets_manager()?;
    let rules = PasswordRules {
        length: request.password_length,
        exclude_characters: request.exclude_characters.unwrap_or_default(),
        exclude_numbers: request.exclude_numbers.unwrap_or_default(),
        exclude_punctuation: request.exclude_punctuation.unwrap_or_default(),
        exclude_uppercase: request.exclude_uppercase.unwrap_or_default(),
        exclude_lowercase: request.exclude_lowercase.unwrap_or_default(),
        include_space: request.include_space.unwrap_or_default(),
        any_mixture: request.require_each_included_type == Some(false),
    };
    let drawn = call.registry().random_password(call.caller(), &rules).map_err(error::secret)?;
    let random_password = Some(Sensitive::from(drawn.expose_secret()));
    Ok(json::render(&GetRandomPasswordResponse { random_password }))
}
