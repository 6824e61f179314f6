//! Constraints of what is sent (API reference, "CreateSecret", "TagResource"; quotas in the user
//! guide, "AWS Secrets Manager quotas").

use super::{CreateSecret, SecretValue};
use crate::SecretError;

/// Largest value in bytes, longest name, description and key id in characters.
const VALUE_BYTES_MAX: usize = 65_536;
const NAME_CHARS_MAX: usize = 512;
const TEXT_CHARS_MAX: usize = 2048;
/// Longest key and value of a tag in characters, and how many tags a secret may have.
const TAG_KEY_CHARS_MAX: usize = 128;
const TAG_VALUE_CHARS_MAX: usize = 256;
const TAGS_MAX: usize = 50;
/// Longest staging label in characters, and how many a secret may have.
const STAGE_CHARS_MAX: usize = 256;
pub(super) const STAGES_MAX: usize = 20;

fn invalid(field: &'static str, reason: &str) -> SecretError {
    SecretError::Invalid { field, reason: reason.to_owned() }
}

pub(super) fn new_secret(create: &CreateSecret) -> Result<(), SecretError> {
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    if create.name.is_empty() || create.name.chars().count() > NAME_CHARS_MAX {
        return Err(invalid("Name", "a name has 1 to 512 characters"));
    }
    if !create.name.chars().all(is_name_char) {
        return Err(invalid(
            "Name",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
             following: -/_+=.@!",
        ));
    }
    token(create.client_request_token.as_deref())?;
    texts(create.description.as_deref(), create.kms_key_id.as_deref())?;
    tags(&create.tags)?;
    tag_count(create.tags.len())?;
    create.value.as_ref().map_or(Ok(()), value)
}

/// The id of a version that is to be.
pub(super) fn token(token: Option<&str>) -> Result<(), SecretError> {
    if token.is_some_and(|token| !(32..=64).contains(&token.chars().count())) {
        return Err(invalid("ClientRequestToken", "a token has 32 to 64 characters"));
    }
    Ok(())
}

pub(super) fn texts(
    description: Option<&str>,
    kms_key_id: Option<&str>,
) -> Result<(), SecretError> {
    let is_long = |text: Option<&str>| text.is_some_and(|it| it.chars().count() > TEXT_CHARS_MAX);
    if is_long(description) {
        return Err(invalid("Description", "a description has at most 2048 characters"));
    }
    if is_long(kms_key_id) {
        return Err(invalid("KmsKeyId", "a key id has at most 2048 characters"));
    }
    Ok(())
}

pub(super) fn value(value: &SecretValue) -> Result<(), SecretError> {
    if value.bytes().1.len() > VALUE_BYTES_MAX {
        return Err(invalid("SecretString", "a value has at most 65536 bytes"));
    }
    Ok(())
}

/// Tags of one request, each by itself and together.
pub(super) fn tags(tags: &[(String, String)]) -> Result<(), SecretError> {
    for (position, (key, value)) in tags.iter().enumerate() {
        tag_key(key)?;
        if value.chars().count() > TAG_VALUE_CHARS_MAX {
            return Err(invalid("Tags", "the value of a tag has at most 256 characters"));
        }
        if tags[..position].iter().any(|(earlier, _)| earlier == key) {
            return Err(invalid("Tags", "each key of a tag is named once"));
        }
    }
    Ok(())
}

pub(super) fn tag_key(key: &str) -> Result<(), SecretError> {
    if key.is_empty() || key.chars().count() > TAG_KEY_CHARS_MAX {
        return Err(invalid("Tags", "the key of a tag has 1 to 128 characters"));
    }
    if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        return Err(invalid("Tags", "keys that begin with aws: are reserved"));
    }
    Ok(())
}

/// How many tags a secret would have.
pub(super) fn tag_count(count: usize) -> Result<(), SecretError> {
    if count > TAGS_MAX {
        return Err(SecretError::LimitExceeded { what: "tags", limit: TAGS_MAX });
    }
    Ok(())
}

/// Staging labels of one request.
pub(super) fn stages(field: &'static str, stages: &[String]) -> Result<(), SecretError> {
    if stages.is_empty() || stages.len() > STAGES_MAX {
        return Err(invalid(field, "there are 1 to 20 staging labels"));
    }
    if stages.iter().any(|stage| stage.is_empty() || stage.chars().count() > STAGE_CHARS_MAX) {
        return Err(invalid(field, "a staging label has 1 to 256 characters"));
    }
    Ok(())
}
