//! Constraints of settings, whoever sets them (botocore `ecr` model 2015-09-21; User Guide,
//! "Tagging a private repository", "Preventing image tags from being overwritten").

use metadata::{Encryption, RepositorySettings, TagMutability};

use super::{lifecycle, policy};
use crate::SettingError;

/// Longest key and value of a tag in characters, and how many tags a repository may have.
const TAG_KEY_CHARS_MAX: usize = 128;
const TAG_VALUE_CHARS_MAX: usize = 256;
const TAGS_MAX: usize = 50;
/// How many filters exclude tags from a mutability, and how long one is in characters.
const FILTERS_MAX: usize = 5;
const FILTER_CHARS_MAX: usize = 128;
/// Longest name of a KMS key in characters.
const KMS_KEY_CHARS_MAX: usize = 2048;

/// Checks all settings that a repository is to come into being with.
pub(crate) fn settings(settings: &RepositorySettings) -> Result<(), SettingError> {
    tag_mutability(&settings.tag_mutability)?;
    encryption(&settings.encryption)?;
    tags(&settings.tags)?;
    tag_count(settings.tags.len())?;
    if let Some(text) = &settings.repository_policy {
        policy::check_repository_policy(text)?;
    }
    settings.lifecycle_policy.as_deref().map_or(Ok(()), lifecycle::check)
}

fn invalid(field: &'static str, reason: &str) -> SettingError {
    SettingError::Invalid { field, reason: reason.to_owned() }
}

/// Checks which tags may move.
pub(crate) fn tag_mutability(tag_mutability: &TagMutability) -> Result<(), SettingError> {
    const FIELD: &str = "imageTagMutabilityExclusionFilters";
    let filters = match tag_mutability {
        TagMutability::Mutable | TagMutability::Immutable => return Ok(()),
        TagMutability::MutableWithExclusion(filters)
        | TagMutability::ImmutableWithExclusion(filters) => filters,
    };
    if filters.is_empty() {
        return Err(invalid(FIELD, "must not be empty where imageTagMutability excludes tags"));
    }
    if filters.len() > FILTERS_MAX {
        return Err(invalid(FIELD, "must have length less than or equal to 5"));
    }
    let is_filter_char = |c: char| c.is_ascii_alphanumeric() || "._*-".contains(c);
    let is_filter = |filter: &String| {
        !filter.is_empty()
            && filter.chars().count() <= FILTER_CHARS_MAX
            && filter.chars().all(is_filter_char)
    };
    if !filters.iter().all(is_filter) {
        let reason = "must satisfy regular expression '^[0-9a-zA-Z._*-]{1,128}$'";
        return Err(invalid("imageTagMutabilityExclusionFilters.filter", reason));
    }
    Ok(())
}

fn encryption(encryption: &Encryption) -> Result<(), SettingError> {
    const FIELD: &str = "encryptionConfiguration.kmsKey";
    match encryption.kms_key().map(|key| key.chars().count()) {
        Some(0) => Err(invalid(FIELD, "must have length greater than or equal to 1")),
        Some(chars) if chars > KMS_KEY_CHARS_MAX => {
            Err(invalid(FIELD, "must have length less than or equal to 2048"))
        }
        _ => Ok(()),
    }
}

fn invalid_tag(reason: &str) -> SettingError {
    SettingError::InvalidTag { reason: reason.to_owned() }
}

/// Tags of one request, each by itself and together.
pub(crate) fn tags(tags: &[(String, String)]) -> Result<(), SettingError> {
    for (position, (key, value)) in tags.iter().enumerate() {
        tag_key(key)?;
        if value.chars().count() > TAG_VALUE_CHARS_MAX {
            return Err(invalid_tag("the Value of a tag has at most 256 characters"));
        }
        if !value.chars().all(is_tag_char) {
            return Err(invalid_tag("the Value of a tag has a character that is not allowed"));
        }
        if tags[..position].iter().any(|(earlier, _)| earlier == key) {
            return Err(invalid_tag("each Key of a tag is named once"));
        }
    }
    Ok(())
}

/// The key of a tag.
pub(crate) fn tag_key(key: &str) -> Result<(), SettingError> {
    if key.is_empty() || key.chars().count() > TAG_KEY_CHARS_MAX {
        return Err(invalid_tag("the Key of a tag has 1 to 128 characters"));
    }
    if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        return Err(invalid_tag("Keys of tags that begin with aws: are reserved"));
    }
    if !key.chars().all(is_tag_char) {
        return Err(invalid_tag("the Key of a tag has a character that is not allowed"));
    }
    Ok(())
}

/// Letters, numbers and spaces of any script, and a few signs.
fn is_tag_char(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "+-=._:/@".contains(c)
}

/// How many tags a repository would have.
pub(crate) fn tag_count(count: usize) -> Result<(), SettingError> {
    if count > TAGS_MAX {
        return Err(SettingError::TooManyTags { limit: TAGS_MAX });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_mutability() {
        let filters = |filters: &[&str]| {
            let filters = filters.iter().map(|filter| (*filter).to_owned()).collect();
            tag_mutability(&TagMutability::ImmutableWithExclusion(filters))
        };
        assert!(filters(&["dev-*", &"a".repeat(128)]).is_ok());
        for broken in [&[][..], &["a"; 6], &[""], &["a b"], &["a/b"], &[&"a".repeat(129)]] {
            let error = filters(broken).unwrap_err();
            assert!(error.to_string().contains("imageTagMutabilityExclusionFilters"), "{error}");
        }
    }

    #[test]
    fn keys_of_kms() {
        let check = |key: &str| encryption(&Encryption::Kms { kms_key: Some(key.to_owned()) });
        assert!(check(&"k".repeat(2048)).is_ok());
        assert!(check("").is_err() && check(&"k".repeat(2049)).is_err());
    }

    #[test]
    fn tags_of_repositories() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert!(tags(&[pair("Größe", ""), pair("a b", "+-=._:/@")]).is_ok());
        for broken in [
            pair("", "x"),
            pair(&"k".repeat(129), ""),
            pair("k", &"v".repeat(257)),
            pair("AWS:x", ""),
            pair("k#", ""),
            pair("k", "\n"),
        ] {
            assert!(tags(std::slice::from_ref(&broken)).is_err(), "{broken:?}");
        }
        assert!(tags(&[pair("a", "1"), pair("a", "2")]).is_err());
        assert!(tag_count(50).is_ok() && tag_count(51).is_err());
    }
}
