//! Who a fact belongs to, and when it became true.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// A 12-digit AWS account id.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(Arc<str>);

/// An AWS region name such as `us-east-1`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(Arc<str>);

/// A registry: the pair of account and region, as in Amazon ECR.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegistryId {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
}

/// A moment, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// Why a text is neither an account id nor a region.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum IdentityError {
    /// Not twelve digits.
    #[error("an account id has 12 digits")]
    Account,
    /// Not a region name.
    #[error("a region name has 1 to 32 lower-case letters, digits and hyphens")]
    Region,
}

impl AccountId {
    /// Parses twelve digits.
    ///
    /// # Errors
    /// [`IdentityError::Account`].
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let well_formed = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        if well_formed { Ok(Self(text.into())) } else { Err(IdentityError::Account) }
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Region {
    /// Parses a region name.
    ///
    /// # Errors
    /// [`IdentityError::Region`].
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let well_formed = (1..=32).contains(&text.len())
            && text.bytes().all(is_inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if well_formed { Ok(Self(text.into())) } else { Err(IdentityError::Region) }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Timestamp {
    /// Returns the milliseconds from `earlier` to this moment, zero where it is later.
    pub fn millis_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RegistryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

impl fmt::Debug for RegistryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
