//! Pull through cache rules as facts.

use std::fmt;

use crate::Timestamp;

/// The prefix of a rule, as typed: `docker-hub`, `team/a`, `quay/` or `ROOT`.
///
/// ECR API reference, `PullThroughCacheRuleRepositoryPrefix`. "There is always an assumed `/`
/// applied to the end of the prefix": two prefixes that differ by it have one [`key`](Self::key).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EcrRepositoryPrefix(String);

/// Why a text is not a prefix.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum PrefixError {
    /// Shorter than 2 or longer than 30 characters.
    #[error("a prefix has 2 to 30 characters")]
    Length,
    /// Breaks the grammar.
    #[error("a prefix is ROOT, or path components of lower-case letters and digits")]
    Grammar,
}

impl EcrRepositoryPrefix {
    /// The spelling that stands for "no prefix".
    pub const ROOT: &'static str = "ROOT";

    /// Parses a prefix by ECR's grammar; the spelling is kept.
    ///
    /// # Errors
    /// A [`PrefixError`] that says which constraint is broken.
    pub fn parse(text: &str) -> Result<Self, PrefixError> {
        if !(2..=30).contains(&text.chars().count()) {
            return Err(PrefixError::Length);
        }
        let path = text.strip_suffix('/').unwrap_or(text);
        if text == Self::ROOT || oci::RepositoryName::parse(path).is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(PrefixError::Grammar)
        }
    }

    /// Returns the prefix as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what identifies the prefix: without a trailing slash.
    pub fn key(&self) -> &str {
        self.0.strip_suffix('/').unwrap_or(&self.0)
    }

    /// Tells whether this is `ROOT`, the empty prefix.
    pub fn is_root(&self) -> bool {
        self.0 == Self::ROOT
    }
}

impl fmt::Display for EcrRepositoryPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EcrRepositoryPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A pull through cache rule. What the creator did not set is `None`: absent stays absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where cached repositories live, as typed.
    pub ecr_repository_prefix: EcrRepositoryPrefix,
    /// The upstream, verbatim as sent.
    pub upstream_registry_url: String,
    /// The kind of upstream as sent, any string; inference is the reader's.
    pub upstream_registry: Option<String>,
    /// Where repositories live upstream, as typed.
    pub upstream_repository_prefix: Option<EcrRepositoryPrefix>,
    /// The ARNs that name its credentials.
    pub credentials: RuleCredentials,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was created or last updated.
    pub updated_at: Timestamp,
}

/// The part of a rule that can be updated, as typed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RuleCredentials {
    /// ARN of the secret with the upstream's user name and access token.
    pub credential_arn: Option<String>,
    /// ARN of the role assumed towards an ECR upstream.
    pub custom_role_arn: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_the_field() {
        let good = "docker.io docker-hub/ a--b a__b team/a thirdparty/registry.k8s.io root ROOT ab";
        for text in good.split(' ') {
            assert_eq!(EcrRepositoryPrefix::parse(text).map(|p| p.0), Ok(text.to_owned()));
        }
        for text in "a___b a..b -a a- team//a /team ROOT/ Quay x:5000 ab//".split(' ') {
            assert_eq!(EcrRepositoryPrefix::parse(text), Err(PrefixError::Grammar), "{text}");
        }
        for text in ["a", &"a".repeat(31)] {
            assert_eq!(EcrRepositoryPrefix::parse(text), Err(PrefixError::Length));
        }
    }

    #[test]
    fn a_trailing_slash_is_the_same_key() {
        let slash = EcrRepositoryPrefix::parse("quay/").unwrap();
        assert_eq!((slash.as_str(), slash.key()), ("quay/", "quay"));
        assert!(!EcrRepositoryPrefix::parse("root").unwrap().is_root());
    }
}
