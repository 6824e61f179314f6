//! What a template may hold (ECR API reference, `CreateRepositoryCreationTemplate`; botocore's model
//! of 2015-09-21).

use metadata::{Encryption, RegistryId};

use super::{TemplateError, TemplateFields};
use crate::{
    SettingError, Settings,
    repositories::{constraints, lifecycle, policy},
};

/// `RepositoryTemplateDescription`.
const DESCRIPTION_CHARS_MAX: usize = 256;
/// `CustomRoleArn`.
const ROLE_CHARS_MAX: usize = 2048;
/// `KmsKeyForRepositoryCreationTemplate`.
const KMS_KEY_CHARS_MAX: usize = 2048;
const KMS_KEY_PATTERN: &str = r"^$|arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key\/[a-z0-9-]+";

/// `LifecyclePolicyTextForRepositoryCreationTemplate`: shorter than for a repository, if need be.
const LIFECYCLE_CHARS_MAX: usize = 30_720;

/// Checks what a call wants to set.
pub(super) fn check(
    fields: &TemplateFields,
    registry: &RegistryId,
    settings: &Settings,
) -> Result<(), TemplateError> {
    if let Some(description) = &fields.description {
        length("description", description, DESCRIPTION_CHARS_MAX)?;
    }
    if let Some(key) = fields.encryption.as_ref().and_then(Encryption::kms_key) {
        check_key(key)?;
    }
    if let Some(tags) = &fields.tags {
        constraints::tags(tags).map_err(named("resourceTags"))?;
        constraints::tag_count(tags.len()).map_err(named("resourceTags"))?;
    }
    if let Some(tag_mutability) = &fields.tag_mutability {
        constraints::tag_mutability(tag_mutability)
            .map_err(named("imageTagMutabilityExclusionFilters"))?;
    }
    if let Some(text) = given(fields.repository_policy.as_ref()) {
        policy::check_repository_policy(text).map_err(named("repositoryPolicy"))?;
    }
    if let Some(text) = given(fields.lifecycle_policy.as_ref()) {
        length("lifecyclePolicy", text, LIFECYCLE_CHARS_MAX)?;
        lifecycle::check_grammar(text).map_err(named("lifecyclePolicy"))?;
    }
    match given(fields.custom_role_arn.as_ref()) {
        Some(arn) => check_role(arn, registry, settings),
        None => Ok(()),
    }
}

/// An empty text takes a member away: there is nothing to check.
fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

fn invalid(field: &'static str, reason: impl Into<String>) -> TemplateError {
    TemplateError::Invalid { field, reason: reason.into() }
}

fn length(field: &'static str, text: &str, max: usize) -> Result<(), TemplateError> {
    if text.chars().count() <= max {
        return Ok(());
    }
    Err(invalid(field, format!("must have length less than or equal to {max}")))
}

/// Says what is wrong with a setting by the name that the member has in a template. No operation on
/// templates models more exceptions than one for a parameter.
fn named(field: &'static str) -> impl Fn(SettingError) -> TemplateError {
    move |error| {
        let reason = match error {
            SettingError::Invalid { reason, .. } | SettingError::InvalidTag { reason } => reason,
            SettingError::MalformedPolicy { kind, reason } => {
                format!("Invalid {kind} provided: {reason}")
            }
            error => error.to_string(),
        };
        TemplateError::Invalid { field, reason }
    }
}

/// "The full ARN of the KMS key must be specified", unlike for a repository.
fn check_key(key: &str) -> Result<(), TemplateError> {
    const FIELD: &str = "encryptionConfiguration.kmsKey";
    length(FIELD, key, KMS_KEY_CHARS_MAX)?;
    if is_key_arn(key) {
        return Ok(());
    }
    Err(invalid(FIELD, format!("must satisfy regular expression '{KMS_KEY_PATTERN}'")))
}

fn is_key_arn(text: &str) -> bool {
    let is_word = |text: &str| {
        let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        text.bytes().all(is_allowed)
    };
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, "kms", region, account, key] = parts[..] else { return false };
    partition.strip_prefix("aws").is_some_and(is_word)
        && !region.is_empty()
        && is_word(region)
        && metadata::AccountId::parse(account).is_ok()
        && key.strip_prefix("key/").is_some_and(|id| !id.is_empty() && is_word(id))
}

/// Checks the role that ECR would assume: "This role must be in the same account as the registry".
fn check_role(arn: &str, registry: &RegistryId, settings: &Settings) -> Result<(), TemplateError> {
    const FIELD: &str = "customRoleArn";
    length(FIELD, arn, ROLE_CHARS_MAX)?;
    if !arn.starts_with("arn:") {
        return Err(invalid(FIELD, "it is not the ARN of a role"));
    }
    if settings.strict_ecr && arn.split(':').nth(4) != Some(registry.account.as_str()) {
        return Err(invalid(FIELD, "the role must be in the same account as the registry"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_full_arns() {
        for good in [
            "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1234",
        ] {
            assert!(is_key_arn(good), "{good}");
        }
        for bad in [
            "",
            "alias/mine",
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:us-east-1:111122223333:alias/mine",
            "arn:aws:kms:us-east-1:111122223333:key/",
            "arn:aws:kms:us-east-1:111122223333:key/ABC",
            "arn:aws:kms::111122223333:key/a",
            "arn:aws:kms:us-east-1:1111:key/a",
            "arn:gcp:kms:us-east-1:111122223333:key/a",
            "arn:aws:s3:us-east-1:111122223333:key/a",
            "arn:aws:kms:us-east-1:111122223333:key/a:b",
        ] {
            assert!(!is_key_arn(bad), "{bad}");
        }
    }
}
