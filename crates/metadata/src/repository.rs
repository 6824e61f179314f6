//! What a repository is set to do, as a fact: its settings are made with it and change with it.

use std::fmt;

use oci::Tag;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The settings of a repository. The default is what Amazon ECR gives a repository that nobody set
/// anything for: mutable tags, AES256, and nothing else.
///
/// Written as JSON inside a record: members are only ever added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepositorySettings {
    /// Which tags may be moved once they are set.
    pub tag_mutability: TagMutability,
    /// Whether an image is to be scanned when it is pushed.
    pub scan_on_push: bool,
    /// How layers are to be encrypted at rest.
    pub encryption: Encryption,
    /// The repository policy, a JSON text as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_policy: Option<String>,
    /// The lifecycle policy, a JSON text as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle_policy: Option<String>,
    /// When the lifecycle policy was last evaluated; absent where it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle_evaluated_at: Option<Timestamp>,
    /// Tags of the resource (not of its images), each key once, in the order they were set.
    pub tags: Vec<(String, String)>,
    /// Whether its creator said how layers are to be encrypted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub encryption_is_set: bool,
    /// Whether Cloud Control deletes it together with its images.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub empty_on_delete: bool,
}

/// Which tags of a repository may be moved once they are set. Filters are 1 to 5 patterns in which
/// `*` stands for any characters, none included; a tag that one matches is excluded.
///
/// ECR API reference, `ImageTagMutability` and `ImageTagMutabilityExclusionFilter` (`WILDCARD`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagMutability {
    /// Every tag may move.
    #[default]
    Mutable,
    /// No tag may move.
    Immutable,
    /// Only tags that a filter matches may not move.
    MutableWithExclusion(Vec<String>),
    /// Only tags that a filter matches may move.
    ImmutableWithExclusion(Vec<String>),
}

/// How the layers of a repository are to be encrypted at rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// With keys of the registry.
    #[default]
    Aes256,
    /// With a key of KMS.
    Kms {
        /// ARN of the key; the account's own key for ECR where absent.
        kms_key: Option<String>,
    },
    /// With a key of KMS, twice.
    KmsDsse {
        /// ARN of the key; the account's own key for ECR where absent.
        kms_key: Option<String>,
    },
}

impl TagMutability {
    /// Puts ECR's two members together; `None` where the word is not one of ECR's. Filters of a
    /// word without exclusion are dropped.
    pub fn from_parts(word: &str, filters: Vec<String>) -> Option<Self> {
        match word {
            "MUTABLE" => Some(Self::Mutable),
            "IMMUTABLE" => Some(Self::Immutable),
            "MUTABLE_WITH_EXCLUSION" => Some(Self::MutableWithExclusion(filters)),
            "IMMUTABLE_WITH_EXCLUSION" => Some(Self::ImmutableWithExclusion(filters)),
            _ => None,
        }
    }

    /// Returns ECR's word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Mutable => "MUTABLE",
            Self::Immutable => "IMMUTABLE",
            Self::MutableWithExclusion(_) => "MUTABLE_WITH_EXCLUSION",
            Self::ImmutableWithExclusion(_) => "IMMUTABLE_WITH_EXCLUSION",
        }
    }

    /// Returns the exclusion filters, none where there is no exclusion.
    pub fn filters(&self) -> &[String] {
        match self {
            Self::Mutable | Self::Immutable => &[],
            Self::MutableWithExclusion(filters) | Self::ImmutableWithExclusion(filters) => filters,
        }
    }

    /// Tells whether a tag that is set may be moved to another image.
    pub fn allows_move(&self, tag: &Tag) -> bool {
        let is_excluded =
            self.filters().iter().any(|filter| matches_wildcard(filter, tag.as_str()));
        match self {
            Self::Mutable | Self::MutableWithExclusion(_) => !is_excluded,
            Self::Immutable | Self::ImmutableWithExclusion(_) => is_excluded,
        }
    }
}

impl fmt::Display for TagMutability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Encryption {
    /// Puts ECR's two members together; `None` where the word is not one of ECR's. A key of
    /// AES256 is dropped.
    pub fn from_parts(word: &str, kms_key: Option<String>) -> Option<Self> {
        match word {
            "AES256" => Some(Self::Aes256),
            "KMS" => Some(Self::Kms { kms_key }),
            "KMS_DSSE" => Some(Self::KmsDsse { kms_key }),
            _ => None,
        }
    }

    /// Returns ECR's word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::Kms { .. } => "KMS",
            Self::KmsDsse { .. } => "KMS_DSSE",
        }
    }

    /// Returns the ARN of the key, where one was named.
    pub fn kms_key(&self) -> Option<&str> {
        match self {
            Self::Aes256 => None,
            Self::Kms { kms_key } | Self::KmsDsse { kms_key } => kms_key.as_deref(),
        }
    }
}

/// Matches a pattern in which `*` stands for any characters. Each part between stars is taken
/// where it first fits, so that no pattern makes it slow.
pub fn matches_wildcard(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let (between, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in between.split('*') {
        let Some(found) = text.find(part) else { return false };
        text = &text[found + part.len()..];
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("latest", "latest", true),
            ("latest", "latest1", false),
            ("dev-*", "dev-", true),
            ("dev-*", "dev-1", true),
            ("dev-*", "adev-1", false),
            ("*", "anything", true),
            ("*-rc", "v1-rc", true),
            ("*-rc", "v1-rc1", false),
            ("v*.*.x", "v1.2.x", true),
            ("v*.*.x", "v1.x", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a**b", "ab", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("*ab*ab", "ab", false),
        ] {
            assert_eq!(matches_wildcard(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn exclusions_turn_the_word_around() {
        let filters = || vec!["dev-*".to_owned(), "latest".to_owned()];
        for (word, stable, dev) in [
            ("MUTABLE", true, true),
            ("IMMUTABLE", false, false),
            ("MUTABLE_WITH_EXCLUSION", true, false),
            ("IMMUTABLE_WITH_EXCLUSION", false, true),
        ] {
            let mutability = TagMutability::from_parts(word, filters()).unwrap();
            assert_eq!(mutability.to_string(), word);
            let allows = |tag| mutability.allows_move(&Tag::parse(tag).unwrap());
            assert_eq!((allows("1.0"), allows("dev-1"), allows("latest")), (stable, dev, dev));
        }
        assert_eq!(TagMutability::from_parts("mutable", Vec::new()), None);
    }

    /// Records of the first shape: later versions must read them as they are.
    #[test]
    fn records_keep_their_shape() {
        let whole = RepositorySettings {
            tag_mutability: TagMutability::ImmutableWithExclusion(vec!["dev-*".into()]),
            scan_on_push: true,
            encryption: Encryption::Kms { kms_key: Some("arn:aws:kms:x".into()) },
            repository_policy: Some("{}".into()),
            lifecycle_policy: Some("{\"rules\":[]}".into()),
            lifecycle_evaluated_at: Some(Timestamp(7)),
            tags: vec![("team".into(), "a".into())],
            ..RepositorySettings::default()
        };
        for (settings, golden) in [
            (
                RepositorySettings::default(),
                r#"{"tag_mutability":"mutable","scan_on_push":false,"encryption":"aes256","tags":[]}"#,
            ),
            (
                whole,
                r#"{"tag_mutability":{"immutable_with_exclusion":["dev-*"]},"scan_on_push":true,"encryption":{"kms":{"kms_key":"arn:aws:kms:x"}},"repository_policy":"{}","lifecycle_policy":"{\"rules\":[]}","lifecycle_evaluated_at":7,"tags":[["team","a"]]}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&settings).unwrap(), golden);
            assert_eq!(serde_json::from_str::<RepositorySettings>(golden).unwrap(), settings);
        }
        let empty: RepositorySettings = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, RepositorySettings::default());
    }
}
