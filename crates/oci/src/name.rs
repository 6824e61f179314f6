//! Repository names.
//!
//! OCI distribution-spec 1.1, "Pulling manifests": `<name>` grammar. ECR narrows the length to
//! 2..256 characters (API reference, `RepositoryName`); one limit holds for both.

use std::{fmt, str::FromStr, sync::Arc};

/// The longest repository name, in characters (ECR `RepositoryName`; OCI leaves 255 with host).
const NAME_MAX: usize = 256;

/// A repository name: path components of lower-case letters and digits, joined by slashes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryName(Arc<str>);

/// Why a text is not a repository name.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum NameError {
    /// Nothing there.
    #[error("a repository name has at least one character")]
    Empty,
    /// Longer than 256 characters.
    #[error("a repository name has at most {NAME_MAX} characters")]
    TooLong,
    /// A component breaks the grammar.
    #[error(
        "a repository name is made of path components of lower-case letters and digits, separated \
         inside by one '.', one or two '_' or any number of '-'"
    )]
    Component,
}

impl RepositoryName {
    /// Parses a name.
    ///
    /// # Errors
    /// A [`NameError`] that says which rule is broken.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > NAME_MAX {
            return Err(NameError::TooLong);
        }
        if text.split('/').all(is_component) {
            Ok(Self(text.into()))
        } else {
            Err(NameError::Component)
        }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Tells whether `text` is one path component:
/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_component(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    if !is_word(first) || !is_word(last) {
        return false;
    }
    bytes.split(|&b| is_word(b)).filter(|separator| !separator.is_empty()).all(|separator| {
        matches!(separator, b"." | b"_" | b"__") || separator.iter().all(|&b| b == b'-')
    })
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RepositoryName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_field_are_accepted() {
        for name in ["a", "docker-hub/library/alpine", "a--b", "a__b/c.d", "1/2/3/4/5/6/7/8/9"] {
            assert!(RepositoryName::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn broken_names_are_refused() {
        assert_eq!(RepositoryName::parse(""), Err(NameError::Empty));
        assert_eq!(RepositoryName::parse(&"a".repeat(257)), Err(NameError::TooLong));
        for name in ["A", "a___b", "a..b", "-a", "a-", "a//b", "/a", "a/", "a b", "a._b", "ä"] {
            assert_eq!(RepositoryName::parse(name), Err(NameError::Component), "{name}");
        }
    }
}
