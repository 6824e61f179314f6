//! Tags of repositories.

use super::repository::Tag;
use serde::{Deserialize, Serialize};

/// Asks for tags of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TagResourceRequest {
    /// The ARN of the repository.
    pub resource_arn: String,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// Nothing: it was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TagResourceResponse {}

/// Asks for the end of tags of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UntagResourceRequest {
    /// The ARN of the repository.
    pub resource_arn: String,
    /// The names of the tags to take away.
    pub tag_keys: Vec<String>,
}

/// Nothing: it was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UntagResourceResponse {}

/// Asks for the tags of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTagsForResourceRequest {
    /// The ARN of the repository.
    pub resource_arn: String,
}

/// The tags of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTagsForResourceResponse {
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
}
