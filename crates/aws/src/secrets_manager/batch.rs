//! Values of many secrets at once.

use super::list::Filter;
use crate::{Sensitive, Timestamp};
use serde::{Deserialize, Serialize};

/// Asks for the current values of secrets, by their ids or by filters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchGetSecretValueRequest {
    /// Names and ARNs, 1 to 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_id_list: Option<Vec<String>>,
    /// What the secrets must match, all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Vec<Filter>>,
    /// The length of a page, 1 to 20; only with filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<i32>,
    /// Where the next page begins, as the previous answer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Values, and what is wrong with the secrets that have none to give.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchGetSecretValueResponse {
    /// The values of this page.
    #[serde(default)]
    pub secret_values: Vec<SecretValueEntry>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// What is wrong, secret by secret.
    #[serde(default)]
    pub errors: Vec<ApiErrorType>,
}

/// A version's value in a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecretValueEntry {
    /// The ARN, suffix included.
    #[serde(rename = "ARN", skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The id of the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The value as bytes, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_binary: Option<Sensitive>,
    /// The value as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_string: Option<Sensitive>,
    /// The staging labels of the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_stages: Option<Vec<String>>,
    /// When it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_date: Option<Timestamp>,
}

/// What is wrong with one secret of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ApiErrorType {
    /// The name or ARN that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_id: Option<String>,
    /// The name of the exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
