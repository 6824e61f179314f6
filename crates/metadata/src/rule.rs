//! Pull through cache rules as facts.

use std::fmt;

use crate::{RulePolicy, Timestamp};

/// The prefix of a rule, as typed: `docker-hub`, `team/a`, `quay/` or `ROOT`.
///
/// ECR API reference, `PullThroughCacheRuleRepositoryPrefix`. "There is always an assumed `/`
/// applied to the end of the prefix": two prefixes that differ by it have one [`key`](Self::key).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EcrRepositoryPrefix(String);

/// Why a text is not a prefix.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum PrefixError {
    /// Too short or too long.
    #[error("a prefix has {min} to {max} characters")]
    Length {
        /// The fewest characters it may have.
        min: usize,
        /// The most.
        max: usize,
    },
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
        check_prefix(text, 2, 30)?;
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
        self.0 == Self::ROOT
    }
}

/// Checks the grammar that the prefixes of rules and of templates share, and a length.
pub(crate) fn check_prefix(text: &str, min: usize, max: usize) -> Result<(), PrefixError> {
    if !(min..=max).contains(&text.chars().count()) {
        return Err(PrefixError::Length { min, max });
    }
    let path = prefix_key(text);
    if text == EcrRepositoryPrefix::ROOT || oci::RepositoryName::parse(path).is_ok() {
        Ok(())
    } else {
        Err(PrefixError::Grammar)
    }
}

/// Returns what identifies a prefix: the text without a trailing slash.
pub(crate) fn prefix_key(text: &str) -> &str {
    text.strip_suffix('/').unwrap_or(text)
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
    /// What it says about freshness, failures and what it lets in.
    pub policy: Option<RulePolicy>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was created, or its credentials were last updated.
    pub updated_at: Timestamp,
}

impl Rule {
    /// Tells whether it has this policy; none at all is one that says nothing.
    pub(crate) fn has_policy(&self, policy: &RulePolicy) -> bool {
        match &self.policy {
            Some(held) => held == policy,
            None => *policy == RulePolicy::default(),
        }
    }
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
            let length = PrefixError::Length { min: 2, max: 30 };
            assert_eq!(EcrRepositoryPrefix::parse(text), Err(length));
        }
    }

    #[test]
    fn a_trailing_slash_is_the_same_key() {
        let slash = EcrRepositoryPrefix::parse("quay/").unwrap();
        assert_eq!((slash.as_str(), slash.key()), ("quay/", "quay"));
        assert!(!EcrRepositoryPrefix::parse("root").unwrap().is_root());
    }
}
