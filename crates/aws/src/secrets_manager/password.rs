//! Passwords drawn at random.

use crate::Sensitive;
use serde::{Deserialize, Serialize};

/// Asks for a password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetRandomPasswordRequest {
    /// How many characters it has, 32 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_length: Option<i64>,
    /// Characters that it must not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_characters: Option<String>,
    /// Whether it has no digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_numbers: Option<bool>,
    /// Whether it has no punctuation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_punctuation: Option<bool>,
    /// Whether it has no capitals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_uppercase: Option<bool>,
    /// Whether it has no small letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_lowercase: Option<bool>,
    /// Whether it may have spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_space: Option<bool>,
    /// Whether it has at least one character of each kind; yes when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_each_included_type: Option<bool>,
}

/// A password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetRandomPasswordResponse {
    /// The password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random_password: Option<Sensitive>,
}
