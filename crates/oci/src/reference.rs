//! Tags, and references (a tag or a digest).
//!
//! OCI distribution-spec 1.1, "Pulling manifests": `<reference>`.

use std::{fmt, str::FromStr, sync::Arc};

use crate::{Digest, DigestError};

/// A tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Arc<str>);

/// A tag or a digest.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Reference {
    /// By tag: what it names may move.
    Tag(Tag),
    /// By digest: what it names never changes.
    Digest(Digest),
}

/// Why a text is not a reference.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum ReferenceError {
    /// Not a tag.
    #[error(
        "a tag has 1 to 128 characters, letters, digits, '_', '.' and '-', and starts with a \
         letter, a digit or '_'"
    )]
    Tag,
    /// It contains a colon, so it should be a digest, and is not.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl Tag {
    /// Parses a tag.
    ///
    /// # Errors
    /// [`ReferenceError::Tag`] where the grammar is broken.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let bytes = text.as_bytes();
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let well_formed = (1..=128).contains(&bytes.len())
            && is_word(bytes[0])
            && bytes.iter().all(|&b| is_word(b) || b == b'.' || b == b'-');
        if well_formed { Ok(Self(text.into())) } else { Err(ReferenceError::Tag) }
    }

    /// Returns the tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Reference {
    /// Parses a reference: with a colon it is a digest, else a tag.
    ///
    /// # Errors
    /// A [`ReferenceError`] for the kind the text looks like.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.contains(':') {
            Ok(Self::Digest(Digest::parse(text)?))
        } else {
            Ok(Self::Tag(Tag::parse(text)?))
        }
    }

    /// Returns the reference as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag.as_str(),
            Self::Digest(digest) => digest.as_str(),
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Tag {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::parse(text)
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        assert!(matches!(Reference::parse("3.20"), Ok(Reference::Tag(_))));
        assert!(matches!(Reference::parse("_x-y.Z"), Ok(Reference::Tag(_))));
        assert_eq!(Reference::parse(".x"), Err(ReferenceError::Tag));
        assert_eq!(Reference::parse(&"a".repeat(129)), Err(ReferenceError::Tag));
        assert!(matches!(Reference::parse("sha256:xyz"), Err(ReferenceError::Digest(_))));
    }
}
