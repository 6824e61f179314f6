//! Referrers: manifests that refer to others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Asks what refers to an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListImageReferrersRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    pub repository_name: String,
    /// The image.
    pub subject_id: SubjectIdentifier,
    /// Which referrers to list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<ListImageReferrersFilter>,
    /// Where the next page begins, as the previous answer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// The length of a page, 1 to 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<i32>,
}

/// An image that others refer to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectIdentifier {
    /// The digest of the manifest.
    pub image_digest: String,
}

/// Which referrers to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListImageReferrersFilter {
    /// Their artifact types, at most 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_types: Option<Vec<String>>,
    /// `ACTIVE`, `ARCHIVED`, `ACTIVATING` or `ANY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_status: Option<String>,
}

/// A page of referrers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListImageReferrersResponse {
    /// The referrers of this page.
    #[serde(default)]
    pub referrers: Vec<ImageReferrer>,
    /// Where the next page begins, as the previous answer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A manifest that refers to an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageReferrer {
    /// Its digest.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// Its artifact type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Its size in bytes.
    pub size: i64,
    /// Its annotations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// `ACTIVE`, `ARCHIVED` or `ACTIVATING`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_status: Option<String>,
}
