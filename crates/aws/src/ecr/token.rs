//! Tokens for `docker login`.

use crate::{Sensitive, Timestamp};
use serde::{Deserialize, Serialize};

/// Asks for login tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAuthorizationTokenRequest {
    /// The accounts to get tokens for, 1 to 10; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_ids: Option<Vec<String>>,
}

/// Login tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAuthorizationTokenResponse {
    /// One token for each registry asked.
    #[serde(default)]
    pub authorization_data: Vec<AuthorizationData>,
}

/// A login token and where it is good.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationData {
    /// Base64 of `AWS:` and the password for `docker login`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_token: Option<Sensitive>,
    /// When the token stops working.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The address to log in to, with its scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_endpoint: Option<String>,
}
