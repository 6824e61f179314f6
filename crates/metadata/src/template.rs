//! Repository creation templates as facts: what a repository is set to when a pull, a push or a
//! replication brings it into being.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    PrefixError, RepositorySettings, Timestamp,
    rule::{EcrRepositoryPrefix, check_prefix, prefix_key},
};

/// The prefix of a template, as typed: `prod`, `prod/team/` or `ROOT`.
///
/// ECR API reference, `Prefix`: the grammar of a rule's prefix, and 1 to 256 characters. "There is
/// always an assumed `/` applied to the end of the prefix": two prefixes that differ by it have
/// one [`key`](Self::key).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TemplatePrefix(String);

impl TemplatePrefix {
    /// Parses a prefix by ECR's grammar; the spelling is kept.
    ///
    /// # Errors
    /// A [`PrefixError`] that says which constraint is broken.
    pub fn parse(text: &str) -> Result<Self, PrefixError> {
        check_prefix(text, 1, 256)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the prefix as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what identifies the prefix: without a trailing slash.
    pub fn key(&self) -> &str {
        prefix_key(&self.0)
    }

    /// Tells whether this is `ROOT`, the empty prefix.
    pub fn is_root(&self) -> bool {
        self.0 == EcrRepositoryPrefix::ROOT
    }
}

impl fmt::Display for TemplatePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TemplatePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What may bring a repository into being on ECR's behalf (ECR API reference, `RCTAppliedFor`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppliedFor {
    /// A replication from another registry.
    Replication,
    /// The first pull through a rule.
    PullThroughCache,
    /// The first push.
    CreateOnPush,
}

impl AppliedFor {
    /// Every one, in the order of ECR's model.
    pub const ALL: [Self; 3] = [Self::Replication, Self::PullThroughCache, Self::CreateOnPush];

    /// Reads ECR's word; `None` where it is not one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|applied_for| applied_for.as_str() == word)
    }

    /// Returns ECR's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replication => "REPLICATION",
            Self::PullThroughCache => "PULL_THROUGH_CACHE",
            Self::CreateOnPush => "CREATE_ON_PUSH",
        }
    }
}

/// A repository creation template. What the creator did not set is `None`, or what ECR sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The repositories it is for: those below this prefix, as typed.
    pub prefix: TemplatePrefix,
    /// A sentence about it.
    pub description: Option<String>,
    /// When it is applied, in the order sent; to nothing where empty.
    pub applied_for: Vec<AppliedFor>,
    /// What a repository that it makes is set to.
    pub settings: RepositorySettings,
    /// ARN of the role that ECR assumes to make the repository.
    pub custom_role_arn: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was created or last updated.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_a_rules_but_for_their_length() {
        let longest = "a".repeat(256);
        for text in ["a", "a/", "prod/team", "a--b/c__d/", "ROOT", "root", &longest] {
            let prefix = TemplatePrefix::parse(text).unwrap();
            assert_eq!(prefix.as_str(), text);
            assert_eq!(prefix.key(), text.trim_end_matches('/'));
            assert_eq!(prefix.is_root(), text == "ROOT");
        }
        for text in ["/", "a//", "Prod", "ROOT/", "a..b", "-a", "x:5000", "ä"] {
            assert_eq!(TemplatePrefix::parse(text), Err(PrefixError::Grammar), "{text}");
        }
        for text in ["", &"a".repeat(257)] {
            let length = PrefixError::Length { min: 1, max: 256 };
            assert_eq!(TemplatePrefix::parse(text), Err(length));
        }
    }

    #[test]
    fn words_come_back() {
        for applied_for in AppliedFor::ALL {
            assert_eq!(AppliedFor::parse(applied_for.as_str()), Some(applied_for));
        }
        assert_eq!(AppliedFor::parse("pull_through_cache"), None);
    }

    /// Records of the first shape: later versions must read them as they are.
    #[test]
    fn records_keep_their_shape() {
        let golden = r#"["replication","pull_through_cache","create_on_push"]"#;
        assert_eq!(serde_json::to_string(&AppliedFor::ALL).unwrap(), golden);
        let read: Vec<AppliedFor> = serde_json::from_str(golden).unwrap();
        assert_eq!(read, AppliedFor::ALL);
    }
}
